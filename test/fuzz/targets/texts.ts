/** What people type: addresses, moments, durations, names of refs, option values, patterns, names of files. */
import { type CommanderError, InvalidArgumentError } from 'commander';
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import { compileGlob } from '../../../src/cli/files/glob.ts';
import { restoreComponents } from '../../../src/cli/files/restore-name.ts';
import { sourceName } from '../../../src/cli/files/source-name.ts';
import {
  collectAttribute,
  parseBytes,
  parseCount,
  parseKeep,
  parsePercent,
  parseRange,
  parseRate,
  parseSpan,
  parseTime,
} from '../../../src/cli/options.ts';
import { readPassphraseLine } from '../../../src/cli/secrets/passphrase-file.ts';
import { isUsageError } from '../../../src/cli/usage-error.ts';
import { unsafePath } from '../../../src/folders/safe-path.ts';
import { formatTimeNs, parseTimeNs } from '../../../src/folders/time-text.ts';
import { formatAddress, parseAddress } from '../../../src/history/address.ts';
import { momentBefore, parseDuration } from '../../../src/history/duration.ts';
import { parseMoment } from '../../../src/history/moment-text.ts';
import { checkRefName, isRefName } from '../../../src/history/ref-name.ts';
import { createZonedCalendar } from '../../../src/history/zoned-calendar.ts';
import { TIME_MS_MAX } from '../../../src/limits.ts';
import { checkAttributes, checkContentType, encodeKey, parseVersion } from '../../../src/store/arguments.ts';
import { mustBeBytes, mustEqual, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputParts, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const NOW = Date.UTC(2026, 10, 21, 20, 15, 30, 500);
const ZONES = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'] as const;
const texts =
  (...all: readonly string[]) =>
  () =>
    all.map(utf8Encode);

const address = fuzzTarget({
  name: 'address',
  samples: texts(
    'a'.repeat(64),
    'photos~2:a/b',
    'latest@{2026-11-21}',
    'backup/laptop@{3}~',
    'abcd',
    'x@{3 days ago}:p:q',
    'latest~2:path',
    'r@{2026-11-21 20:15+01:00}',
  ),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseAddress(inputText(input), { now: NOW, timeZone: 'Europe/Berlin' }),
  check: (value) => mustEqual(parseAddress(formatAddress(value), { now: 0 }), value, 'the address'),
  errors: ['ADDRESS_INVALID'],
});

const moment = fuzzTarget({
  name: 'moment',
  samples: texts(
    '2026-11-21T20:15:30.5Z',
    '2026-03-29 02:30',
    '2026-11-21',
    'yesterday',
    'now',
    '3 hours ago',
    '2 months ago',
    '1 year ago',
    '0000-01-01T00:00-23:59',
  ),
  mutations: TEXT_MUTATIONS,
  read: (input) => ZONES.map((zone) => parseMoment(inputText(input), NOW, createZonedCalendar(zone))),
  check: (times) => {
    for (const time of times)
      mustHold(
        time === undefined || (Number.isSafeInteger(time) && time >= 0 && time <= TIME_MS_MAX),
        'a moment is no time',
      );
  },
  errors: [],
});

const duration = fuzzTarget({
  name: 'duration',
  samples: texts('30d', '2y6m7d3h', '12h', '1000y', '52w'),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseDuration('within', inputText(input)),
  check: (value) => {
    for (const zone of ZONES) {
      const before = momentBefore(NOW, value, createZonedCalendar(zone));
      mustHold(Number.isSafeInteger(before) && before < NOW, 'a duration does not lead back');
    }
  },
  errors: [],
  arguments: true,
});

const refName = fuzzTarget({
  name: 'ref-name',
  samples: texts('photos', 'backup/laptop', 'été 2026', 'a@b', 'x'.repeat(256)),
  mutations: TEXT_MUTATIONS,
  read: (input) => checkRefName(inputText(input)),
  check: (name) => {
    mustHold(isRefName(name), 'a name is one and is none');
    const { base, steps, path } = parseAddress(name, { now: NOW });
    mustEqual(
      [base.kind, 'name' in base && base.name, steps.length, path],
      ['ref', name, 0, undefined],
      'the ref of an address',
    );
  },
  errors: ['REF_INVALID'],
});

/** Values of options: what is no value is commander's error, which names the option. */
class OptionRefused extends Error {}

function option<Value>(
  name: string,
  samples: readonly string[],
  parse: (text: string) => Value,
  check: (value: Value) => boolean,
): FuzzTarget {
  return fuzzTarget<Value | OptionRefused>({
    name,
    samples: texts(...samples),
    mutations: TEXT_MUTATIONS,
    read: (input) => {
      try {
        return parse(inputText(input));
      } catch (error) {
        if (error instanceof InvalidArgumentError) return new OptionRefused();
        throw error;
      }
    },
    check: (value, input) => {
      if (value instanceof OptionRefused) mustHold(!samples.includes(inputText(input)), 'a good value is refused');
      else mustHold(check(value), 'a value is none');
    },
    errors: [],
  });
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const OPTIONS = [
  option('option-count', ['0', '17', '999999999999999'], parseCount, isCount),
  option(
    'option-keep',
    ['all', 'none', '3'],
    parseKeep,
    (value) => value === 'none' || value.last === undefined || isCount(value.last),
  ),
  option('option-bytes', ['500', '64KiB', '10G', '1 TB'], parseBytes, isCount),
  option('option-rate', ['10MiB/s', '5K', '1'], parseRate, (value) => isCount(value) && value > 0),
  option('option-percent', ['5', '0.5', '100%'], parsePercent, (value) => value > 0 && value <= 100),
  option('option-span', ['90s', '15m', '12h', '7d'], parseSpan, isCount),
  option(
    'option-range',
    ['1000:50', '10:', ':5', '0:0'],
    parseRange,
    ({ offset, length = 0 }) => isCount(offset) && isCount(length),
  ),
  option(
    'option-time',
    ['2026-01-31', '2026-01-31T12:00:00Z', '2026-01-31T12:00+01:00'],
    parseTime,
    (value) => !Number.isNaN(Date.parse(value)),
  ),
  option(
    'option-attribute',
    ['a=b', 'a=b=c', '__proto__=x'],
    (text) => collectAttribute(text, { taken: 'x' }),
    (value) => Object.keys(value).length === 2 && Object.values(value).every((one) => typeof one === 'string'),
  ),
];

const glob = fuzzTarget({
  name: 'glob',
  samples: () =>
    [
      ['*.txt', 'docs/a.txt'],
      ['**/[a-z]?/', 'x/b1'],
      ['docs/**/x\\*', 'docs/a/b/x*'],
      ['[!a]*', 'b'],
    ].map((pair) => partsInput(pair.map(utf8Encode))),
  mutations: partMutations([TEXT_MUTATIONS]),
  read: (input) => {
    const [pattern = '', name = ''] = inputParts(input).map(inputText);
    try {
      return compileGlob(pattern)(name, true);
    } catch (error) {
      if (isUsageError(error as CommanderError)) return undefined;
      throw error;
    }
  },
  errors: [],
});

const restoreName = fuzzTarget({
  name: 'restore-name',
  samples: texts('docs/a.txt', 'x', 'a/b/c/d', 'été/ü'),
  mutations: TEXT_MUTATIONS,
  read: (input) => restoreComponents(inputText(input)),
  check: (parts, input) => {
    mustHold(parts.join('/') === inputText(input), 'a key becomes another file');
    mustHold(
      !parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('/')),
      'a key leads out of its folder',
    );
  },
  errors: ['LOCATION_INVALID'],
});

const source = fuzzTarget({
  name: 'source-name',
  samples: texts('./docs//a.txt', '/etc/hosts', '.', 'a/../b', 'x/'),
  mutations: TEXT_MUTATIONS,
  read: (input) => {
    try {
      return sourceName(inputText(input));
    } catch (error) {
      if (isUsageError(error as CommanderError)) return undefined;
      throw error;
    }
  },
  check: (name) => {
    if (name !== undefined && name !== '')
      mustHold(!name.split('/').some((part) => part === '' || part === '.' || part === '..'), 'a name is not plain');
  },
  errors: [],
});

const passphraseLine = fuzzTarget({
  name: 'passphrase-line',
  samples: () => [utf8Encode('correct horse\nmore'), utf8Encode('x\r\n'), utf8Encode('é')],
  mutations: BYTE_MUTATIONS,
  read: (input) =>
    readPassphraseLine([input.subarray(0, input.length >> 1), input.subarray(input.length >> 1)] as never),
  check: (line) => mustHold(line !== '' && !line.includes('\n') && line.isWellFormed(), 'a line is none'),
  errors: ['CREDENTIAL_INVALID'],
});

const unsafe = fuzzTarget({
  name: 'safe-path',
  samples: () => [['a', 'b.txt'], ['été'], ['con', 'x']].map((parts) => partsInput(parts.map(utf8Encode))),
  mutations: partMutations([BYTE_MUTATIONS]),
  read: (input) => {
    const components = inputParts(input).map((part) => Buffer.from(part));
    return { components, posix: unsafePath(components, false), windows: unsafePath(components, true) };
  },
  check: ({ components, posix, windows }) => {
    mustHold(posix === undefined || windows !== undefined, 'a path is safe on Windows alone');
    if (posix !== undefined) return;
    for (const one of components)
      mustHold(
        one.length > 0 && !one.includes(0) && !one.includes(0x2f) && !['.', '..'].includes(one.toString('latin1')),
        'a path leads elsewhere',
      );
  },
  errors: [],
});

const timeNs = fuzzTarget({
  name: 'time-with-nanoseconds',
  samples: texts(
    '2026-11-21T20:00:00.123456789Z',
    '+123456-01-01T00:00:00.000000000Z',
    '-000001-12-31T23:59:59.999999999Z',
  ),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseTimeNs(inputText(input)),
  check: (value, input) => mustHold(formatTimeNs(value) === inputText(input), 'a time has two texts'),
  errors: ['SOURCE_INVALID'],
});

const entryKey = fuzzTarget({
  name: 'entry-key',
  samples: texts('docs/report.pdf', 'é', 'x'.repeat(1024), '\u0000'),
  mutations: TEXT_MUTATIONS,
  read: (input) => encodeKey(inputText(input)),
  check: (bytes, input) =>
    mustHold(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) === inputText(input) &&
        bytes.length <= 1024,
      'a key is another one as bytes',
    ),
  errors: ['KEY_INVALID'],
});

const attributes = fuzzTarget({
  name: 'entry-attributes',
  samples: texts('{"a":"b","é":""}', '{}', '{"10":"x","9":"y","__proto__":"z"}'),
  mutations: JSON_MUTATIONS,
  read: (input) => {
    let given: unknown;
    try {
      given = JSON.parse(inputText(input));
    } catch {
      return undefined;
    }
    return { given, checked: checkAttributes(given) };
  },
  check: (value) => {
    if (value === undefined) return;
    mustEqual(Object.entries(value.checked).sort(), Object.entries(value.given as object).sort(), 'the attributes');
  },
  errors: ['ATTRIBUTES_INVALID'],
  arguments: true,
});

const contentType = fuzzTarget({
  name: 'content-type',
  samples: texts('text/plain; charset=utf-8', '', 'x'.repeat(256)),
  mutations: TEXT_MUTATIONS,
  read: (input) => checkContentType(inputText(input)),
  check: (value) => mustHold(Buffer.byteLength(value) <= 256, 'a content type is too long'),
  errors: ['ATTRIBUTES_INVALID'],
});

const version = fuzzTarget({
  name: 'version-text',
  samples: texts('0f'.repeat(32)),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseVersion(inputText(input), 'ifMatch'),
  check: (bytes, input) => mustBeBytes(utf8Encode(Buffer.from(bytes).toString('hex')), input, 'the version'),
  errors: ['DIGEST_INVALID'],
});

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  ...[address, moment, duration, refName, ...OPTIONS, glob, restoreName, source, passphraseLine],
  ...[unsafe, timeNs, entryKey, attributes, contentType, version],
];
