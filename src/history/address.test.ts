import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { type Address, type AddressStep, formatAddress, parseAddress } from './address.ts';
import { checkRefName, isRefName } from './ref-name.ts';

const NOW = Date.parse('2026-11-21T20:15:30.250Z');
const ID = '0123456789abcdef'.repeat(4);

function parse(text: string, timeZone?: string): Address {
  return parseAddress(text, { now: NOW, timeZone });
}

function timeIn(braces: string, timeZone?: string): string {
  const [step] = parse(`photos@{${braces}}`, timeZone).steps;
  if (step?.kind !== 'at') throw new Error(`${braces} is no time`);
  return new Date(step.time).toISOString();
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the name of a ref', () => {
  it.each([
    'photos',
    'backup/laptop',
    'a',
    'ä',
    'x'.repeat(256),
    'latest/2',
    'LATEST',
    'a b',
    '@',
    'a@b',
    '...',
    'abcd',
    '-x',
    ID.slice(1),
  ])('may be %j', (name) => expect(checkRefName(name)).toBe(name));

  it.each([
    '',
    '/',
    'a//b',
    '/a',
    'a/',
    '.',
    '..',
    'a/../b',
    './a',
    'a\u0000b',
    'a\nb',
    '\u007f',
    'a\u0085',
    'a\\b',
    'a:b',
    'a~1',
    'a^',
    'a@{1}',
    'what?',
    '*',
    '[a',
    ' a',
    'a ',
    '\u00a0a',
    'latest',
    ID,
    ID.toUpperCase(),
    'x'.repeat(257),
    'ä'.repeat(129),
    'a\ud800',
  ])('may not be %j', (name) => {
    const error = thrown(() => checkRefName(name));
    expect(isStoreError(error, 'REF_INVALID')).toBe(true);
    expect(error).toMatchObject({ kind: 'invalid', details: { actual: expect.any(String) } });
  });

  it('is text', () => {
    expect(() => checkRefName(undefined)).toThrow(TypeError);
  });
});

describe('an address', () => {
  it('begins with an id, the beginning of one, a ref or latest', () => {
    expect(parse(ID)).toEqual({ base: { kind: 'id', id: ID }, steps: [] });
    expect(parse('beef')).toEqual({ base: { kind: 'ref', name: 'beef', idPrefix: 'beef' }, steps: [] });
    expect(parse('bee')).toEqual({ base: { kind: 'ref', name: 'bee' }, steps: [] });
    expect(parse('BEEF')).toEqual({ base: { kind: 'ref', name: 'BEEF' }, steps: [] });
    expect(parse('latest')).toEqual({ base: { kind: 'latest' }, steps: [] });
    expect(parse('backup/laptop@home').base).toEqual({ kind: 'ref', name: 'backup/laptop@home' });
  });

  it('goes on with steps and a path', () => {
    const steps: AddressStep[] = [
      { kind: 'back', count: 2 },
      { kind: 'back', count: 1 },
      { kind: 'back', count: 1 },
      { kind: 'moves', count: 3 },
      { kind: 'back', count: 0 },
    ];
    expect(parse('latest~2~~@{3}~0').steps).toEqual(steps);
    expect(parse('photos~:a/b:c~1@{2}/../d')).toEqual({
      base: { kind: 'ref', name: 'photos' },
      steps: [{ kind: 'back', count: 1 }],
      path: 'a/b:c~1@{2}/../d',
    });
    expect(parse('photos:')).toEqual({ base: { kind: 'ref', name: 'photos' }, steps: [], path: '' });
    expect(parse('photos@{2026}').steps).toEqual([{ kind: 'moves', count: 2026 }]);
  });

  it.each([
    ['', 0],
    ['~1', 0],
    [':path', 0],
    ['@{1}', 0],
    ['a^', 0],
    ['a\nb', 0],
    [ID.toUpperCase(), 0],
    ['photos~1x', 8],
    ['photos@{1', 6],
    ['photos@{}', 6],
    ['photos@{soon}', 6],
    ['photos~1000000000', 6],
    ['photos@{99999999999999999999}', 6],
    ['photos@{2026-02-30}', 6],
    ['photos@{2026-11-21T24:00}', 6],
    ['photos@{2026-11-21T20:00+24:00}', 6],
    ['photos@{1969-12-31}', 6],
    ['photos@{9 days}', 6],
    ['photos@{99999 years ago}', 6],
    ['photos@{900000000 weeks ago}', 6],
    [`photos${'~'.repeat(65)}`, 70],
    ['photos~1/path', 8],
  ])('is not %j', (text, offset) => {
    const error = thrown(() => parse(text));
    expect(isStoreError(error, 'ADDRESS_INVALID')).toBe(true);
    expect(error).toMatchObject({ kind: 'invalid', details: { offset } });
  });

  it('is well-formed text of a bounded length', () => {
    expect(thrown(() => parse('a\ud800'))).toMatchObject({ code: 'ADDRESS_INVALID' });
    expect(thrown(() => parse(`a:${'x'.repeat(65_536)}`))).toMatchObject({ code: 'ADDRESS_INVALID' });
    expect(() => parseAddress(7, { now: NOW })).toThrow(TypeError);
    expect(() => parseAddress('a', { now: -1 })).toThrow(RangeError);
    expect(() => parseAddress('a', { now: NOW, timeZone: 'Nowhere' })).toThrow(/^timeZone/);
  });

  it('may name a time in many ways', () => {
    expect(timeIn('2026-11-21T20:00:00.123Z')).toBe('2026-11-21T20:00:00.123Z');
    expect(timeIn('2026-11-21T20:00:00.123456789Z')).toBe('2026-11-21T20:00:00.123Z');
    expect(timeIn('2026-11-21 20:00+01:30')).toBe('2026-11-21T18:30:00.000Z');
    expect(timeIn('2026-11-21T20:00')).toBe('2026-11-21T20:00:00.000Z');
    expect(timeIn('2026-11-21T20:00:10', 'Europe/Berlin')).toBe('2026-11-21T19:00:10.000Z');
    expect(timeIn('2026-11-20')).toBe('2026-11-20T23:59:59.999Z');
    expect(timeIn('2026-10-25', 'Europe/Berlin')).toBe('2026-10-25T22:59:59.999Z');
    expect(timeIn('2024-02-29')).toBe('2024-02-29T23:59:59.999Z');
    expect(timeIn('now')).toBe('2026-11-21T20:15:30.250Z');
    expect(timeIn('yesterday')).toBe('2026-11-20T23:59:59.999Z');
    expect(timeIn('yesterday', 'Asia/Tokyo')).toBe('2026-11-21T14:59:59.999Z');
    expect(timeIn('90 minutes ago')).toBe('2026-11-21T18:45:30.250Z');
    expect(timeIn('1 hour ago')).toBe('2026-11-21T19:15:30.250Z');
    expect(timeIn('3 days ago')).toBe('2026-11-18T20:15:30.250Z');
    expect(timeIn('2 weeks ago')).toBe('2026-11-07T20:15:30.250Z');
    expect(timeIn('9 months ago')).toBe('2026-02-21T20:15:30.250Z');
    expect(timeIn('1 year ago')).toBe('2025-11-21T20:15:30.250Z');
  });

  it('is written so that it is read as the same', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isRefName);
    const base = fc.oneof(
      fc.constant({ kind: 'latest' } as const),
      fc.stringMatching(/^[0-9a-f]{64}$/).map((id) => ({ kind: 'id', id }) as const),
      fc.stringMatching(/^[0-9a-f]{4,63}$/).map((text) => ({ kind: 'ref', name: text, idPrefix: text }) as const),
      name.filter((text) => !/^[0-9a-f]{4,}$/.test(text)).map((text) => ({ kind: 'ref', name: text }) as const),
    );
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('back', 'moves'), count: fc.nat(999_999_999) }),
      fc.record({ kind: fc.constant('at'), time: fc.nat(4_000_000_000_000) }),
    ) as fc.Arbitrary<AddressStep>;
    const address = fc.record(
      { base, steps: fc.array(step, { maxLength: 8 }), path: fc.string({ unit: 'binary', maxLength: 60 }) },
      { requiredKeys: ['base', 'steps'] },
    );
    fc.assert(
      fc.property(address, (one) => {
        expect(parse(formatAddress(one))).toEqual(one);
      }),
      { seed: 20_261_121 },
    );
  });

  it('is read or refused, never more, whatever the text', () => {
    const pieces = [
      '~',
      '@{',
      '}',
      ':',
      '/',
      '..',
      'latest',
      'a',
      '9',
      ID,
      ' days ago',
      '2026-11-21',
      '\ud800',
      '^',
      '\u0000',
    ];
    for (let seed = 1; seed <= 5000; seed += 1) {
      const random = seededRandom(seed);
      const text = Array.from({ length: random.integer(12) }, () => pieces[random.integer(pieces.length)]!).join('');
      try {
        const address = parse(text);
        expect(parse(formatAddress(address)), text).toEqual(address);
      } catch (error) {
        if (!isStoreError(error, 'ADDRESS_INVALID'))
          throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause: error });
      }
    }
  });

  it.each([
    '~',
    '@{',
    '@{1}',
    '9',
    'a/',
    ' ',
    '@',
    'photos@{9',
    '1 ',
  ])('takes no longer than its length asks for: %j over and over', (piece) => {
    // A quadratic reader would need billions of steps for each; the test would not end in time.
    for (const head of ['', 'photos', 'photos~', 'photos@{', 'photos@{1 '])
      for (let round = 0; round < 20; round += 1) {
        const text = (head + piece.repeat(65_536)).slice(0, 65_536);
        try {
          parse(text);
        } catch (error) {
          expect(isStoreError(error, 'ADDRESS_INVALID')).toBe(true);
        }
      }
  });
});
