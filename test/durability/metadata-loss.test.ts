import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, rebuildStore, type Store } from '../../src/index.ts';
import { loseMetadata, metadataFile } from '../support/store-files.ts';
import { folderStore, reopen, SOUND, testFolder } from '../support/stores.ts';

async function putRange(store: Store, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) await store.put(`key ${index}`, `content ${index}`);
}

async function expectRange(store: Store, count: number): Promise<void> {
  const wanted = Array.from({ length: count }, (_, index) => `content ${index}`);
  const found = await store.getMany(wanted.map((_, index) => `key ${index}`));
  expect(found.map((bytes) => Buffer.from(bytes).toString())).toEqual(wanted);
  expect((await store.stats()).entries).toBe(count);
  expect(await store.maintenance.check()).toMatchObject(SOUND);
}

/** Copies the metadata as it is, while nobody writes: what a backup of the disk or a crash would find. */
async function copyMetadata(folder: string): Promise<string> {
  const copy = await testFolder();
  await cp(path.dirname(metadataFile(folder)), copy, { recursive: true });
  return copy;
}

async function putBack(folder: string, copy: string): Promise<void> {
  await loseMetadata(folder);
  await mkdir(path.dirname(metadataFile(folder)));
  await cp(copy, path.dirname(metadataFile(folder)), { recursive: true });
}

/** Puts until the journal packs of before have been merged and deleted. */
async function merged(store: Store): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  store.on('merge', () => resolve());
  for (let index = 0; index < 12; index += 1) await store.put('filler', `${index}`);
  await store.delete('filler');
  await promise;
}

describe('a copy of the metadata that is older than the journal', () => {
  it('catches up, although it was taken of a running store and what it knew was merged since', async () => {
    const { path: folder, store } = await folderStore();
    await putRange(store, 0, 5);
    const copy = await copyMetadata(folder);
    await putRange(store, 5, 9);
    await merged(store);
    await store.close();
    await putBack(folder, copy);
    const again = await reopen(folder);
    await expectRange(again, 9);
    await again.close();
  });

  it('goes on as a life of its own, is put back a second time, and still nothing is lost', async () => {
    const { path: folder, store } = await folderStore();
    await putRange(store, 0, 3);
    const copy = await copyMetadata(folder);
    await putRange(store, 3, 6);
    await store.close();
    await putBack(folder, copy);
    const second = await reopen(folder);
    await putRange(second, 6, 9);
    await second.close();
    await putBack(folder, copy);
    const third = await reopen(folder);
    await putRange(third, 9, 12);
    await merged(third);
    await expectRange(third, 12);
    await third.close();
    expect((await rebuildStore(folder, { reserveBytes: 0 })).problems).toEqual([]);
    await expectRange(await reopen(folder), 12);
  });

  it('of another copy of the store, which went on by itself, is refused', async () => {
    const { path: folder, store } = await folderStore();
    await putRange(store, 0, 2);
    await store.close();
    const copy = await testFolder();
    await cp(folder, copy, { recursive: true });
    const here = await reopen(folder);
    await putRange(here, 2, 5);
    await here.close();
    const there = await reopen(copy);
    await there.put('key 2', 'something else');
    await there.close();
    await putBack(folder, path.dirname(metadataFile(copy)));
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({
      code: 'JOURNAL_FORK',
      kind: 'corrupt',
    });
  });
});

describe('metadata that is gone', () => {
  it('is told, never begun anew, and comes back from the journal', async () => {
    const { path: folder, store } = await folderStore();
    await putRange(store, 0, 9);
    await merged(store);
    await putRange(store, 9, 12);
    await store.close();
    // Merging goes on until the store is closed.
    const closed = await reopen(folder, { readOnly: true });
    const { commit } = await closed.stats();
    await closed.close();
    await loseMetadata(folder);
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'METADATA_MISSING', kind: 'corrupt' });
    await rm(path.dirname(metadataFile(folder)), { recursive: true, force: true });
    await mkdir(path.dirname(metadataFile(folder)));
    const report = await rebuildStore(folder, { reserveBytes: 0 });
    expect(report).toMatchObject({ commit, entries: 12, problems: [] });
    const again = await reopen(folder);
    await expectRange(again, 12);
    await putRange(again, 12, 13);
    await expectRange(again, 13);
  });
});
