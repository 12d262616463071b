/** Refs and snapshots of bundles: what snapshot-store promises of them (SS-13 to SS-18), and what it gets wrong there. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createBundle, objectId, type Store } from '../../src/index.ts';
import { all, memoryStore, SOUND } from '../support/stores.ts';

const MISSING = 'ab'.repeat(32);

describe('snapshot-store: refs and snapshots', () => {
  let store: Store;
  beforeEach(async () => {
    store = await memoryStore();
  });

  it('SS-13 names objects: made, read, listed, moved, deleted; a name means itself', async () => {
    const [one, two] = [await store.objects.putBundle({ n: 1 }), await store.objects.putBundle({ n: 2 })];
    await expect(store.refs.set('a/b', MISSING)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    expect(await store.refs.get('a/b')).toBeUndefined();
    await store.refs.set('a/b', one.id);
    await store.refs.set('a_b', two.id);
    expect((await store.refs.get('a/b'))?.id).toBe(one.id);
    expect((await all(store.refs.list())).map(({ name }) => name)).toEqual(['a/b', 'a_b']);
    await store.refs.set('a/b', two.id);
    expect((await store.refs.get('a/b'))?.id).toBe(two.id);
    expect([await store.refs.delete('a/b'), await store.refs.delete('a/b')]).toEqual([true, false]);
    for (const wrong of ['', '..', '../x', 'a\\b', '/a'])
      await expect(store.refs.set(wrong, one.id)).rejects.toMatchObject({ code: 'REF_INVALID' });
  });

  it('SS-14 makes snapshots of bundles whose parents form a graph, diamonds among them', async () => {
    const { id: bundle } = await store.objects.putBundle({ n: 1 });
    const top = await store.objects.putSnapshot({ bundles: [bundle] });
    const [left, right] = [
      await store.objects.putSnapshot({ bundles: [bundle], parent: top.id }, { metadata: { side: 'left' } }),
      await store.objects.putSnapshot({ bundles: [bundle], parent: top.id }, { metadata: { side: 'right' } }),
    ];
    const bottom = await store.objects.putSnapshot({ bundles: [bundle], parent: left.id, merged: [right.id] });
    await store.refs.set('bottom', bottom.id);
    expect(await store.objects.verify({ address: 'bottom' })).toMatchObject({ outcome: 'ok' });
    expect(await store.snapshots.mergeBase(left.id, right.id)).toEqual([top.id]);
    for (const content of [{ bundles: [MISSING] }, { bundles: [bundle], parent: MISSING }])
      await expect(store.objects.putSnapshot(content)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('SS-15 imports a list of bundles, with a parent and a name if asked to', async () => {
    const first = await store.snapshots.importBundles([{ n: 1 }, { n: 2 }], { ref: 'sync', metadata: { device: 'a' } });
    expect(first.bundles).toEqual([1, 2].map((n) => objectId(createBundle({ n }))));
    expect((await store.refs.get('sync'))?.id).toBe(first.id);
    const second = await store.snapshots.importBundles([{ n: 3 }], { parent: 'sync', ref: 'sync' });
    expect(await store.objects.getSnapshot(second.id)).toMatchObject({
      content: { bundles: second.bundles, parent: first.id },
    });
    const missing = store.snapshots.create({ bundles: [MISSING] });
    await expect(missing).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('SS-16 extends a snapshot by bundles; one that is not there is told', async () => {
    const first = await store.snapshots.importBundles([{ n: 1 }], { ref: 'sync' });
    const second = await store.snapshots.extend('sync', [{ n: 2 }], { ref: 'sync', metadata: { m: 1 } });
    expect(await store.objects.getSnapshot(second.id)).toEqual({
      type: 'snapshot',
      content: { bundles: [...first.bundles, ...second.bundles], parent: first.id },
      metadata: { m: 1 },
    });
    await expect(store.snapshots.extend(MISSING, [{ n: 3 }])).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('SS-17 gives back the bundles of a snapshot in order, not those of its parents', async () => {
    await store.snapshots.importBundles([{ n: 1 }], { ref: 'sync' });
    await store.snapshots.importBundles([{ n: 3 }, { n: 2 }, { n: 3 }], { parent: 'sync', ref: 'sync' });
    const bundles = await all(store.snapshots.bundles('sync'));
    expect(bundles.map(({ bundle }) => bundle.content)).toEqual([{ n: 3 }, { n: 2 }, { n: 3 }]);
    expect(bundles.map(({ id, bundle }) => objectId(bundle) === id)).toEqual([true, true, true]);
  });

  it('SS-18 follows a snapshot to its root, and writes one with its bundles as JSON', async () => {
    const first = await store.snapshots.importBundles([{ n: 1 }]);
    const second = await store.snapshots.extend(first.id, [{ n: 2 }]);
    const third = await store.snapshots.extend(second.id, [{ n: 3 }], { ref: 'sync' });
    const chain = (await all(store.snapshots.log('sync'))).map(({ id }) => id);
    expect(chain).toEqual([third.id, second.id, first.id]);
    const text = (await all(store.snapshots.exportJson('sync'))).join('');
    const parsed = JSON.parse(text);
    expect(Object.keys(parsed)).toEqual(['bundles', 'snapshot', 'snapshot_hash']);
    expect(parsed.snapshot_hash).toBe(objectId(parsed.snapshot));
    expect(Object.keys(parsed.bundles)).toEqual([...parsed.snapshot.content.bundles].sort());
    for (const [id, bundle] of Object.entries(parsed.bundles)) expect(objectId(bundle as never)).toBe(id);
  });

  it('finds no cycle where a snapshot is reached twice, and loses nothing on the way to another store', async () => {
    const a = await store.snapshots.importBundles([{ n: 1 }]);
    const b = await store.snapshots.extend(a.id, [{ n: 2 }]);
    const { id: tree } = await store.objects.putTree([{ type: 'snapshot', name: 'a', id: a.id }]);
    const { id } = await store.objects.putSnapshot({ tree, bundles: b.bundles, parent: b.id });
    await store.refs.set('twice', id);
    expect(await store.objects.verify({ address: 'twice' })).toMatchObject({ outcome: 'ok' });
    const other = await memoryStore();
    expect(await other.snapshots.import(store.snapshots.export('twice'), { ref: 'twice' })).toMatchObject({ id });
    expect(await other.objects.verify({ address: 'twice' })).toMatchObject({ outcome: 'ok' });
    expect(await other.maintenance.check()).toMatchObject(SOUND);
  });
});
