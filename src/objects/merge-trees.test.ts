import { describe, expect, it } from 'vitest';
import { collect, fakeId, file, folder, ObjectMemory, sorted, TIME } from '../../test/support/object-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { buildTree } from './build-tree.ts';
import { createTree } from './edit-objects.ts';
import { mergeChild } from './merge-children.ts';
import { mergeTrees } from './merge-trees.ts';
import { readTree, walkPath } from './read-tree.ts';
import { formatTreePath } from './tree-name.ts';
import type { EntryChild, LinkChild, TreeChild } from './types.ts';

const LATER = '2026-11-22T00:00:00.000000000Z';
const LATEST = '2026-11-23T00:00:00.000000000Z';
const link = (target: string, mtime = TIME): LinkChild => ({ type: 'link', name: 'f', target, mtime });
const entry = (version: number, modified = TIME): EntryChild => {
  return { type: 'entry', name: 'f', id: fakeId(version), size: 1, version: fakeId(version), modified };
};
const f = (id: number, more = {}) => file('f', id, more);

describe('mergeChild', () => {
  it.each<readonly [string, (TreeChild | undefined)[], TreeChild | undefined, string[]]>([
    ['nothing changed', [f(1), f(1), f(1)], f(1), []],
    ['ours changed', [f(1), f(2), f(1)], f(2), []],
    ['theirs changed', [f(1), f(1), f(2)], f(2), []],
    ['both alike', [f(1), f(2), f(2)], f(2), []],
    ['ours removed', [f(1), undefined, f(1)], undefined, []],
    ['both removed', [f(1), undefined, undefined], undefined, []],
    ['theirs added', [undefined, undefined, f(1)], f(1), []],
    ['both added the same', [undefined, f(1), f(1)], f(1), []],
    ['both added', [undefined, f(1), f(2)], f(1), ['added']],
    ['both added, of two types', [undefined, f(1), link('a')], f(1), ['added']],
    ['both changed', [f(1), f(2), f(3)], f(2), ['content']],
    ['ours removed, theirs changed', [f(1), undefined, f(2)], f(2), ['removed']],
    ['theirs removed, ours changed', [f(1), f(2), undefined], f(2), ['removed']],
    ['into two types', [f(1), link('a'), folder('f', fakeId(1))], link('a'), ['type']],
    [
      'ours the mode, theirs the content',
      [f(1), f(1, { mode: 1 }), f(2, { mtime: LATER })],
      f(2, { mode: 1, mtime: LATER }),
      [],
    ],
    ['both the mode', [f(1), f(1, { mode: 1 }), f(1, { mode: 2 })], f(1, { mode: 1 }), ['mode']],
    [
      'both the mode and the content',
      [f(1), f(2, { mode: 1 }), f(3, { mode: 2 })],
      f(2, { mode: 1 }),
      ['content', 'mode'],
    ],
    ['both the time', [f(1), f(1, { mtime: LATER }), f(1, { mtime: LATEST })], f(1, { mtime: LATEST }), []],
    ['links', [link('a'), link('b'), link('a', LATER)], link('b', LATER), []],
    ['links, both', [link('a'), link('b'), link('c')], link('b'), ['content']],
    ['entries, both', [entry(1), entry(2), entry(3)], entry(2), ['content']],
    ['entries, both alike at two times', [entry(1), entry(2, LATEST), entry(2, LATER)], entry(2, LATEST), []],
  ])('%s', (_, [base, ours, theirs], expected, reasons) => {
    const merged = mergeChild({ base, ours, theirs });
    expect([merged.child, merged.reasons]).toEqual([expected, reasons]);
  });
});

async function listed(memory: ObjectMemory, id: string, path = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const child of await collect(readTree(id, memory.load))) {
    if (child.type === 'folder')
      lines.push(
        `${path}${child.name}/ ${child.mode.toString(8)}`,
        ...(await listed(memory, child.id, `${path}${child.name}/`)),
      );
    else lines.push(`${path}${child.name} ${child.type === 'file' ? child.size : child.type}`);
  }
  return lines;
}

describe('mergeTrees', () => {
  const setUp = () => {
    const memory = new ObjectMemory();
    const put = (...children: TreeChild[]) => memory.put(createTree(children));
    const merge = async (base: string | undefined, ours: string | undefined, theirs: string | undefined) => {
      memory.loads = [];
      const { id, conflicts } = await mergeTrees({ base, ours, theirs }, memory.load, memory.put);
      return { id, conflicts: conflicts.map(({ path, reason }) => `${formatTreePath(path)} ${reason}`) };
    };
    return { memory, put, merge };
  };

  it('brings together what two sides changed in different places, folders in folders', async () => {
    const { memory, put, merge } = setUp();
    const untouched = await put(file('x'));
    const base = await put(file('a', 1), folder('d', await put(file('1', 1), file('2', 1))), folder('u', untouched));
    const ours = await put(
      file('a', 2),
      folder('d', await put(file('1', 2), file('2', 1)), { mode: 0o700 }),
      folder('u', untouched),
    );
    const theirs = await put(
      file('a', 1),
      folder('d', await put(file('1', 1), file('3', 3))),
      folder('u', untouched),
      file('new', 9),
    );
    const { id, conflicts } = await merge(base, ours, theirs);
    expect(conflicts).toEqual([]);
    expect(memory.loads).not.toContain(untouched);
    expect(await listed(memory, id)).toEqual(['a 2', 'd/ 700', 'd/1 2', 'd/3 3', 'new 9', 'u/ 755', 'u/x 1']);
    expect((await merge(base, theirs, ours)).id).toBe(id);
  });

  it('takes a side whole where the other did nothing, and loads nothing for it', async () => {
    const { memory, put, merge } = setUp();
    const [a, b] = [await put(file('a')), await put(file('b'))];
    expect(await merge(a, b, a)).toEqual({ id: b, conflicts: [] });
    expect(await merge(a, a, b)).toEqual({ id: b, conflicts: [] });
    expect(await merge(a, b, b)).toEqual({ id: b, conflicts: [] });
    expect(await merge(undefined, b, undefined)).toEqual({ id: b, conflicts: [] });
    expect(memory.loads).toEqual([]);
    const empty = await put();
    expect((await merge(a, undefined, a)).id).toBe(empty);
    expect((await merge(undefined, undefined, undefined)).id).toBe(empty);
  });

  it('lists conflicts with their paths and keeps what only one side has', async () => {
    const { memory, put, merge } = setUp();
    const base = await put(
      file('both', 1),
      folder('gone', await put(file('x', 1))),
      folder('d', await put(file('f', 1))),
    );
    const ours = await put(
      file('both', 2),
      folder('d', await put(file('f', 2))),
      folder('added', await put(file('o', 1))),
    );
    const theirs = await put(
      file('both', 3),
      folder('gone', await put(file('x', 1), file('y', 2))),
      folder('d', await put(file('f', 3))),
      folder('added', await put(file('o', 2), file('t', 1))),
    );
    const merged = await mergeTrees({ base, ours, theirs }, memory.load, memory.put);
    expect(merged.conflicts).toEqual([
      { path: [{ name: 'added' }, { name: 'o' }], reason: 'added', ours: file('o', 1), theirs: file('o', 2) },
      {
        path: [{ name: 'both' }],
        reason: 'content',
        base: file('both', 1),
        ours: file('both', 2),
        theirs: file('both', 3),
      },
      expect.objectContaining({ path: [{ name: 'd' }, { name: 'f' }], reason: 'content' }),
      expect.objectContaining({ path: [{ name: 'gone' }], reason: 'removed' }),
    ]);
    expect(await listed(memory, merged.id)).toEqual([
      'added/ 755',
      'added/o 1',
      'added/t 1',
      'both 2',
      'd/ 755',
      'd/f 2',
      'gone/ 755',
      'gone/x 1',
      'gone/y 2',
    ]);
    expect((await merge(base, ours, theirs)).id).toBe(merged.id);
  });

  it('keeps metadata of trees, and says when both changed it', async () => {
    const { memory, merge } = setUp();
    const put = (m: number, name: string) => memory.put(createTree([file('a'), file(name)], { m }));
    const ids = [await put(1, 'b'), await put(1, 'c'), await put(2, 'd')] as const;
    const first = await merge(...ids);
    expect([memory.objects.get(first.id), first.conflicts]).toEqual([
      createTree([file('a'), file('c'), file('d')], { m: 2 }),
      [],
    ]);
    const second = await merge(ids[0], await put(3, 'b'), ids[2]);
    expect(second.conflicts).toEqual([' metadata']);
    expect(memory.objects.get(second.id)).toMatchObject({ metadata: { m: 3 } });
  });

  it('merges large folders, as maps would', async () => {
    const random = seededRandom(21);
    const { memory, merge } = setUp();
    const base = new Map(Array.from({ length: 6000 }, (_, index) => [String(100_000 + 3 * index), 1]));
    const change = (mark: number) => {
      const map = new Map(base);
      for (let index = 0; index < 200; index += 1) {
        const name = String(100_000 + 6 * random.integer(3000) + (mark === 2 ? 0 : 3));
        if (random.integer(2) === 0) map.delete(name);
        else map.set(`${name}`, mark);
        map.set(`${name}x${mark}`, mark);
      }
      return map;
    };
    const [ours, theirs] = [change(2), change(3)];
    const expected = new Map(base);
    for (const side of [ours, theirs]) {
      for (const name of base.keys()) if (!side.has(name)) expected.delete(name);
      for (const [name, value] of side) if (base.get(name) !== value) expected.set(name, value);
    }
    const build = (map: Map<string, number>) =>
      buildTree(sorted([...map].map(([name, id]) => file(name, id))), memory.put);
    const [b, o, t] = [await build(base), await build(ours), await build(theirs)];
    expect(await merge(b, o, t)).toEqual({ id: await build(expected), conflicts: [] });
  });

  it('goes down 2,000 folders', async () => {
    const { memory, put, merge } = setUp();
    let ids = await Promise.all(
      [['a'], ['a', 'b'], ['a', 'c']].map((names) => put(...names.map((name) => file(name)))),
    );
    for (let depth = 0; depth < 2000; depth += 1) ids = await Promise.all(ids.map((id) => put(folder('d', id))));
    const { id, conflicts } = await merge(ids[0], ids[1], ids[2]);
    expect(conflicts).toEqual([]);
    const path = Array.from({ length: 2000 }, () => 'd');
    for (const name of ['a', 'b', 'c']) expect(await walkPath(id, [...path, name], memory.load)).toEqual(file(name));
  });

  it('says what is missing, and hands on what put throws', async () => {
    const { memory, put } = setUp();
    const [a, b] = [await put(file('a')), await put(file('b'))];
    await expect(mergeTrees({ base: fakeId(1), ours: a, theirs: b }, memory.load, memory.put)).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    });
    const full = () => Promise.reject(new Error('full'));
    await expect(mergeTrees({ base: undefined, ours: a, theirs: b }, memory.load, full)).rejects.toThrow('full');
  });
});
