import { describe, expect, it } from 'vitest';
import { fakeId, file, folder, ObjectMemory } from '../../test/support/object-memory.ts';
import { storeError } from '../errors/store-error.ts';
import { createBlobObject, createBundle, createSnapshot, createTree } from './edit-objects.ts';
import { typedKey } from './references.ts';
import type { ObjectReference } from './types.ts';
import { type Unreachable, walkReachable } from './walk-reachable.ts';

async function walk(memory: ObjectMemory, ...roots: ObjectReference[]) {
  const reached: string[] = [];
  const failures: Unreachable[] = [];
  memory.loads = [];
  await walkReachable(roots, memory.load, {
    reached: (found) => void reached.push(...found.map(({ reference }) => typedKey(reference))),
    failed: (failure) => void failures.push(failure),
  });
  expect(new Set(reached).size).toBe(reached.length);
  return {
    reached,
    failures: failures.map(
      ({ error, reference, referrer }) => `${error.code} ${typedKey(reference)} from ${referrer?.id}`,
    ),
  };
}

describe('walkReachable', () => {
  it('reaches everything once, and no raw blob is loaded', async () => {
    const memory = new ObjectMemory();
    const bundle = await memory.put(createBundle({ a: 1 }));
    const blob = await memory.put(createBlobObject({ id: fakeId(7), size: 1 }, { m: 1 }));
    const tree = await memory.put(createTree([file('x', 7), file('y', 8), { type: 'blob', name: 'b', id: blob }]));
    const root = await memory.put(createTree([folder('d', tree), folder('e', tree)]));
    const old = await memory.put(createSnapshot({ tree, bundles: [bundle] }));
    const snapshot = await memory.put(createSnapshot({ tree: root, bundles: [bundle], parent: old }));
    const { reached, failures } = await walk(memory, { type: 'snapshot', id: snapshot });
    expect(failures).toEqual([]);
    expect(reached.sort()).toEqual(
      [
        `snapshot:${snapshot}`,
        `snapshot:${old}`,
        `tree:${root}`,
        `tree:${tree}`,
        `bundle:${bundle}`,
        `blob:${blob}`,
        `raw:${fakeId(7)}`,
        `raw:${fakeId(8)}`,
      ].sort(),
    );
    expect(memory.loads).not.toContain(fakeId(7));
    expect((await walk(memory, { type: 'raw', id: fakeId(7) })).reached).toEqual([`raw:${fakeId(7)}`]);
    expect((await walk(memory)).reached).toEqual([]);
  });

  it('takes a diamond for what it is, not for a cycle', async () => {
    // A snapshot whose parent has the same parent as another of its parents: the predecessor called it a cycle.
    const memory = new ObjectMemory();
    const a = await memory.put(createSnapshot({ bundles: [] }));
    const b = await memory.put(createSnapshot({ bundles: [], parent: a }));
    const c = await memory.put(createSnapshot({ bundles: [], parent: b, merged: [a] }));
    expect((await walk(memory, { type: 'snapshot', id: c })).failures).toEqual([]);
  });

  it('goes through a chain of 10,000', async () => {
    const memory = new ObjectMemory();
    let id = await memory.put(createSnapshot({ bundles: [] }));
    for (let index = 1; index < 10_000; index += 1) id = await memory.put(createSnapshot({ bundles: [], parent: id }));
    expect((await walk(memory, { type: 'snapshot', id })).reached).toHaveLength(10_000);
  });

  it('ends even where a loader makes a cycle', async () => {
    const memory = new ObjectMemory();
    memory.objects.set(fakeId(1), createSnapshot({ bundles: [], parent: fakeId(2) }));
    memory.objects.set(fakeId(2), createSnapshot({ bundles: [], parent: fakeId(1) }));
    expect((await walk(memory, { type: 'snapshot', id: fakeId(1) })).reached).toHaveLength(2);
  });

  it('reports what is missing or corrupt with all who refer to it, and goes on', async () => {
    const memory = new ObjectMemory();
    const [missing, corrupt] = [fakeId(1), fakeId(2)];
    memory.objects.set(corrupt, storeError('OBJECT_CORRUPT', 'damaged', { details: { object: corrupt } }));
    const good = await memory.put(createTree([file('x', 9)]));
    const a = await memory.put(createTree([folder('c', corrupt), folder('g', good), folder('m', missing)]));
    const b = await memory.put(createTree([folder('m', missing), { type: 'bundle', name: 'w', id: good }]));
    const root = await memory.put(createSnapshot({ tree: a, entries: b, parent: missing }));
    const { reached, failures } = await walk(memory, { type: 'snapshot', id: root }, { type: 'tree', id: missing });
    expect(reached.some((key) => key.startsWith('raw:'))).toBe(true);
    expect(failures.sort()).toEqual(
      [
        `OBJECT_CORRUPT tree:${corrupt} from ${a}`,
        `OBJECT_CORRUPT bundle:${good} from ${b}`,
        `OBJECT_MISSING tree:${missing} from undefined`,
        `OBJECT_MISSING tree:${missing} from ${a}`,
        `OBJECT_MISSING tree:${missing} from ${b}`,
        `OBJECT_MISSING snapshot:${missing} from ${root}`,
      ].sort(),
    );
  });

  it('waits for the visitor, and ends with what it throws', async () => {
    const memory = new ObjectMemory();
    const id = await memory.put(createBundle({}));
    const visitor = { reached: () => Promise.reject(new Error('enough')) };
    await expect(walkReachable([{ type: 'bundle', id }], memory.load, visitor)).rejects.toThrow('enough');
    await expect(walkReachable([{ type: 'bundle', id }], () => Promise.reject(new Error('away')), {})).rejects.toThrow(
      'away',
    );
    await walkReachable(
      [
        { type: 'bundle', id },
        { type: 'bundle', id: fakeId(1) },
      ],
      memory.load,
      {},
    );
  });
});
