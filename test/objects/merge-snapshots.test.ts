/** Snapshots merged: folders, entries and bundles, with conflicts that are listed and never half done. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotContent, Store, TreeChild } from '../../src/index.ts';
import { readTree } from '../../src/objects/index.ts';
import { exportBundles, extendSnapshot, importBundles } from '../../src/store/snapshots/bundle-snapshots.ts';
import { freezeEntries } from '../../src/store/snapshots/freeze-entries.ts';
import { type GraphContext, readerOf } from '../../src/store/snapshots/graph-context.ts';
import { mergeBaseOf, mergeSnapshots } from '../../src/store/snapshots/merge-snapshots.ts';
import { thawEntries } from '../../src/store/snapshots/thaw-entries.ts';
import { graphStore } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { all, SOUND } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];
const EARLY = '2026-01-01T00:00:00.000000000Z';
const LATE = '2026-02-01T00:00:00.000000000Z';

describe.each(STORES)('merges of snapshots of $name', ({ options }) => {
  let store: Store;
  let context: GraphContext;
  beforeEach(async () => {
    ({ store, context } = await graphStore(options));
  });

  /** A snapshot of files by name and text. */
  async function folder(files: Readonly<Record<string, string>>, rest: Partial<SnapshotContent> = {}): Promise<string> {
    const children: TreeChild[] = [];
    for (const [name, text] of Object.entries(files)) {
      const { id, size } = await store.objects.putBlob(text);
      children.push({ type: 'file', name, id, size, mode: 0o644, mtime: EARLY });
    }
    const { id: tree } = await store.objects.putTree(children);
    return (await store.objects.putSnapshot({ tree, ...rest })).id;
  }

  async function textsOf(id: string): Promise<Readonly<Record<string, string>>> {
    const { content } = await store.objects.getSnapshot(id);
    const texts: Record<string, string> = {};
    for await (const child of readTree(content.tree ?? '', readerOf(context).load)) {
      if (child.type === 'file') texts[child.name] = Buffer.from(await store.objects.getBlob(child.id)).toString();
    }
    return texts;
  }

  it('take what each side changed, and move the ref in the same commit', async () => {
    const base = await folder({ a: '1', b: '1', c: '1' }, { rootMode: 0o755, rootMtime: EARLY });
    const ours = await folder({ a: '2', b: '1', c: '1' }, { parent: base, rootMode: 0o755, rootMtime: LATE });
    const theirs = await folder({ a: '1', b: '1', d: '4' }, { parent: base, rootMode: 0o700, rootMtime: EARLY });
    await store.refs.set('main', ours);
    expect(await mergeBaseOf(context, ours, theirs)).toEqual([base]);
    const sides = { ours: 'main', theirs };
    const planned = await mergeSnapshots(context, sides, { dryRun: true, ref: 'main' });
    expect(await store.objects.has(planned.id ?? '')).toBe(false);
    const { commits } = store.metrics();
    const merged = await mergeSnapshots(context, sides, { ref: 'main', message: 'both' });
    expect(merged).toEqual({ ...planned, dryRun: false });
    expect(merged).toMatchObject({ outcome: 'merged', bases: [base], conflicts: [] });
    expect(store.metrics().commits).toBe(commits + 1);
    const { content } = await store.objects.getSnapshot(merged.id ?? '');
    expect(content).toMatchObject({ parent: ours, merged: [theirs], rootMode: 0o700, rootMtime: LATE });
    expect(await textsOf(merged.id ?? '')).toEqual({ a: '2', b: '1', d: '4' });
    expect((await store.refs.get('main'))?.id).toBe(merged.id);
    expect(await mergeSnapshots(context, { ours: 'main', theirs })).toMatchObject({ outcome: 'same', id: merged.id });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('with conflicts list them all and store nothing, unless a side is favoured', async () => {
    const base = await folder({ a: '1', gone: '1', same: '1' });
    const ours = await folder({ a: 'ours', same: '1' }, { parent: base });
    const theirs = await folder({ a: 'theirs', gone: '2', same: '1' }, { parent: base });
    await store.refs.set('main', ours);
    const before = (await all(store.objects.list())).length;
    const report = await mergeSnapshots(context, { ours, theirs }, { ref: 'main' });
    expect(report).toMatchObject({
      outcome: 'conflicts',
      conflicts: [
        { part: 'tree', path: 'a', reason: 'content', ours: { name: 'a' }, theirs: { name: 'a' } },
        { part: 'tree', path: 'gone', reason: 'removed', base: { name: 'gone' } },
      ],
    });
    expect(report.id).toBeUndefined();
    expect((await all(store.objects.list())).length).toBe(before);
    expect((await store.refs.get('main'))?.id).toBe(ours);
    const favoured = await mergeSnapshots(context, { ours, theirs }, { favour: 'ours' });
    expect(favoured).toMatchObject({ outcome: 'merged', conflicts: report.conflicts });
    expect(await textsOf(favoured.id ?? '')).toEqual({ a: 'ours', gone: '2', same: '1' });
    const planned = await mergeSnapshots(context, { ours, theirs }, { favour: 'theirs', dryRun: true });
    const other = await mergeSnapshots(context, { ours, theirs }, { favour: 'theirs', ref: 'main' });
    expect(other.id).toBe(planned.id);
    expect(await textsOf('id' in other ? (other.id ?? '') : '')).toEqual({ a: 'theirs', gone: '2', same: '1' });
    expect((await store.objects.getSnapshot(other.id ?? '')).content).toMatchObject({ parent: ours, merged: [theirs] });
    expect((await store.refs.get('main'))?.id).toBe(other.id);
    await expect(mergeSnapshots(context, { ours, theirs }, { favour: 'both' as never })).rejects.toThrow(RangeError);
  });

  it('of bundles put both additions behind what they share', async () => {
    const base = await importBundles(context, [{ n: 1 }], { ref: 'main' });
    const ours = await extendSnapshot(context, base.id, [{ n: 2 }], { ref: 'main' });
    const theirs = await extendSnapshot(context, base.id, [{ n: 3 }]);
    const merged = await mergeSnapshots(context, { ours: 'main', theirs: theirs.id }, { metadata: { by: 'merge' } });
    const bundles = await all(exportBundles(context, merged.id ?? ''));
    expect(bundles.map(({ bundle }) => bundle.content)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect((await store.objects.getSnapshot(merged.id ?? '')).metadata).toEqual({ by: 'merge' });
    const [a, b, c] = bundles.map(({ id }) => id);
    const put = async (list: readonly (string | undefined)[]): Promise<string> =>
      (await store.objects.putSnapshot({ bundles: list as string[], parent: merged.id ?? '' })).id;
    const turned = await mergeSnapshots(context, { ours: await put([b, a, c]), theirs: await put([c, b, a]) });
    expect(turned).toMatchObject({ outcome: 'conflicts', conflicts: [{ part: 'bundles', path: '', reason: 'order' }] });
    expect(ours.id).not.toBe(theirs.id);
  });

  it('of entries merge by key, and go back as entries', async () => {
    const freeze = async (parent?: string): Promise<string> => {
      const { tree: entries } = await freezeEntries(context, '');
      return (await store.objects.putSnapshot({ entries, ...(parent !== undefined && { parent }) })).id;
    };
    await store.putMany(['a', 'b', 'c'].map((key) => ({ key, source: `${key}1` })));
    const base = await freeze();
    await store.put('a', 'a2', { attributes: { side: 'ours' } });
    const ours = await freeze(base);
    await store.put('a', 'a1');
    await store.delete('b');
    await store.put('d', 'd1');
    const theirs = await freeze(base);
    const changed = await mergeSnapshots(context, { ours, theirs }, { favour: 'ours' });
    const { entries } = (await store.objects.getSnapshot(changed.id ?? '')).content;
    const report = await thawEntries(context, entries ?? '', { overwrite: 'changed', delete: true });
    expect(report.failed).toBe(0);
    expect((await all(store.list())).map(({ key }) => key)).toEqual(['a', 'c', 'd']);
    expect(Buffer.from(await store.get('a')).toString()).toBe('a2');
  });

  it('go forward where one side did nothing', async () => {
    const base = await folder({ a: '1' });
    const next = await folder({ a: '2' }, { parent: base });
    await store.refs.set('main', base);
    expect(await mergeSnapshots(context, { ours: next, theirs: base })).toMatchObject({ outcome: 'same', id: next });
    expect(await mergeSnapshots(context, { ours: next, theirs: next })).toMatchObject({ outcome: 'same', id: next });
    const forward = await mergeSnapshots(context, { ours: 'main', theirs: next }, { ref: 'main' });
    expect(forward).toMatchObject({ outcome: 'forward', id: next });
    expect((await store.refs.get('main'))?.id).toBe(next);
    const stale = { code: 'PRECONDITION_FAILED' };
    const sides = { ours: base, theirs: next };
    await expect(mergeSnapshots(context, sides, { ref: 'main' })).rejects.toMatchObject(stale);
  });

  it('work without anything in common, and from a base that is given', async () => {
    const base = await folder({ a: '1', b: '1' });
    const ours = await folder({ a: '2', b: '1' });
    const theirs = await folder({ a: '1', b: '2' });
    expect(await mergeBaseOf(context, ours, theirs)).toEqual([]);
    const without = await mergeSnapshots(context, { ours, theirs });
    expect(without.outcome).toBe('conflicts');
    const merged = await mergeSnapshots(context, { ours, theirs }, { base });
    expect(await textsOf(merged.id ?? '')).toEqual({ a: '2', b: '2' });
    const bundles = await importBundles(context, [{ n: 1 }]);
    const both = await mergeSnapshots(context, { ours, theirs: bundles.id });
    expect((await store.objects.getSnapshot(both.id ?? '')).content).toMatchObject({ bundles: bundles.bundles });
    expect(await textsOf(both.id ?? '')).toEqual({ a: '2', b: '1' });
    await expect(mergeSnapshots(context, { ours, theirs: 'nowhere' })).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
  });
});
