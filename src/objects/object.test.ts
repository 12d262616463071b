import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { fakeId, file, folder, sorted, TIME } from '../../test/support/object-memory.ts';
import { toBase64 } from '../bytes/base64.ts';
import { toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import type { StoreError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { TREE_NODE_NAMES_MAX } from '../limits.ts';
import {
  decodeObject,
  decodeStoredObject,
  encodeObject,
  objectId,
  parseBlobObject,
  parseBundle,
  parseObject,
  parseSnapshot,
  parseTree,
} from './object.ts';
import { referenceKey, referencesOf } from './references.ts';
import type { StructuredObject, TreeChild } from './types.ts';

const [A, B, C, D] = [1, 2, 3, 4].map(fakeId) as [string, string, string, string];

const ODD = toBase64(Uint8Array.of(0x62, 0xff));
const CHILDREN: readonly TreeChild[] = [
  { type: 'blob', name: 'a-blob', id: A },
  { type: 'bundle', name: 'bundle', id: B },
  {
    type: 'link',
    name: 'b\ufffd',
    nameBytes: ODD,
    target: '../\ufffd',
    targetBytes: toBase64(Uint8Array.of(46, 46, 47, 255)),
    mtime: TIME,
  },
  file('file', 1, { sparse: true, sameAs: 'x/y' }),
  folder('folder', C),
  {
    type: 'entry',
    name: 'key/with/../slashes',
    id: A,
    size: 0,
    version: D,
    contentType: 'text/plain',
    attributes: { 10: 'x', 9: 'y' },
    parent: 'k',
    modified: TIME,
  },
  { type: 'raw', name: 'raw', id: A },
  { type: 'snapshot', name: 'snapshot', id: D },
  { type: 'tree', name: 'tree', id: C },
];

const OBJECTS: readonly (readonly [string, StructuredObject])[] = [
  ['a bundle', { type: 'bundle', content: { b: [1, { 2: 'x', 10: 'y' }], a: null }, metadata: { m: true } }],
  ['an empty bundle', { type: 'bundle', content: {} }],
  ['a blob', { type: 'blob', content: { id: A, size: 3 }, metadata: { name: 'x' } }],
  ['an empty tree', { type: 'tree', content: { entries: [] } }],
  ['a tree of all kinds', { type: 'tree', content: { entries: CHILDREN }, metadata: { m: 1 } }],
  [
    'an inner node',
    {
      type: 'tree',
      content: {
        nodes: [
          { first: 'a', id: A, count: 2 },
          { first: 'b\ufffd', firstBytes: ODD, id: B, count: 1 },
        ],
      },
    },
  ],
  ['a snapshot of bundles', { type: 'snapshot', content: { bundles: [] } }],
  [
    'a snapshot of everything',
    {
      type: 'snapshot',
      content: { tree: A, rootMode: 0o755, rootMtime: TIME, entries: B, bundles: [A, A], parent: C, merged: [D] },
      metadata: { label: ['x'] },
    },
  ],
];

function copyOf(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}

describe('an object', () => {
  it.each(OBJECTS)('goes to bytes and comes back: %s', (_, object) => {
    const bytes = encodeObject(object);
    expect(decodeObject(bytes)).toEqual(object);
    expect(parseObject(copyOf(object))).toEqual(object);
    expect(objectId(object)).toBe(toHex(blake3(bytes)));
    expect(objectId(decodeObject(bytes))).toBe(objectId(object));
    expect(decodeStoredObject({ type: object.type, id: objectId(object) }, bytes)).toEqual(object);
  });

  it('has the id of its canonical text', () => {
    expect(utf8Decode(encodeObject({ type: 'bundle', content: { b: 1, a: 2 } }))).toBe(
      '{"content":{"a":2,"b":1},"type":"bundle"}',
    );
  });

  it('is copied, and frozen all through', () => {
    const input = copyOf({ type: 'bundle', content: { deep: { list: [1] } } });
    const object = parseBundle(input);
    (input.content as { deep: { list: number[] } }).deep.list.push(2);
    expect(object.content).toEqual({ deep: { list: [1] } });
    expect(() => (object.content as { deep: { list: number[] } }).deep.list.push(2)).toThrow(TypeError);
    expect(parseObject(object)).toBe(object);
  });

  it('is of one type', () => {
    const parsers = { blob: parseBlobObject, bundle: parseBundle, tree: parseTree, snapshot: parseSnapshot };
    for (const [, object] of OBJECTS) {
      for (const [type, parse] of Object.entries(parsers)) {
        const outcome = outcomeOf(() => parse(object));
        expect(outcome).toBe(type === object.type ? 'no error' : 'invalid/OBJECT_INVALID');
      }
    }
  });

  const entries = (...children: unknown[]) => ({ type: 'tree', content: { entries: children } });
  const nodes = (...links: unknown[]) => ({ type: 'tree', content: { nodes: links } });
  const snapshot = (content: unknown) => ({ type: 'snapshot', content });
  const entry = { type: 'entry', name: 'k', id: A, size: 1, version: A, modified: TIME };
  const link = { type: 'link', name: 'l', target: 't', mtime: TIME };
  const large = 'x'.repeat(4000);

  it.each<readonly [string, unknown, string]>([
    ['a list', [], 'object'],
    ['null', null, 'object'],
    ['no type', { content: {} }, 'object.type'],
    ['an unknown type', { type: 'commit', content: {} }, 'object.type'],
    ['the type toString', { type: 'toString', content: {} }, 'object.type'],
    ['no content', { type: 'bundle' }, 'object.content'],
    ['content that is a list', { type: 'bundle', content: [] }, 'object.content'],
    ['content that is text', { type: 'bundle', content: 'x' }, 'object.content'],
    ['a field too many', { type: 'bundle', content: {}, time: 1 }, 'object.time'],
    ['metadata that is a list', { type: 'bundle', content: {}, metadata: [] }, 'object.metadata'],
    ['empty metadata', { type: 'bundle', content: {}, metadata: {} }, 'object.metadata'],
    ['a blob without metadata', { type: 'blob', content: { id: A, size: 1 } }, 'object.metadata'],
    ['a blob without size', { type: 'blob', content: { id: A }, metadata: { a: 1 } }, 'object.content.size'],
    ['a negative size', { type: 'blob', content: { id: A, size: -1 }, metadata: { a: 1 } }, 'object.content.size'],
    [
      'upper-case hex',
      { type: 'blob', content: { id: 'A'.repeat(64), size: 1 }, metadata: { a: 1 } },
      'object.content.id',
    ],
    ['a tree of nothing', { type: 'tree', content: {} }, 'object.content'],
    ['a tree of both', { type: 'tree', content: { entries: [], nodes: [] } }, 'object.content'],
    ['a tree that is no list', { type: 'tree', content: { entries: {} } }, 'object.content.entries'],
    ['no nodes', nodes(), 'object.content.nodes'],
    ['an empty node', nodes({ first: 'a', id: A, count: 0 }), 'object.content.nodes[0].count'],
    [
      'needless bytes',
      nodes({ first: 'a', firstBytes: 'YQ==', id: A, count: 1 }),
      'object.content.nodes[0].firstBytes',
    ],
    [
      'nodes out of order',
      nodes({ first: 'b', id: A, count: 1 }, { first: 'a', id: A, count: 1 }),
      'object.content.nodes[1]',
    ],
    ['an unknown child', entries({ type: 'socket', name: 'a' }), 'object.content.entries[0].type'],
    ['a child that is text', entries('a'), 'object.content.entries[0]'],
    ['a mode too large', entries(file('a'), file('b', 1, { mode: 0o10000 })), 'object.content.entries[1].mode'],
    ['a fraction', entries(file('a', 1, { size: 0.5 })), 'object.content.entries[0].size'],
    ['an inode', entries({ ...file('a'), inode: 1 }), 'object.content.entries[0].inode'],
    ['sparse: false', entries({ ...file('a'), sparse: false }), 'object.content.entries[0].sparse'],
    ['a child without id', entries({ type: 'tree', name: 'a' }), 'object.content.entries[0].id'],
    ['children out of order', entries(file('b'), file('a')), 'object.content.entries[1]'],
    ['a name twice', entries(file('a'), folder('a', A)), 'object.content.entries[1]'],
    ['UTF-16 order', entries(file('\u{1f600}'), file('\uffff')), 'object.content.entries[1]'],
    ['an empty name', entries(file('')), 'object.content.entries[0].name'],
    ['the name .', entries(file('.')), 'object.content.entries[0].name'],
    ['the name ..', entries(folder('..', A)), 'object.content.entries[0].name'],
    ['a path for a name', entries(file('a/b')), 'object.content.entries[0].name'],
    [
      'a path for the name of a reference',
      entries({ type: 'blob', name: '/etc', id: A }),
      'object.content.entries[0].name',
    ],
    ['a zero byte', entries(file('a\0')), 'object.content.entries[0].name'],
    ['a long name', entries(file('x'.repeat(4097))), 'object.content.entries[0].name'],
    ['other bytes than the name', entries(file('a', 1, { nameBytes: ODD })), 'object.content.entries[0].nameBytes'],
    [
      'bytes that are a path',
      entries(file('/\ufffd', 1, { nameBytes: toBase64(Uint8Array.of(0x2f, 255)) })),
      'object.content.entries[0].name',
    ],
    [
      'bytes that are no base64',
      entries(file('b\ufffd', 1, { nameBytes: 'Yv8' })),
      'object.content.entries[0].nameBytes',
    ],
    ['nameBytes of an entry', entries({ ...entry, nameBytes: ODD }), 'object.content.entries[0].nameBytes'],
    ['a path out', entries(file('a', 1, { sameAs: 'x/../../y' })), 'object.content.entries[0].sameAs'],
    ['an absolute path', entries(file('a', 1, { sameAs: '/y' })), 'object.content.entries[0].sameAs'],
    ['bytes without text', entries(file('a', 1, { sameAsBytes: ODD })), 'object.content.entries[0].sameAs'],
    ['an empty link', entries({ ...link, target: '' }), 'object.content.entries[0].target'],
    ['a link with a zero byte', entries({ ...link, target: 'a\0' }), 'object.content.entries[0].target'],
    ['a long key', entries({ ...entry, name: 'x'.repeat(1025) }), 'object.content.entries[0].name'],
    ['a number as attribute', entries({ ...entry, attributes: { a: 1 } }), 'object.content.entries[0].attributes'],
    ['an empty parent', entries({ ...entry, parent: '' }), 'object.content.entries[0].parent'],
    [
      'too many names',
      entries(...Array.from({ length: TREE_NODE_NAMES_MAX + 1 }, (_, i) => file(String(10_000 + i)))),
      'object.content.entries',
    ],
    [
      'too many bytes',
      entries(...Array.from({ length: 270 }, (_, i) => file(`${1000 + i}${large}`))),
      'object.content',
    ],
    ['a snapshot of nothing', snapshot({ parent: A }), 'object.content'],
    ['a mode without folder', snapshot({ bundles: [], rootMode: 1 }), 'object.content'],
    ['bundles that are no ids', snapshot({ bundles: [A, 'x'] }), 'object.content.bundles'],
    ['no further parents', snapshot({ bundles: [], parent: A, merged: [] }), 'object.content.merged'],
    ['further parents alone', snapshot({ bundles: [], merged: [A] }), 'object.content.merged'],
    ['a parent twice', snapshot({ bundles: [], parent: A, merged: [A] }), 'object.content.merged'],
    ['a time in a snapshot', snapshot({ bundles: [], created: TIME }), 'object.content.created'],
  ])('refuses %s', (_, value, field) => {
    for (const call of [
      () => parseObject(value),
      () => encodeObject(value as StructuredObject),
      () => decodeObject(utf8Encode(canonical(value))),
    ]) {
      expect(outcomeOf(call)).toBe('invalid/OBJECT_INVALID');
      expect((caught(call) as StoreError).details.field).toBe(field);
    }
  });

  it.each([
    '2026-11-21T20:00:00Z',
    '2026-11-21T20:00:00.123Z',
    '2026-11-21T20:00:00.123456789+00:00',
    '2026-02-29T00:00:00.000000000Z',
    '2026-13-01T00:00:00.000000000Z',
    '2026-01-01T24:00:00.000000000Z',
    '2026-01-01T00:00:60.000000000Z',
    '0000-01-01T00:00:00.000000000Z',
    '',
  ])('refuses the time %j', (mtime) => {
    expect(outcomeOf(() => parseObject(entries(file('a', 1, { mtime }))))).toBe('invalid/OBJECT_INVALID');
  });
});

/** As `encodeObject` would spell what is none. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

describe('decodeStoredObject', () => {
  const bundle: StructuredObject = { type: 'bundle', content: { a: 1 } };
  const bytes = encodeObject(bundle);
  const idOf = (one: Uint8Array) => toHex(blake3(one));

  it.each<readonly [string, string, Uint8Array]>([
    ['a flipped bit', objectId(bundle), bytes.map((byte, index) => (index === 5 ? byte ^ 1 : byte))],
    ['a cut', objectId(bundle), bytes.subarray(1)],
    ['white space, which the predecessor did not see', objectId(bundle), utf8Encode(` ${utf8Decode(bytes)}`)],
    ['what has the digest and is no object', idOf(utf8Encode('{}')), utf8Encode('{}')],
    [
      'what has the digest and another spelling',
      idOf(utf8Encode(` ${utf8Decode(bytes)}`)),
      utf8Encode(` ${utf8Decode(bytes)}`),
    ],
  ])('finds %s', (_, id, stored) => {
    const error = caught(() => decodeStoredObject({ type: 'bundle', id }, stored)) as StoreError;
    expect([error.kind, error.code, error.details.object]).toEqual(['corrupt', 'OBJECT_CORRUPT', id]);
  });

  it('finds another type than was asked for', () => {
    const id = objectId(bundle);
    expect(outcomeOf(() => decodeStoredObject({ type: 'tree', id }, bytes))).toBe('corrupt/OBJECT_CORRUPT');
    expect(outcomeOf(() => decodeObject('x' as never))).toBe('TypeError');
  });
});

describe('referencesOf', () => {
  it.each<readonly [string, StructuredObject, readonly string[]]>([
    ['a bundle, whatever it holds', { type: 'bundle', content: { id: A, type: 'tree' } }, []],
    ['a blob', { type: 'blob', content: { id: A, size: 1 }, metadata: { a: 1 } }, ['raw 1']],
    [
      'a tree',
      { type: 'tree', content: { entries: CHILDREN } },
      ['blob 1', 'bundle 2', 'raw 1', 'tree 3', 'snapshot 4'],
    ],
    [
      'an inner node',
      {
        type: 'tree',
        content: {
          nodes: [
            { first: 'a', id: A, count: 1 },
            { first: 'b', id: B, count: 1 },
          ],
        },
      },
      ['tree 1', 'tree 2'],
    ],
    [
      'a snapshot',
      { type: 'snapshot', content: { tree: A, entries: A, bundles: [C, B, C], parent: D, merged: [A] } },
      ['tree 1', 'bundle 3', 'bundle 2', 'snapshot 4', 'snapshot 1'],
    ],
  ])('lists those of %s in order, each once', (_, object, expected) => {
    const found = referencesOf(parseObject(object)).map(({ type, id }) => `${type} ${Number.parseInt(id, 16)}`);
    expect(found).toEqual(expected);
  });
});

describe('referenceKey', () => {
  it('is one for all references to one object, and two for raw and structured ones', () => {
    const keys = (['raw', 'blob', 'tree'] as const).map((type) => referenceKey({ type, id: A }));
    expect(new Set(keys).size).toBe(2);
    expect(keys[1]).toBe(keys[2]);
  });
});

describe('the order of children', () => {
  it('is that of the bytes of their names', () => {
    const names = ['\u{1f600}', '\uffff', 'a', 'B', 'é', 'ab', 'a!'];
    const tree = parseTree({ type: 'tree', content: { entries: sorted(names.map((name) => file(name))) } });
    const order = 'entries' in tree.content ? tree.content.entries.map(({ name }) => name) : [];
    expect(order).toEqual(['B', 'a', 'a!', 'ab', 'é', '\uffff', '\u{1f600}']);
  });
});
