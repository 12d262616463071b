/** JSON in its canonical and in any spelling; objects, their parts, and trees of several nodes. */
import { compareBytes, toHex, utf8Encode } from '../../../src/bytes/bytes.ts';
import { blake3 } from '../../../src/hash/index.ts';
import {
  decodeObject,
  decodeStoredObject,
  encodeCanonicalJson,
  encodeObject,
  findChild,
  formatObjectTime,
  type JsonValue,
  type LoadObjects,
  nameBytesOf,
  objectId,
  parseCanonicalJson,
  parseJsonStrict,
  parseObject,
  parseObjectTime,
  readTree,
  referencesOf,
  type StructuredObject,
  type TreeChild,
} from '../../../src/objects/index.ts';
import { parseChild } from '../../../src/objects/tree-child.ts';
import { fakeId, file, folder, TIME } from '../../support/object-memory.ts';
import { mustBeBytes, mustEqual, mustHold, mustMean } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputParts, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const VALUES: readonly JsonValue[] = [
  { b: [1e3, 0.1, -5e-324, 1e21], a: { é: 'x\u0000"\\', '\ufb33': null, '😀': true } },
  { '10': 1, '9': 2, a: { '1': [[[]]] } },
  [],
  'text',
  -0.5,
];

const canonical = fuzzTarget({
  name: 'canonical-json',
  samples: () => VALUES.map((value) => encodeCanonicalJson(value)),
  mutations: JSON_MUTATIONS,
  read: (input) => parseCanonicalJson(input),
  check: (value, input) => mustBeBytes(encodeCanonicalJson(value), input, 'the value'),
  errors: ['OBJECT_INVALID'],
});

const strict = fuzzTarget({
  name: 'strict-json',
  samples: () =>
    VALUES.flatMap((value) => [
      utf8Encode(JSON.stringify(value)),
      utf8Encode(`${JSON.stringify(value, undefined, 2)}\n`),
    ]),
  mutations: JSON_MUTATIONS,
  read: (input) => parseJsonStrict(input),
  check: (value, input) => mustMean(value, JSON.parse(new TextDecoder().decode(input)), 'the value'),
  errors: ['OBJECT_INVALID'],
});

const CHILDREN: readonly TreeChild[] = [
  {
    type: 'entry',
    name: 'a/docs',
    id: fakeId(1),
    size: 1,
    version: fakeId(2),
    modified: TIME,
    contentType: 'text/plain',
    attributes: { a: 'b' },
    parent: 'docs',
    parentVersion: fakeId(3),
  },
  file('b.txt', 4, { sparse: true, sameAs: 'a/b' }),
  folder('c', fakeId(5)),
  { type: 'link', name: 'd\ufffd', nameBytes: 'ZP8=', target: '../x', mtime: TIME },
  { type: 'snapshot', name: 'e', id: fakeId(6) },
];

const OBJECTS: readonly unknown[] = [
  { type: 'blob', content: { id: fakeId(1), size: 3 }, metadata: { name: 'x' } },
  { type: 'bundle', content: { any: ['thing', 1] } },
  { type: 'tree', content: { entries: CHILDREN }, metadata: { a: 1 } },
  {
    type: 'tree',
    content: {
      nodes: [
        { first: 'a', id: fakeId(1), count: 2 },
        { first: 'b\ufffd', firstBytes: 'Yv8=', id: fakeId(2), count: 1 },
      ],
    },
  },
  {
    type: 'snapshot',
    content: {
      tree: fakeId(1),
      rootMode: 0o755,
      rootMtime: TIME,
      entries: fakeId(2),
      bundles: [fakeId(3)],
      parent: fakeId(4),
      merged: [fakeId(5)],
    },
  },
];
const ENCODED = OBJECTS.map((one) => encodeObject(parseObject(one)));

const object = fuzzTarget<StructuredObject>({
  name: 'object',
  samples: () => ENCODED,
  mutations: JSON_MUTATIONS,
  // In canonical form again, where it is JSON: what an object must be is reached.
  repair: (input) => {
    try {
      return encodeCanonicalJson(parseJsonStrict(input));
    } catch {
      return input;
    }
  },
  read: decodeObject,
  check: (value, input) => {
    mustBeBytes(encodeObject(value), input, 'the object');
    mustBeBytes(encodeObject(parseObject(JSON.parse(new TextDecoder().decode(input)))), input, 'the object as a value');
    mustHold(objectId(value) === toHex(blake3(input)), 'the id of an object is another digest');
    for (const { id } of referencesOf(value)) mustHold(/^[0-9a-f]{64}$/.test(id), 'an object refers to what is no id');
  },
  errors: ['OBJECT_INVALID'],
});

/** An object as it was stored: its reference says what it must be. */
const stored = fuzzTarget({
  name: 'stored-object',
  samples: () =>
    ENCODED.map((bytes) => partsInput([utf8Encode(`${decodeObject(bytes).type} ${toHex(blake3(bytes))}`), bytes])),
  mutations: partMutations([TEXT_MUTATIONS, JSON_MUTATIONS]),
  repair: (input) => {
    const [name, bytes] = inputParts(input);
    const [type = ''] = inputText(name ?? new Uint8Array(0)).split(' ');
    return partsInput([utf8Encode(`${type} ${toHex(blake3(bytes ?? new Uint8Array(0)))}`), bytes ?? new Uint8Array(0)]);
  },
  read: (input) => {
    const [name = new Uint8Array(0), bytes = new Uint8Array(0)] = inputParts(input);
    const [type = '', id = ''] = inputText(name).split(' ');
    return { type, object: decodeStoredObject({ type: type as 'tree', id }, bytes) };
  },
  check: ({ type, object: found }) => mustHold(found.type === type, 'an object is of another type than asked for'),
  errors: ['OBJECT_CORRUPT'],
});

const child = fuzzTarget({
  name: 'tree-child',
  samples: () => CHILDREN.map((one) => encodeCanonicalJson(one)),
  mutations: JSON_MUTATIONS,
  read: (input) => parseChild(parseJsonStrict(input), 'child'),
  check: ({ child: value, text, bytes, name }) => {
    mustHold(bytes === Buffer.byteLength(text), 'a child has other bytes than it says');
    mustMean(JSON.parse(text), value, 'the child');
    mustBeBytes(nameBytesOf(value), name, 'its name');
    mustHold(value.type === 'entry' || !name.includes(0x2f), 'a name leads out of its folder');
  },
  errors: ['OBJECT_INVALID'],
});

const time = fuzzTarget({
  name: 'object-time',
  samples: () =>
    [TIME, '0001-01-01T00:00:00.000000000Z', '9999-12-31T23:59:59.999999999Z', '2024-02-29T12:00:00.000000001Z'].map(
      utf8Encode,
    ),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseObjectTime(inputText(input)),
  check: (nanoseconds, input) => {
    if (nanoseconds !== undefined) mustHold(formatObjectTime(nanoseconds) === inputText(input), 'a time has two texts');
  },
  errors: [],
});

/** Nodes of one folder; a link to node n has the id `fakeId(n)`, so that nodes can lie about each other. */
function nodesOfFolder(): readonly Uint8Array[] {
  const leaf = (...names: readonly string[]): unknown => ({
    type: 'tree',
    content: { entries: names.map((name, index) => file(name, index + 1)) },
  });
  const inner = (...links: readonly (readonly [first: string, node: number, count: number])[]): unknown => ({
    type: 'tree',
    content: { nodes: links.map(([first, node, count]) => ({ first, id: fakeId(node), count })) },
  });
  return [
    inner(['a', 1, 3], ['d', 2, 3]),
    inner(['a', 3, 2], ['c', 4, 1]),
    leaf('d', 'e', 'f'),
    leaf('a', 'b'),
    leaf('c'),
  ].map((one) => encodeObject(parseObject(one)));
}

async function readFolder(
  input: Uint8Array,
): Promise<{ readonly children: readonly TreeChild[]; readonly load: LoadObjects }> {
  const nodes = inputParts(input).map((part) => parseObject(parseJsonStrict(part)));
  const load: LoadObjects = async (references) => references.map(({ id }) => nodes[Number.parseInt(id, 16)]);
  const children: TreeChild[] = [];
  for await (const one of readTree(fakeId(0), load)) children.push(one);
  return { children, load };
}

const folderTree = fuzzTarget({
  name: 'tree-nodes',
  samples: () => [partsInput(nodesOfFolder())],
  mutations: partMutations([JSON_MUTATIONS]),
  read: readFolder,
  check: async ({ children, load }) => {
    const names = children.map(nameBytesOf);
    for (const [index, name] of names.entries()) {
      mustHold(
        index === 0 || compareBytes(names[index - 1] ?? name, name) < 0,
        'a folder shows names out of order, or twice',
      );
    }
    for (const one of children.slice(0, 8))
      mustEqual(await findChild(fakeId(0), nameBytesOf(one), load), one, 'a child that is looked up');
  },
  errors: ['OBJECT_INVALID', 'OBJECT_CORRUPT', 'OBJECT_MISSING'],
});

export const OBJECT_TARGETS: readonly FuzzTarget[] = [canonical, strict, object, stored, child, time, folderTree];
