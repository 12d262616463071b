/** Snapshots of bundles: imported, extended, given back in order; what the predecessor got wrong, and what it could do. */
import { beforeEach, describe, expect, it } from 'vitest';
import { blake3 } from '../../src/hash/index.ts';
import { objectId, type Store } from '../../src/index.ts';
import { createBundle, encodeObject, parseObject } from '../../src/objects/index.ts';
import {
  exportBundles,
  exportSnapshotJson,
  extendSnapshot,
  importBundles,
} from '../../src/store/snapshots/bundle-snapshots.ts';
import { exportSnapshot } from '../../src/store/snapshots/export-snapshot.ts';
import type { GraphContext } from '../../src/store/snapshots/graph-context.ts';
import { importSnapshot } from '../../src/store/snapshots/import-snapshot.ts';
import { mergeBaseOf } from '../../src/store/snapshots/merge-snapshots.ts';
import { graphStore } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { all, SOUND } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

const MISSING = 'ab'.repeat(32);

describe.each(STORES)('snapshots of bundles of $name', ({ options }) => {
  let store: Store;
  let context: GraphContext;
  beforeEach(async () => {
    ({ store, context } = await graphStore(options));
  });

  it('come with their bundles, in order, in one commit', async () => {
    const { commits } = store.metrics();
    const made = await importBundles(context, [{ sequence: 1 }, { sequence: 2 }, { sequence: 1 }], {
      ...{ ref: 'log', message: 'first', metadata: { device: 'phone' } },
    });
    expect(store.metrics().commits).toBe(commits + 1);
    const ids = [1, 2, 1].map((sequence) => objectId(createBundle({ sequence })));
    expect(made.bundles).toEqual(ids);
    expect(await store.objects.getSnapshot(made.id)).toEqual({
      ...{ type: 'snapshot', content: { bundles: ids }, metadata: { device: 'phone' } },
    });
    expect(await store.refs.get('log')).toMatchObject({ id: made.id, type: 'snapshot' });
    expect(made.newBytes).toBeGreaterThan(0);
    expect(made.storedBytes).toBeGreaterThan(0);
    const again = await importBundles(context, [{ sequence: 1 }, { sequence: 2 }, { sequence: 1 }], {
      metadata: { device: 'phone' },
    });
    expect(again).toMatchObject({ id: made.id, newBytes: 0 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('grow: the bundles of the one before, and more', async () => {
    const first = await importBundles(context, [{ n: 1 }], { ref: 'log' });
    const second = await extendSnapshot(context, 'log', [{ n: 2 }, { n: 3 }], { ref: 'log', metadata: { x: 1 } });
    expect(await store.objects.getSnapshot(second.id)).toMatchObject({
      ...{ content: { parent: first.id, bundles: [...first.bundles, ...second.bundles] }, metadata: { x: 1 } },
    });
    expect((await store.refs.get('log'))?.id).toBe(second.id);
    const bundles = await all(exportBundles(context, 'log'));
    expect(bundles.map(({ bundle }) => bundle.content)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect((await all(exportBundles(context, 'log~1'))).map(({ id }) => id)).toEqual(first.bundles);
    // A ref of its own is made; one that is elsewhere is not moved.
    await extendSnapshot(context, first.id, [{ n: 4 }], { ref: 'branch' });
    const from = { code: 'PRECONDITION_FAILED' };
    await expect(extendSnapshot(context, first.id, [{ n: 5 }], { ref: 'log' })).rejects.toMatchObject(from);
    expect(await store.objects.has(objectId(createBundle({ n: 5 })))).toBe(false);
    expect((await store.refs.get('log'))?.id).toBe(second.id);
  });

  it('lose nobody’s bundles when two extend the same one', async () => {
    const first = await importBundles(context, [{ n: 1 }], { ref: 'log' });
    const both = await Promise.allSettled([
      importBundles(context, [{ n: 2 }], { parent: 'log', ref: 'log' }),
      importBundles(context, [{ n: 3 }], { parent: 'log', ref: 'log' }),
    ]);
    const done = both.filter(({ status }) => status === 'fulfilled');
    expect(done.length).toBe(1);
    const [move] = await all(store.refs.history('log'));
    expect(move).toMatchObject({ number: 2, from: { id: first.id } });
  });

  it('keep the rest of what they extend', async () => {
    const { id: tree } = await store.objects.putTree([]);
    const before = await store.objects.putSnapshot({ tree, rootMode: 0o755 });
    const after = await extendSnapshot(context, before.id, [{ n: 1 }]);
    const { content } = await store.objects.getSnapshot(after.id);
    expect(content).toEqual({ tree, rootMode: 0o755, bundles: after.bundles, parent: before.id });
  });

  it('refuse what is not there, and what is no bundle, and store nothing of it', async () => {
    const missing = { code: 'OBJECT_NOT_FOUND' };
    await expect(store.objects.putSnapshot({ bundles: [MISSING] })).rejects.toMatchObject(missing);
    await expect(store.objects.putSnapshot({ bundles: [], parent: MISSING })).rejects.toMatchObject(missing);
    await expect(importBundles(context, [{ n: 1 }], { parent: MISSING })).rejects.toMatchObject(missing);
    await expect(extendSnapshot(context, MISSING, [{ n: 1 }])).rejects.toMatchObject(missing);
    const wrong = { code: 'OBJECT_INVALID' };
    await expect(importBundles(context, [{ n: 1 }, [] as never])).rejects.toMatchObject(wrong);
    await expect(importBundles(context, 'text' as never)).rejects.toThrow(TypeError);
    await expect(importBundles(context, [{ n: 1 }], { ref: 'a b ' })).rejects.toMatchObject({ code: 'REF_INVALID' });
    const bundle = await store.objects.putBundle({ n: 0 });
    const type = { code: 'OBJECT_WRONG_TYPE' };
    await expect(importBundles(context, [], { parent: bundle.id })).rejects.toMatchObject(type);
    await expect(all(exportBundles(context, bundle.id))).rejects.toMatchObject(type);
    const tree = await store.objects.putTree([]);
    await expect(store.snapshots.create({ bundles: [bundle.id, tree.id] })).rejects.toMatchObject(type);
    await expect(store.snapshots.create({ bundles: [MISSING] })).rejects.toMatchObject(missing);
    await expect(store.snapshots.create({ bundles: 7 as never })).rejects.toMatchObject(wrong);
    expect((await all(store.objects.list())).map(({ id }) => id).sort()).toEqual([bundle.id, tree.id].sort());
  });

  it('become one JSON text with everything in it', async () => {
    const first = await importBundles(context, [{ b: 1, a: [] }]);
    const second = await extendSnapshot(context, first.id, [{ c: { é: 'ß' } }], { metadata: { m: 1 } });
    const text = (await all(exportSnapshotJson(context, second.id))).join('');
    const parsed = JSON.parse(text);
    expect(parsed).toEqual({
      snapshot_hash: second.id,
      snapshot: await store.objects.getSnapshot(second.id),
      bundles: Object.fromEntries((await all(exportBundles(context, second.id))).map(({ id, bundle }) => [id, bundle])),
    });
    expect(text).toBe(`${JSON.stringify(sortedDeep(parsed), null, 2)}\n`);
    for (const [id, object] of Object.entries(parsed.bundles)) {
      expect(Buffer.from(blake3(encodeObject(parseObject(object)))).toString('hex')).toBe(id);
    }
    const empty = await importBundles(context, []);
    expect(JSON.parse((await all(exportSnapshotJson(context, empty.id))).join(''))).toMatchObject({ bundles: {} });
    const { id: tree } = await store.objects.putTree([]);
    const folder = await store.objects.putSnapshot({ tree });
    await expect(all(exportSnapshotJson(context, folder.id))).rejects.toMatchObject({ code: 'OBJECT_WRONG_TYPE' });
  });

  it('have parents that meet again: a diamond, and one that stands in two places', async () => {
    const top = await importBundles(context, [{ n: 1 }]);
    const left = await extendSnapshot(context, top.id, [{ n: 2 }]);
    const right = await extendSnapshot(context, top.id, [{ n: 3 }]);
    const bottom = await store.objects.putSnapshot({ bundles: [], parent: left.id, merged: [right.id] });
    // One that names a snapshot beside the bundles, and has it again for the parent of its parent.
    const named = await store.objects.putTree([{ type: 'snapshot', name: 'top', id: top.id }]);
    const twice = await store.objects.putSnapshot({ tree: named.id, parent: bottom.id });
    expect(await store.objects.getSnapshot(twice.id)).toMatchObject({ content: { parent: bottom.id } });
    const to = await graphStore();
    const report = await importSnapshot(to.context, exportSnapshot(context, twice.id), { ref: 'twice' });
    expect(report).toMatchObject({ id: twice.id, objects: 9 });
    expect(await mergeBaseOf(to.context, left.id, right.id)).toEqual([top.id]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([name, one]) => [name, sortedDeep(one)]));
}
