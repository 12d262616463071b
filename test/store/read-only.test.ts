import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore, diagnoseStore, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { flipByte, imageOf, packFiles } from '../support/store-files.ts';
import { all, keysOf, reopen, SOUND, storeTemplate } from '../support/stores.ts';

const isRoot = process.getuid?.() === 0;
if (isRoot) console.warn('not run as root, who may write everywhere: a store of which the metadata may not be written');

const CONTENT = noise(200_000, 71);

const template = storeTemplate((store) =>
  store.putMany([
    { key: 'a', source: CONTENT },
    { key: 'b', source: 'small' },
  ]),
);

const CHANGES: readonly [string, (store: Store) => Promise<unknown>][] = [
  ['put', (store) => store.put('c', 'x')],
  ['put that would change nothing', (store) => store.put('b', 'small')],
  ['putMany', (store) => store.putMany([{ key: 'c', source: 'x' }])],
  ['batch', (store) => store.batch((batch) => batch.delete('a'))],
  ['delete', (store) => store.delete('a')],
  ['delete of nothing', (store) => store.delete('nobody')],
  ['rename', (store) => store.rename('a', 'c')],
  ['copy', (store) => store.copy('a', 'c')],
];

describe('a read-only store', () => {
  it('answers every question and writes nothing: not one byte of the folder differs', async () => {
    const folder = await template.copy();
    const before = await imageOf(folder);
    const store = await reopen(folder, { readOnly: true });
    expect(sameBytes(await store.get('a'), CONTENT)).toBe(true);
    expect(await keysOf(store)).toEqual(['a', 'b']);
    expect((await all(store.chunks('a'))).length).toBeGreaterThan(0);
    expect(await store.stats()).toMatchObject({ entries: 2 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    for (const [, change] of CHANGES)
      await expect(change(store)).rejects.toMatchObject({ code: 'READ_ONLY', kind: 'denied' });
    await store.close();
    expect(await imageOf(folder)).toEqual(before);
  });

  it('finds damage without noting it down', async () => {
    const folder = await template.copy();
    const [pack = ''] = await packFiles(folder);
    await flipByte(pack, 3000);
    const before = await imageOf(folder);
    const store = await reopen(folder, { readOnly: true });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(store.metrics().damageFound).toBeGreaterThan(0);
    await store.close();
    expect(await imageOf(folder)).toEqual(before);
  });

  it('reads from a medium that nobody can write to', async () => {
    const disk = await mountSmallDisk(20 * MIB);
    if (disk === undefined) return;
    onTestFinished(() => disk.unmount());
    const folder = path.join(disk.path, 'store');
    const writer = await createStore(folder, { keys: 'none', reserveBytes: 0 });
    await writer.put('a', CONTENT);
    await writer.close();
    await disk.makeReadOnly();
    const store = await openStore(folder, { readOnly: true });
    expect(sameBytes(await store.get('a'), CONTENT)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
    const refusal = { code: 'READ_ONLY', kind: 'denied', details: { path: folder, system: 'EROFS' } };
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject(refusal);
    await expect(rebuildStore(folder)).rejects.toMatchObject(refusal);
  });

  it.skipIf(isRoot)('is refused, with the reason, to whom may not write beside the metadata', async () => {
    const folder = await template.copy();
    const metadata = path.join(folder, '.metadata');
    onTestFinished(() => chmod(metadata, 0o755));
    await chmod(metadata, 0o555);
    await expect(openStore(folder, { readOnly: true })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      details: { path: metadata, system: 'EACCES' },
    });
    const { findings } = await diagnoseStore(folder);
    expect(findings.find(({ subject }) => subject === 'metadata')?.advice).toContain('owner');
  });

  it('sees what a writer commits meanwhile', async () => {
    const folder = await template.copy();
    const writer = await reopen(folder);
    const reader = await reopen(folder, { readOnly: true });
    await writer.put('c', CONTENT.subarray(5));
    expect(sameBytes(await reader.get('c'), CONTENT.subarray(5))).toBe(true);
    await writer.delete('a');
    expect(await reader.has('a')).toBe(false);
  });
});
