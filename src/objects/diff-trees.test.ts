import { describe, expect, it } from 'vitest';
import { collect, fakeId, file, folder, ObjectMemory, sorted, TIME } from '../../test/support/object-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { buildTree } from './build-tree.ts';
import { diffTrees, type TreeChange } from './diff-trees.ts';
import { createTree } from './edit-objects.ts';
import { formatTreePath } from './tree-name.ts';
import type { TreeChild } from './types.ts';

const LATER = '2026-11-22T00:00:00.000000000Z';

function short(change: TreeChange): string {
  const sign = { added: '+', removed: '-', changed: '~', type: '!' }[change.kind];
  const fields =
    change.kind === 'changed' ? ` ${change.fields.join(',')}${change.metadataOnly ? ' (metadata)' : ''}` : '';
  return `${sign} ${formatTreePath(change.path)}${fields}`;
}

async function diff(memory: ObjectMemory, a: string | undefined, b: string | undefined): Promise<string[]> {
  memory.loads = [];
  return (await collect(diffTrees(a, b, memory.load))).map(short);
}

describe('diffTrees', () => {
  it('lists what differs in order, folders before what is in them', async () => {
    const memory = new ObjectMemory();
    const put = (...children: TreeChild[]) => memory.put(createTree(children));
    const same = await put(file('x'));
    const before = await put(
      file('a'),
      file('b'),
      file('c'),
      folder('d', await put(file('1'), file('2'))),
      folder('e', await put(file('1'), folder('2', await put(file('3'))))),
      folder('same', same),
      { type: 'link', name: 'l', target: 'a', mtime: TIME },
      { type: 'snapshot', name: 's', id: fakeId(1) },
      folder('gone', await put(folder('in', same))),
    );
    const after = await put(
      file('a', 2),
      file('b', 1, { mode: 0o600 }),
      file('c', 1, { mtime: LATER, sparse: true }),
      folder('d', await put(file('1', 2), file('0')), { mode: 0o700 }),
      file('e'),
      folder('same', same, { mtime: LATER }),
      { type: 'link', name: 'l', target: 'b', mtime: TIME },
      { type: 'snapshot', name: 's', id: fakeId(2) },
      folder('new', await put(file('1'))),
    );
    expect(await diff(memory, before, after)).toEqual([
      '~ a id,size',
      '~ b mode (metadata)',
      '~ c mtime,sparse (metadata)',
      '~ d mode (metadata)',
      '+ d/0',
      '~ d/1 id,size',
      '- d/2',
      '! e',
      '- e/1',
      '- e/2',
      '- e/2/3',
      '- gone',
      '- gone/in',
      '- gone/in/x',
      '~ l target',
      '+ new',
      '+ new/1',
      '~ s id',
      '~ same mtime (metadata)',
    ]);
    expect(memory.loads.filter((id) => id === same)).toHaveLength(1);
    expect(await diff(memory, after, after)).toEqual([]);
    expect(memory.loads).toEqual([]);
    expect(await diff(memory, undefined, same)).toEqual(['+ x']);
    expect(await diff(memory, same, undefined)).toEqual(['- x']);
    expect(await diff(memory, undefined, undefined)).toEqual([]);
  });

  it('sees metadata of trees', async () => {
    const memory = new ObjectMemory();
    const [plain, marked] = [await memory.put(createTree([])), await memory.put(createTree([], { m: 1 }))];
    expect(await diff(memory, plain, marked)).toEqual(['~  metadata (metadata)']);
    const [a, b] = await Promise.all([plain, marked].map((id) => memory.put(createTree([folder('f', id)]))));
    expect(await diff(memory, a, b)).toEqual(['~ f metadata (metadata)']);
  });

  it('skips equal nodes of large folders', async () => {
    const memory = new ObjectMemory();
    const children = Array.from({ length: 30_000 }, (_, index) => file(String(100_000 + index), index));
    const a = await buildTree(children, memory.put);
    const b = await buildTree(children.toSpliced(15_000, 1), memory.put);
    const total = memory.objects.size;
    expect(total).toBeGreaterThan(15);
    expect(await diff(memory, a, b)).toEqual([`- ${115_000}`]);
    expect(memory.loads.length).toBeLessThanOrEqual(8);
  });

  it('agrees with comparing maps, for folders of any size', async () => {
    const random = seededRandom(11);
    for (const [size, changes] of [
      [30, 5],
      [5000, 40],
      [9000, 3],
      [4200, 300],
    ] as const) {
      const before = new Map(Array.from({ length: size }, () => [String(random.integer(1e6)), 1]));
      const after = new Map(before);
      for (let index = 0; index < changes; index += 1) {
        const name = [...after.keys()][random.integer(after.size)] ?? '';
        if (random.integer(3) === 0) after.delete(name);
        else if (random.integer(2) === 0) after.set(name, 2);
        else after.set(String(random.integer(1e6)), 3);
      }
      const names = [...new Set([...before.keys(), ...after.keys()])].sort();
      const expected = names.flatMap((name) => {
        if (!after.has(name)) return [`- ${name}`];
        if (!before.has(name)) return [`+ ${name}`];
        return before.get(name) === after.get(name) ? [] : [`~ ${name} id,size`];
      });
      const memory = new ObjectMemory();
      const ids = await Promise.all(
        [before, after].map((map) => buildTree(sorted([...map].map(([name, id]) => file(name, id))), memory.put)),
      );
      expect(await diff(memory, ids[0], ids[1]), `${size} names`).toEqual(expected);
    }
  });

  it('goes down 3,000 folders, and stops when nobody asks for more', async () => {
    const memory = new ObjectMemory();
    let [a, b] = [await memory.put(createTree([file('f', 1)])), await memory.put(createTree([file('f', 2)]))];
    for (let depth = 0; depth < 3000; depth += 1) {
      [a, b] = (await Promise.all([a, b].map((id) => memory.put(createTree([folder('d', id)]))))) as [string, string];
    }
    const found = await collect(diffTrees(a, b, memory.load));
    expect(found.map(({ path }) => path.length)).toEqual([3001]);
    memory.loads = [];
    for await (const change of diffTrees(undefined, a, memory.load)) {
      expect(change.path).toHaveLength(1);
      break;
    }
    expect(memory.loads.length).toBeLessThanOrEqual(3);
  });

  it('says what is missing', async () => {
    const memory = new ObjectMemory();
    const id = await memory.put(createTree([folder('d', fakeId(5))]));
    await expect(diff(memory, undefined, id)).rejects.toMatchObject({ kind: 'corrupt', code: 'OBJECT_MISSING' });
  });
});
