import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { fakeId, file, TIME } from '../../test/support/object-memory.ts';
import {
  createBlobObject,
  createBundle,
  createSnapshot,
  createTree,
  withBundles,
  withChild,
  withoutChild,
  withParent,
} from './edit-objects.ts';
import { objectId, parseTree } from './object.ts';
import { formatObjectTime, parseObjectTime } from './object-time.ts';
import type { SnapshotObject, TreeObject } from './types.ts';

const [A, B, C] = [1, 2, 3].map(fakeId) as [string, string, string];

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

describe('making objects', () => {
  it('gives equal objects equal ids, whatever the order of names', () => {
    expect(objectId(createBundle({ a: 1, b: 2 }))).toBe(objectId(createBundle({ b: 2, a: 1 })));
    expect(objectId(createBundle({ a: 1 }, {}))).toBe(objectId(createBundle({ a: 1 })));
    expect(objectId(createBundle({ a: 1 }, { a: 1 }))).not.toBe(objectId(createBundle({ a: 1 })));
    expect(objectId(createTree([file('a'), file('b')]))).toBe(objectId(createTree([file('b'), file('a')])));
    const [ab, ba] = [createSnapshot({ bundles: [A, B] }), createSnapshot({ bundles: [B, A] })];
    expect(objectId(ab)).not.toBe(objectId(ba));
    expect(createBlobObject({ id: A, size: 1 }, { m: 1 }).metadata).toEqual({ m: 1 });
  });

  it('keeps nothing of what it was given', () => {
    const content = { list: [{ deep: 1 }] };
    const metadata = { names: { a: 'x' } };
    const bundle = createBundle(content, metadata);
    const id = objectId(bundle);
    (content.list[0] as { deep: number }).deep = 2;
    metadata.names.a = 'y';
    expect(bundle).toEqual({ type: 'bundle', content: { list: [{ deep: 1 }] }, metadata: { names: { a: 'x' } } });
    expect(objectId(bundle)).toBe(id);
  });

  it('refuses what is no object of its type', () => {
    for (const call of [
      () => createBundle([] as never),
      () => createBundle({ a: undefined } as never),
      () => createBundle({}, [] as never),
      () => createBlobObject({ id: A, size: 1 }, {}),
      () => createTree([file('a'), file('a')]),
      () => createSnapshot({}),
      () => createSnapshot({ bundles: undefined }),
      () => withBundles(createSnapshot({ bundles: [] }), ['x']),
      () => withParent(createSnapshot({ bundles: [] }), 'latest'),
      () => withChild(parseTree({ type: 'tree', content: { nodes: [{ first: 'a', id: A, count: 1 }] } }), file('a')),
    ]) {
      expect(outcomeOf(call)).toBe('invalid/OBJECT_INVALID');
    }
  });
});

describe('new objects from old ones', () => {
  const tree: TreeObject = {
    type: 'tree',
    content: { entries: [file('a'), file('c')] },
    metadata: { names: { a: ['x'] } },
  };
  const snapshot: SnapshotObject = {
    type: 'snapshot',
    content: { bundles: [A], parent: B, merged: [C] },
    metadata: { nested: { list: [1] } },
  };

  it.each<readonly [string, () => unknown, unknown]>([
    ['withParent', () => withParent(snapshot, A), { ...snapshot, content: { bundles: [A], parent: A, merged: [C] } }],
    [
      'withBundles',
      () => withBundles(snapshot, [C, A]),
      { ...snapshot, content: { ...snapshot.content, bundles: [A, C, A] } },
    ],
    [
      'withChild',
      () => withChild(tree, file('b')),
      { ...tree, content: { entries: [file('a'), file('b'), file('c')] } },
    ],
    [
      'withChild over another',
      () => withChild(tree, file('a', 9)),
      { ...tree, content: { entries: [file('a', 9), file('c')] } },
    ],
    ['withoutChild', () => withoutChild(tree, 'a'), { ...tree, content: { entries: [file('c')] } }],
    ['withoutChild of none', () => withoutChild(tree, 'b'), tree],
  ])('%s gives a new one and leaves the old as it was', (_, make, expected) => {
    const before = JSON.stringify([tree, snapshot]);
    const made = make();
    expect(made).toEqual(expected);
    // The predecessor shared nested maps: a change of the new one was a change of the old.
    expect(() => Object.assign((made as { metadata: { nested?: object; names?: object } }).metadata, { a: 1 })).toThrow(
      TypeError,
    );
    expect(
      () =>
        (make() as { content: { entries?: unknown[]; bundles?: unknown[] } }).content.entries?.push(1) ??
        Object.assign(made as object, { a: 1 }),
    ).toThrow(TypeError);
    expect(JSON.stringify([tree, snapshot])).toBe(before);
  });

  it('take frozen ones, and ones that change afterwards', () => {
    const frozen = deepFreeze(structuredClone(tree));
    expect(withoutChild(withChild(frozen, file('b')), 'b')).toEqual(frozen);
    const open = structuredClone(tree) as unknown as { metadata: { names: { a: string[] } } };
    const made = withChild(open as never, file('b'));
    open.metadata.names.a.push('y');
    expect(made.metadata).toEqual({ names: { a: ['x'] } });
  });

  it('name children by bytes where they must', () => {
    const odd = file('x\ufffd', 1, { nameBytes: 'eP8=' });
    const made = withChild(tree, odd);
    expect(withoutChild(made, 'x\ufffd')).toEqual(made);
    expect(withoutChild(made, Uint8Array.of(0x78, 0xff))).toEqual(tree);
  });

  it('lose a parent, and get bundles they had none of', () => {
    expect(withParent(createSnapshot({ tree: A, parent: B }), undefined).content).toEqual({ tree: A });
    expect(withBundles(createSnapshot({ tree: A }), [B]).content).toEqual({ tree: A, bundles: [B] });
  });
});

describe('times', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [1_795_291_200_123_456_789n, TIME],
    [-62_135_596_800_000_000_000n, '0001-01-01T00:00:00.000000000Z'],
    [253_402_300_799_999_999_999n, '9999-12-31T23:59:59.999999999Z'],
    [1_709_164_800_000_000_001n, '2024-02-29T00:00:00.000000001Z'],
  ])('are spelt and read to the nanosecond: %s', (nanoseconds, text) => {
    expect(formatObjectTime(nanoseconds)).toBe(text);
    expect(parseObjectTime(text)).toBe(nanoseconds);
  });

  it('end where years have four digits', () => {
    expect(() => formatObjectTime(253_402_300_800_000_000_000n)).toThrow(RangeError);
    expect(() => formatObjectTime(-62_135_596_800_000_000_001n)).toThrow(RangeError);
    expect(parseObjectTime('2026-02-30T00:00:00.000000000Z')).toBeUndefined();
  });
});
