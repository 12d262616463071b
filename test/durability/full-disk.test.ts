import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore, isStoreError, openStore, type Store, type StoreError } from '../../src/index.ts';
import { blake3Text, noise } from '../support/contents.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { SOUND } from '../support/stores.ts';

const MIB = 1024 * 1024;
const RESERVE = { reserveBytes: 2 * MIB };
/** The log of a file grows on the same disk, with what merges write as well. */
const FILE_RESERVE = { reserveBytes: 4 * MIB };

let disk: SmallDisk | undefined;

beforeAll(async () => {
  disk = await mountSmallDisk(24 * MIB);
});

afterAll(() => disk?.unmount());

/** Puts entries of many sizes until the store has refused some of each; gives what was acknowledged. */
async function fill(store: Store, acknowledged: Map<string, string>): Promise<readonly StoreError[]> {
  const refusals: StoreError[] = [];
  for (let index = 0; refusals.length < 12; index += 1) {
    const content = noise(index % 3 === 0 ? 500 : 40_000 * (1 + (index % 9)), index);
    try {
      await store.put(`key ${index}`, content);
      acknowledged.set(`key ${index}`, blake3Text(content));
    } catch (error) {
      if (!isStoreError(error)) throw error;
      refusals.push(error);
    }
  }
  return refusals;
}

async function expectAll(store: Store, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  for (const [key, digest] of acknowledged) expect(blake3Text(await store.get(key)), key).toBe(digest);
  expect((await store.stats()).entries).toBe(acknowledged.size);
}

describe('a full disk', () => {
  it('refuses what grows the store, keeps what was acknowledged, lets go of entries, and is well when there is room', async (context) => {
    if (disk === undefined) return context.skip();
    const folder = path.join(disk.path, 'store');
    const ballast = path.join(disk.path, 'ballast');
    await writeFile(ballast, noise(8 * MIB));
    const store = await createStore(folder, { keys: 'none', ...RESERVE });
    const acknowledged = new Map<string, string>();
    const refusals = await fill(store, acknowledged);
    expect(acknowledged.size).toBeGreaterThan(20);
    expect(new Set(refusals.map(({ kind }) => kind))).toEqual(new Set(['exhausted']));
    expect(refusals.map(({ code }) => code)).toContain('DISK_FULL');
    await expectAll(store, acknowledged);

    const keys = [...acknowledged.keys()];
    for (const key of keys.filter((_, index) => index % 2 === 0)) {
      expect(await store.delete(key)).toBe(true);
      acknowledged.delete(key);
    }
    await expectAll(store, acknowledged);
    await store.close();

    // The same as found by the next process, with the disk still full.
    const full = await openStore(folder, RESERVE);
    await expectAll(full, acknowledged);
    expect(await full.maintenance.check()).toMatchObject(SOUND);
    const [key = ''] = acknowledged.keys();
    expect(await full.delete(key)).toBe(true);
    acknowledged.delete(key);

    await rm(ballast);
    const content = noise(300_000, 999);
    await full.put('after', content);
    acknowledged.set('after', blake3Text(content));
    await expectAll(full, acknowledged);
    expect(await full.maintenance.check()).toMatchObject(SOUND);
    await full.close();
  });
});

describe('a full disk under a store in one file', () => {
  it('refuses what grows the store, keeps what was acknowledged, and lets go of entries', async (context) => {
    if (disk === undefined) return context.skip();
    const file = path.join(disk.path, 'store.hold');
    const store = await createStore(file, { keys: 'none', ...FILE_RESERVE });
    const acknowledged = new Map<string, string>();
    const refusals = await fill(store, acknowledged);
    expect(acknowledged.size).toBeGreaterThan(8);
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['DISK_FULL']));
    await expectAll(store, acknowledged);
    for (const key of [...acknowledged.keys()].filter((_, index) => index % 4 === 0)) {
      expect(await store.delete(key)).toBe(true);
      acknowledged.delete(key);
    }
    await store.close();
    const full = await openStore(file, FILE_RESERVE);
    await expectAll(full, acknowledged);
    expect(await full.maintenance.check()).toMatchObject(SOUND);
    await full.close();
    await rm(file);
  });
});

describe('bounds below the size of the disk', () => {
  async function refusedBy(options: { readonly quotaBytes?: number; readonly freeBytesMin?: number }) {
    if (disk === undefined) return undefined;
    const folder = path.join(disk.path, 'bounded');
    const store = await createStore(folder, { keys: 'none', ...RESERVE, ...options });
    try {
      const acknowledged = new Map<string, string>();
      const refusals = await fill(store, acknowledged);
      await expectAll(store, acknowledged);
      const { storedBytes } = await store.stats();
      const [first = ''] = acknowledged.keys();
      expect(await store.delete(first)).toBe(true);
      // Tiny puts are refused like large ones, and before anything of them is committed.
      const tiny = await store.put('tiny', 'x'.repeat(2000)).then(
        () => 'acknowledged',
        (error: StoreError) => error.code,
      );
      expect(await store.maintenance.check()).toMatchObject(SOUND);
      return { codes: new Set(refusals.map(({ code }) => code)), tiny, storedBytes };
    } finally {
      await store.close();
      await rm(folder, { recursive: true });
    }
  }

  it('are kept for every put: a quota', async (context) => {
    const refused = await refusedBy({ quotaBytes: 3 * MIB });
    if (refused === undefined) return context.skip();
    expect(refused.codes).toEqual(new Set(['QUOTA_EXCEEDED']));
    expect(refused.storedBytes).toBeLessThanOrEqual(3 * MIB);
  });

  it('are kept for every put: bytes that stay free', async (context) => {
    const refused = await refusedBy({ freeBytesMin: 7 * MIB });
    if (refused === undefined) return context.skip();
    expect(refused.codes).toEqual(new Set(['FREE_SPACE_LOW']));
    expect(refused.tiny).toBe('FREE_SPACE_LOW');
  });
});
