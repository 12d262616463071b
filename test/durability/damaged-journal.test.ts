import { cp } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, rebuildStore, type Store } from '../../src/index.ts';
import { flipByte, journalFiles, loseMetadata } from '../support/store-files.ts';
import { folderStore, keysOf, reopen, SOUND, testFolder } from '../support/stores.ts';

/** A folder as a process that ends without closing leaves it: the metadata does not know the last journal pack. */
async function crashedStore(fill: (store: Store) => Promise<unknown>): Promise<string> {
  const { path: folder, store } = await folderStore();
  await fill(store);
  const copy = await testFolder();
  await cp(folder, copy, { recursive: true });
  return copy;
}

const flip = (file: string): Promise<void> => flipByte(file, 150);

describe('a damaged journal pack', () => {
  it('whose commits are in the metadata does not keep the store from opening: they are written again', async () => {
    const folder = await crashedStore(async (store) => {
      await store.put('a', 'content of a');
      await store.put('b', 'content of b');
    });
    const files = await journalFiles(folder);
    expect(files).toHaveLength(2);
    await flip(files.find((file) => path.basename(file).startsWith('0000000000000002-')) ?? files[1] ?? '');
    const warnings: string[] = [];
    const store = await reopen(folder, { logger: { ...console, warn: (message) => void warnings.push(message) } });
    expect(new TextDecoder().decode(await store.get('b'))).toBe('content of b');
    expect(warnings).toHaveLength(1);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
    await loseMetadata(folder);
    expect(await rebuildStore(folder, { reserveBytes: 0 })).toMatchObject({ entries: 2, problems: [] });
    expect(await keysOf(await reopen(folder))).toEqual(['a', 'b']);
  });

  it('that nothing else stands for is damage, not a gap', async () => {
    const folder = await crashedStore(async (store) => {
      for (const key of ['a', 'b', 'c']) await store.put(key, `content of ${key}`);
    });
    await loseMetadata(folder);
    for (const file of (await journalFiles(folder)).filter((_, index) => index === 1)) await flip(file);
    await expect(rebuildStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'SHARD_CORRUPT' });
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'METADATA_MISSING' });
  });
});
