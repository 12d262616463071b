import { afterEach, describe, expect, it } from 'vitest';
import { type CollectedStore, collectedStore, expectRebuiltAlike } from '../support/collected-store.ts';
import { KINDS } from '../support/living-store.ts';

const AT_ONCE = { graceMs: 0 } as const;

describe.each(KINDS)('collecting objects of a $kind store', ({ keys }) => {
  let living: CollectedStore;
  const open = async (): Promise<CollectedStore> => {
    living = await collectedStore(keys);
    return living;
  };
  afterEach(() => living.store.close());

  it('takes a chain of snapshots in one collection, and keeps what another one shares', async () => {
    const { store, metadata } = await open();
    let parent: string | undefined;
    for (let round = 1; round <= 12; round += 1) {
      await store.put('docs/a.txt', `version ${round} ${'a'.repeat(20_000)}`);
      await store.put('docs/same.txt', 'b'.repeat(30_000));
      const made = await store.snapshots.create({ prefix: 'docs/' }, { ref: 'chain', ...(parent && { parent }) });
      parent = made.id;
    }
    await store.snapshots.create({ prefix: 'docs/' }, { ref: 'kept' });
    await store.delete('docs/a.txt');
    await store.delete('docs/same.txt');
    await store.refs.delete('chain');
    const { objects } = await metadata.counters();
    expect(await store.maintenance.gc(AT_ONCE)).toMatchObject({ objectsRemoved: 0 });
    const moves: number[] = [];
    for await (const { number } of store.refs.history('chain')) moves.push(number);
    await store.refs.forget('chain', moves);
    expect(await store.maintenance.gc()).toMatchObject({ objectsRemoved: 0, objectsInGrace: 1 });
    const report = await store.maintenance.gc(AT_ONCE);
    expect(report).toMatchObject({ outcome: 'ok', objectsInGrace: 0, problems: [] });
    expect(report.objectsRemoved).toBeGreaterThanOrEqual(23);
    expect((await metadata.counters()).objects).toBe(objects - report.objectsRemoved);
    await store.snapshots.thaw('kept');
    expect(Buffer.from(await store.get('docs/a.txt')).toString()).toContain('version 12');
    expect(Buffer.from(await store.get('docs/same.txt')).toString()).toBe('b'.repeat(30_000));
    await expectRebuiltAlike(living, keys);
  });

  it('brings an object back that is put again while it is condemned', async () => {
    const { store } = await open();
    const text = 'c'.repeat(50_000);
    const { id } = await store.objects.putBlob(text);
    const held = store.list()[Symbol.asyncIterator]();
    await store.put('x', 'x');
    // An operation in flight: what is condemned from here on may be what it saw.
    expect((await held.next()).done).toBe(false);
    const waiting = await store.maintenance.gc({ ...AT_ONCE, waitMs: 0 });
    expect(waiting).toMatchObject({ outcome: 'partial', objectsRemoved: 0 });
    expect(waiting.waitingFor).toHaveLength(1);
    await store.objects.putBlob(text);
    await store.refs.set('named', id);
    await held.return?.();
    await store.maintenance.gc(AT_ONCE);
    expect(Buffer.from(await store.objects.getBlob(id)).toString()).toBe(text);
    await expectRebuiltAlike(living, keys);
  });

  it('deletes nothing that an unreadable snapshot may need, says so, and goes on once that is gone', async () => {
    const { store, backend } = await open();
    await store.put('docs/a', 'd'.repeat(60_000));
    const { id } = await store.snapshots.create({ prefix: 'docs/' }, { ref: 'damaged' });
    await store.delete('docs/a');
    const hidden = await hidePacks(backend);
    const report = await store.maintenance.gc(AT_ONCE);
    expect(report).toMatchObject({ outcome: 'damaged', objectsRemoved: 0, itemsRemoved: 0, packsRemoved: 0 });
    expect(report.problems.map(({ object }) => object)).toContain(id);
    await hidden.show();
    expect(await store.maintenance.gc(AT_ONCE)).toMatchObject({ outcome: 'ok', objectsRemoved: 0 });
    await store.snapshots.thaw('damaged');
    expect(Buffer.from(await store.get('docs/a')).toString()).toBe('d'.repeat(60_000));
  });
});

/** Takes away every blob that holds content, and gives them back. */
async function hidePacks(backend: CollectedStore['backend']): Promise<{ show(): Promise<void> }> {
  const hidden = new Map<string, Uint8Array>();
  for (const prefix of ['packs/', 'journal/'])
    for (const { key } of await backend.list({ prefix })) {
      hidden.set(key, (await backend.get(key)) as Uint8Array);
      await backend.delete(key);
    }
  return {
    show: async () => {
      for (const [key, bytes] of hidden) await backend.put(key, bytes);
    },
  };
}
