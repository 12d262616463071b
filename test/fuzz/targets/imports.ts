/** What the predecessors' folders hold: JSON as Python writes it, manifests, counts, objects and the names of children. */
import { toHex, utf8Encode } from '../../../src/bytes/bytes.ts';
import {
  encodeCount,
  encodeIndex,
  encodeManifest,
  isChunkName,
  parseCount,
  parseIndex,
  parseJson,
  parseManifest,
  plainId,
  whyNoId,
} from '../../../src/exchange/chunkstore-layout.ts';
import { convertJson, type NumberChange } from '../../../src/exchange/convert-json.ts';
import { nameChildren } from '../../../src/exchange/name-children.ts';
import { type PythonJson, parsePythonJson } from '../../../src/exchange/python-json.ts';
import { isObjectId, parseSnapshotObject, referencesOf } from '../../../src/exchange/snapshot-store-object.ts';
import { blake3 } from '../../../src/hash/index.ts';
import { encodeCanonicalJson } from '../../../src/objects/index.ts';
import { mustBeBytes, mustEqual, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const hexOf = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);

const manifest = fuzzTarget({
  name: 'chunkstore-manifest',
  samples: () => [
    encodeManifest({ digests: [hexOf(1), hexOf(0xff)], fileBytes: 70_000 }),
    encodeManifest({ digests: [], fileBytes: 0 }),
    utf8Encode(JSON.stringify({ file_bytes: 1, digests: [hexOf(2)], codec: 'zstd' }, undefined, 2)),
  ],
  mutations: JSON_MUTATIONS,
  read: (input) => parseManifest(input, 'm'),
  check: (value) => {
    mustHold(value.digests.every(isChunkName), 'a digest of a manifest is none');
    mustEqual(parseManifest(encodeManifest(value), 'm'), value, 'a manifest written again');
  },
  errors: ['IMPORT_CORRUPT'],
});

const index = fuzzTarget({
  name: 'chunkstore-index',
  samples: () => [encodeIndex(['a', 'b/c', 'é']), encodeIndex([])],
  mutations: JSON_MUTATIONS,
  read: parseIndex,
  check: (names) => {
    if (names !== undefined) mustEqual(parseIndex(encodeIndex(names)), names, 'an index written again');
  },
  errors: [],
});

const count = fuzzTarget({
  name: 'chunkstore-count',
  samples: () => [encodeCount(0), encodeCount(17), encodeCount(Number.MAX_SAFE_INTEGER)],
  mutations: JSON_MUTATIONS,
  read: parseCount,
  check: (value) => {
    if (value === undefined) return;
    mustHold(Number.isSafeInteger(value) && value >= 0, 'a count is none');
    mustEqual(parseCount(encodeCount(value)), value, 'a count written again');
  },
  errors: [],
});

const id = fuzzTarget({
  name: 'chunkstore-id',
  samples: () => ['report.pdf', 'a/b/c', './a//b', '../x', '__index__'].map((text) => utf8Encode(text)),
  mutations: TEXT_MUTATIONS,
  read: (input) => ({ text: inputText(input), why: whyNoId(inputText(input)) }),
  check: ({ text, why }) => {
    mustEqual(plainId(plainId(text)), plainId(text), 'the plain form of a plain id');
    if (why === undefined) mustEqual(plainId(text), text, 'an id that may stay');
  },
  errors: [],
});

const PYTHON_VALUES = [
  '{"a":[1,1.0,1e+22,-0.0,5e-324],"b":null,"\u00e9":"\u20ac"}',
  '{"10":true,"9":false,"__proto__":{}}',
  '[[],{},"",123456789012345678901234567890]',
];

const pythonJson = fuzzTarget({
  name: 'python-json',
  samples: () => PYTHON_VALUES.map((text) => utf8Encode(text)).filter((bytes) => parsePythonJson(bytes) !== undefined),
  mutations: JSON_MUTATIONS,
  read: (input) => {
    const value = parsePythonJson(input);
    if (value === undefined) return undefined;
    const changes: NumberChange[] = [];
    const converted = convertJson(value, { numbers: 'text', onChange: (change) => changes.push(change) });
    return { converted, changes };
  },
  check: (value, input) => {
    if (value === undefined) return;
    const isText = ({ before, after }: NumberChange): boolean => after === JSON.stringify(before);
    const isSame = value.changes.every((change) => isText(change) || Number(change.before) === Number(change.after));
    mustHold(isSame, 'a number has another value now');
    if (!value.changes.some(isText)) mustEqual(value.converted, JSON.parse(inputText(input)), 'the value');
  },
  errors: [],
});

const SNAPSHOT_OBJECTS: readonly unknown[] = [
  { type: 'bundle', content: { any: ['thing', 1] }, metadata: { author: 'x' } },
  { type: 'blob', content: 'aGVsbG8=', metadata: {} },
  { type: 'tree', content: { children: [hexOf(1), hexOf(2)] }, metadata: { names: { [hexOf(1)]: 'a' } } },
  { type: 'snapshot', content: { bundles: [hexOf(3), hexOf(1)], parent: hexOf(4) }, metadata: {} },
];

/** The name of an object is the hash of its file: it is always right here, so that what is behind it is reached. */
const snapshotObject = fuzzTarget({
  name: 'snapshot-store-object',
  samples: () =>
    SNAPSHOT_OBJECTS.map((value) => encodeCanonicalJson(value as Parameters<typeof encodeCanonicalJson>[0])),
  mutations: JSON_MUTATIONS,
  read: (input) => parseSnapshotObject(input, toHex(blake3(input)), 'o'),
  check: (object) => mustHold(referencesOf(object).every(isObjectId), 'a reference is no id'),
  errors: ['IMPORT_CORRUPT'],
});

const CHILDREN = [hexOf(3), hexOf(1), hexOf(2), hexOf(1)];

const childNames = fuzzTarget({
  name: 'child-names',
  samples: () => [
    utf8Encode(JSON.stringify({ [hexOf(1)]: 'b', [hexOf(2)]: 'a' })),
    utf8Encode(JSON.stringify({ [hexOf(1)]: hexOf(2), [hexOf(3)]: '..', [hexOf(4)]: 'x' })),
  ],
  mutations: JSON_MUTATIONS,
  read: (input) => nameChildren(CHILDREN, parseJson(input) as PythonJson | undefined, () => undefined),
  check: (named) => {
    mustEqual(named.map(({ oldId }) => oldId).sort(), [...new Set(CHILDREN)].sort(), 'the children');
    mustHold(new Set(named.map(({ name }) => name)).size === named.length, 'two children have one name');
    mustHold(
      named.every(({ name }) => name !== '' && !/^\.{1,2}$|[/\0]/.test(name)),
      'a name is none',
    );
    const names = named.map(({ name }) => utf8Encode(name));
    mustEqual(names.toSorted(Buffer.compare), names, 'the order of the names');
  },
  errors: [],
});

/** Bytes that were never any of these. */
const noise = fuzzTarget({
  name: 'import-noise',
  samples: () => [utf8Encode('{}'), utf8Encode('\ufeff[]'), Uint8Array.of(0xff, 0xfe, 0x5b)],
  mutations: BYTE_MUTATIONS,
  read: (input) => [parseJson(input), parseIndex(input), parseCount(input), parsePythonJson(input)],
  check: ([value, names, number]) => {
    if (value === undefined) mustBeBytes(utf8Encode(String([names, number])), utf8Encode(','), 'what is no JSON');
  },
  errors: [],
});

export const IMPORT_TARGETS: readonly FuzzTarget[] = [
  ...[manifest, index, count, id, pythonJson, snapshotObject, childNames, noise],
];
