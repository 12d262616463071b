/**
 * A whole store as version 1 wrote it. Later versions must open it, find every entry, and rebuild its metadata. To make
 * one anew for a new format: `HOLDFAST_GOLDEN=write npx vitest run test/golden`; what is there is never overwritten.
 */
import { cpSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isStoreError, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { all, closedAfterTest, reopen, testFolder } from '../support/stores.ts';
import { CONTENTS, createGoldenStore } from './golden-store.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1/store');
const METADATA = '.metadata';

async function copyOfGolden(): Promise<string> {
  const folder = await testFolder();
  cpSync(GOLDEN, folder, { recursive: true });
  return folder;
}

async function expectGoldenContents(store: Store): Promise<void> {
  const entries = await all(store.list());
  expect(entries.map(({ key }) => key)).toEqual(Object.keys(CONTENTS).toSorted());
  for (const { key } of entries) expect(await store.get(key), key).toEqual(CONTENTS[key]);
  const described = await store.stat('described');
  expect(described).toMatchObject({ contentType: 'text/plain', attributes: { author: 'Ada', année: '1843' } });
  expect(described.parent).toBe((await store.stat('renamed')).version);
  expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0, bytes: 0 } });
}

describe('the golden store of version 1', () => {
  if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(GOLDEN)) {
    it('is written', async () => createGoldenStore(GOLDEN));
  }

  it('opens, and every entry is there', async () => {
    const store = await reopen(await copyOfGolden());
    await expectGoldenContents(store);
    await store.put('new', 'still writable');
    expect(await store.get('new')).toEqual(new TextEncoder().encode('still writable'));
  });

  it('opens read-only', async () => {
    const store = await reopen(await copyOfGolden(), { readOnly: true });
    expect(await store.get('described')).toEqual(CONTENTS.described);
  });

  it('is rebuilt from packs and journal alone', async () => {
    const folder = await copyOfGolden();
    const before = closedAfterTest(await openStore(folder, { readOnly: true }));
    const { commit, requests: _, ...counts } = await before.stats();
    await before.close();
    rmSync(path.join(folder, METADATA), { recursive: true });
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toSatisfy((error) =>
      isStoreError(error, 'METADATA_MISSING'),
    );
    expect(await rebuildStore(folder, { reserveBytes: 0 })).toMatchObject({ commit, problems: [] });
    const store = await reopen(folder);
    expect(await store.stats()).toMatchObject({ ...counts, commit });
    await expectGoldenContents(store);
  });
});
