/** Snapshots of entries: frozen without a byte being read, put back as they were. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Store, ThawEvent } from '../../src/index.ts';
import { readTree } from '../../src/objects/index.ts';
import { freezeEntries } from '../../src/store/snapshots/freeze-entries.ts';
import { type GraphContext, readerOf } from '../../src/store/snapshots/graph-context.ts';
import { thawEntries } from '../../src/store/snapshots/thaw-entries.ts';
import { noise } from '../support/contents.ts';
import { graphStore, parentsOfEntries, relate } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { all, keysOf, SOUND } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

/** What users see of all entries, but for the time they were created. */
async function entriesOf(store: Store): Promise<readonly unknown[]> {
  return (await all(store.list())).map(({ created: _, ...rest }) => rest);
}

describe.each(STORES)('snapshots of entries of $name', ({ options }) => {
  let store: Store;
  let context: GraphContext;
  beforeEach(async () => {
    ({ store, context } = await graphStore({ chunking: 'fastcdc:256:1024:4096', ...options }));
    const { version } = await store.put('docs/a', 'first', { attributes: { by: 'me', lang: 'de' } });
    await store.put('docs/b', noise(40_000, 3), { contentType: 'application/x-noise', parent: version });
    await store.put('docs/ü', '');
    await store.put('other', 'not of it');
    await relate(context, { 'docs/b': 'docs/a', 'docs/ü': 'other' });
  });

  it('hold what entries are, and come back as they were', async () => {
    const before = await entriesOf(store);
    const bytesIn = store.metrics().bytesIn;
    const frozen = await freezeEntries(context, 'docs/');
    expect(frozen).toMatchObject({ entries: 3, bytes: 40_005, consistent: true, failed: 0 });
    expect(store.metrics().bytesIn).toBe(bytesIn);
    const { load } = readerOf(context);
    const children = await all(readTree(frozen.tree, load));
    expect(children).toMatchObject([
      { type: 'entry', name: 'docs/a', attributes: { by: 'me', lang: 'de' } },
      { name: 'docs/b', parent: 'docs/a', contentType: 'application/x-noise', parentVersion: expect.any(String) },
      { name: 'docs/ü', parent: 'other', size: 0 },
    ]);

    await store.delete('docs/b');
    await store.delete('docs/ü');
    await store.put('docs/a', 'changed');
    await store.put('docs/new', 'after it');
    const report = await thawEntries(context, frozen.tree, { overwrite: 'changed', delete: true });
    expect(report).toMatchObject({
      created: 2,
      replaced: 1,
      kept: 0,
      deleted: 1,
      related: 2,
      failed: 0,
      prefix: 'docs/',
    });
    expect(await entriesOf(store)).toEqual(before);
    expect(Buffer.from(await store.get('docs/b')).equals(noise(40_000, 3))).toBe(true);
    expect(await parentsOfEntries(context, ['docs/a', 'docs/b', 'docs/ü'])).toEqual({
      ...{ 'docs/a': null, 'docs/b': 'docs/a', 'docs/ü': 'other' },
    });
    expect((await freezeEntries(context, 'docs/')).tree).toBe(frozen.tree);
    expect(await thawEntries(context, frozen.tree)).toMatchObject({ kept: 3, created: 0, related: 0, failed: 0 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('are no folders where an address leads to a file in one, whatever it holds', async () => {
    const contents = ['first', '{}', JSON.stringify({ type: 'snapshot', content: { entries: 'f'.repeat(64) } })];
    for (const content of contents) {
      await store.put('docs/a', content);
      await store.snapshots.create({ prefix: '' }, { ref: 'all' });
      const refused = { code: 'OBJECT_WRONG_TYPE' };
      await expect(all(store.snapshots.names('all:docs/a'))).rejects.toMatchObject(refused);
      await expect(all(store.snapshots.diff('all:docs/a', 'all'))).rejects.toMatchObject(refused);
    }
  });

  it('alone have a log: of other objects it is refused, and nothing is said to be damaged', async () => {
    const { id: bundle } = await store.objects.put({ type: 'bundle', content: { n: 1 } });
    const { id: blob } = await store.objects.putBlob(noise(100, 1));
    const { tree } = await freezeEntries(context, '');
    for (const id of [bundle, blob, tree])
      await expect(all(store.snapshots.log(id))).rejects.toMatchObject({ code: 'OBJECT_WRONG_TYPE' });
  });

  it('come back beside, with their relations among each other', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    const report = await thawEntries(context, tree, { toPrefix: 'copy/' });
    expect(report).toMatchObject({ created: 3, related: 2, failed: 0, prefix: 'copy/' });
    expect(await keysOf(store, { prefix: 'copy/' })).toEqual(['copy/a', 'copy/b', 'copy/ü']);
    expect(await parentsOfEntries(context, ['copy/b', 'copy/ü'])).toEqual({ 'copy/b': 'copy/a', 'copy/ü': 'other' });
    expect((await store.stat('copy/b')).version).toBe((await store.stat('docs/b')).version);
  });

  it('never touch what is there, unless asked to', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    await store.put('docs/a', 'changed');
    const events: ThawEvent[] = [];
    const refused = await thawEntries(context, tree, { delete: true, onEvent: (event) => events.push(event) });
    expect(refused).toMatchObject({ kept: 2, failed: 1, deleted: 0, deletionSkipped: true });
    expect(refused.failures).toMatchObject([{ path: 'docs/a', code: 'ENTRY_EXISTS' }]);
    expect(events).toContainEqual(expect.objectContaining({ key: 'docs/a', action: 'failed' }));
    expect(Buffer.from(await store.get('docs/a')).toString()).toBe('changed');
    expect(await thawEntries(context, tree, { overwrite: 'always' })).toMatchObject({ replaced: 3, failed: 0 });
    await expect(thawEntries(context, tree, { overwrite: 'perhaps' as never })).rejects.toThrow(RangeError);
  });

  it('tell what they would do, and do nothing', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    await store.delete('docs/b');
    await store.put('docs/x', 'x');
    const before = await entriesOf(store);
    const how = { overwrite: 'changed', delete: true } as const;
    const planned = await thawEntries(context, tree, { ...how, dryRun: true });
    expect(await entriesOf(store)).toEqual(before);
    const { dryRun: _, ...done } = await thawEntries(context, tree, how);
    expect(planned).toEqual({ ...done, dryRun: true });
    expect(planned).toMatchObject({ created: 1, kept: 2, deleted: 1, related: 1 });
  });

  it('report a parent that is nowhere, and set the others', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    for (const key of ['docs/b', 'docs/ü', 'docs/a', 'other']) await store.delete(key);
    const report = await thawEntries(context, tree);
    expect(report).toMatchObject({ created: 3, related: 1, failed: 1 });
    expect(report.failures).toMatchObject([{ path: 'docs/ü', code: 'ENTRY_NOT_FOUND' }]);
    expect(await parentsOfEntries(context, ['docs/b', 'docs/ü'])).toEqual({ 'docs/b': 'docs/a', 'docs/ü': null });
    const without = await thawEntries(context, tree, { toPrefix: 'z/', relations: false });
    expect(without).toMatchObject({ created: 3, related: 0, failed: 0 });
  });

  it('turn relations around that lead the other way now', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    await relate(context, { 'docs/b': null, 'docs/ü': null });
    await relate(context, { 'docs/a': 'docs/b' });
    expect(await thawEntries(context, tree, { overwrite: 'changed' })).toMatchObject({
      kept: 3,
      related: 3,
      failed: 0,
    });
    expect(await parentsOfEntries(context, ['docs/a', 'docs/b'])).toEqual({ 'docs/a': null, 'docs/b': 'docs/a' });
  });

  it('delete only where it is known what was frozen', async () => {
    const { tree } = await freezeEntries(context, 'docs/');
    const [child] = await all(readTree(tree, readerOf(context).load));
    const made = await store.objects.putTree(child ? [child] : []);
    await expect(thawEntries(context, made.id, { delete: true })).rejects.toMatchObject({ code: 'OBJECT_INVALID' });
    expect(await thawEntries(context, made.id)).toMatchObject({ kept: 1, failed: 0 });
    const other = await store.objects.putTree([
      { type: 'raw', name: 'x', id: child?.type === 'entry' ? child.id : '' },
    ]);
    expect(await thawEntries(context, other.id)).toMatchObject({ failed: 1, failures: [{ code: 'OBJECT_INVALID' }] });
  });

  it('are whole though entries change while they are listed', async () => {
    const { metadata } = context.engine;
    const list = metadata.listEntries.bind(metadata);
    // Once behind the back of the first listing, and then no more.
    const listing = vi.spyOn(metadata, 'listEntries').mockImplementationOnce(async (...query) => {
      const rows = await list(...query);
      await store.put('docs/a', 'changed meanwhile');
      return rows;
    });
    onTestFinished(() => listing.mockRestore());
    const frozen = await freezeEntries(context, 'docs/');
    expect(listing).toHaveBeenCalledTimes(4);
    expect(frozen.consistent).toBe(true);
    expect(frozen.tree).toBe((await freezeEntries(context, 'docs/')).tree);
  });
});

describe('entries that never stop changing', () => {
  it('are frozen each as it was, and it is told that they are of no one moment', async () => {
    const { store, context } = await graphStore();
    await store.put('a', 'one');
    const { metadata } = context.engine;
    const list = metadata.listEntries.bind(metadata);
    let count = 0;
    const listing = vi.spyOn(metadata, 'listEntries').mockImplementation(async (...query) => {
      count += 1;
      await store.put('a', `value ${count}`);
      return await list(...query);
    });
    onTestFinished(() => listing.mockRestore());
    expect(await freezeEntries(context, '')).toMatchObject({ entries: 1, consistent: false, failed: 0 });
  });
});

describe('isolated entries', () => {
  it('cannot be frozen: they are told, and the others are', async () => {
    const { store, context } = await graphStore({ keys: { key: STORE_KEY } });
    await store.put('a', 'one');
    await store.put('b', 'secret', { isolation: 'entry' });
    const frozen = await freezeEntries(context, '');
    expect(frozen).toMatchObject({ entries: 1, failed: 1, consistent: true });
    expect(frozen.failures).toMatchObject([{ path: 'b', code: 'ENTRY_ISOLATED' }]);
    const all = await thawEntries(context, frozen.tree, { overwrite: 'changed', delete: true });
    expect(all).toMatchObject({ kept: 1, deleted: 1 });
  });
});

describe('entries that somebody changes while others are put back', () => {
  it('are failures of their own, and the rest of their batch is put', async () => {
    const { store, context } = await graphStore();
    await store.putMany(['a', 'b', 'c'].map((key) => ({ key, source: key })));
    const { tree } = await freezeEntries(context, '');
    for (const key of ['a', 'b', 'c']) await store.delete(key);
    const { metadata } = context.engine;
    const look = metadata.getEntries.bind(metadata);
    const looking = vi.spyOn(metadata, 'getEntries').mockImplementationOnce(async (keys) => {
      const rows = await look(keys);
      await store.put('b', 'somebody else’s');
      return rows;
    });
    onTestFinished(() => looking.mockRestore());
    const report = await thawEntries(context, tree);
    expect(report).toMatchObject({ created: 2, failed: 1, failures: [{ path: 'b', code: 'ENTRY_EXISTS' }] });
    expect(Buffer.from(await store.get('b')).toString()).toBe('somebody else’s');
    expect(await keysOf(store)).toEqual(['a', 'b', 'c']);
  });
});

describe('entries of a namespace', () => {
  it('are frozen and put back in their own, and touch no other', async () => {
    const { store, context } = await graphStore({ keys: { key: STORE_KEY } });
    await store.namespaces.create('tenant');
    const tenant = store.namespace('tenant');
    await store.putMany(['x/a', 'y'].map((key) => ({ key, source: `default ${key}` })));
    await tenant.putMany(['x/a', 'x/b', 'y'].map((key) => ({ key, source: `tenant ${key}` })));
    const inside = { engine: context.engine, scope: await context.engine.scopes.named('tenant') };
    const { tree, entries } = await freezeEntries(inside, 'x/');
    expect(entries).toBe(2);
    await relate(inside, { 'x/b': 'x/a' });
    await tenant.delete('x/b');
    await tenant.put('x/c', 'new');
    const report = await thawEntries(inside, tree, { delete: true });
    expect(report).toMatchObject({ created: 1, kept: 1, deleted: 1, failed: 0 });
    expect(await keysOf(tenant)).toEqual(['x/a', 'x/b', 'y']);
    expect(await keysOf(store)).toEqual(['x/a', 'y']);
    expect(Buffer.from(await tenant.get('x/b')).toString()).toBe('tenant x/b');
    await expect(thawEntries(context, tree)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });
});

describe('many entries', () => {
  it('are frozen and put back in pages and commits', async () => {
    const { store, context } = await graphStore();
    const keys = Array.from({ length: 2500 }, (_, index) => `k/${String(index).padStart(5, '0')}`);
    await store.putMany(keys.map((key) => ({ key, source: `content of ${key}` })));
    const frozen = await freezeEntries(context, '');
    expect(frozen).toMatchObject({ entries: 2500, consistent: true });
    const made = await store.snapshots.create({ prefix: '' }, { ref: 'all' });
    expect(made).toMatchObject({ content: { entries: frozen.tree }, files: 2500, consistent: true, failed: 0 });
    for (const key of keys.slice(0, 10)) await store.delete(key);
    await store.put('k/00000', 'other');
    const report = await thawEntries(context, frozen.tree, { overwrite: 'changed' });
    expect(report).toMatchObject({ created: 9, replaced: 1, kept: 2490 });
    expect(await keysOf(store)).toEqual(keys);
  });
});
