/** Metadata of schema version 1, as the golden stores have it: brought up to date by who writes, read as it is else. */
import { cpSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteMetadata } from '../../src/metadata/index.ts';
import { testFolder } from '../support/stores.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1');

/** A copy of the metadata of a golden store. */
async function copyOf(store: string): Promise<string> {
  const file = path.join(await testFolder(), 'store.sqlite');
  cpSync(path.join(GOLDEN, store, '.metadata', 'store.sqlite'), file);
  return file;
}

function query(file: string, sql: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

const versionOf = (file: string) => query(file, 'PRAGMA user_version')[0]?.user_version;

function storeIdOf(file: string): Uint8Array {
  return query(file, "SELECT value FROM settings WHERE name = 'store'")[0]?.value as Uint8Array;
}

describe('metadata of version 1', () => {
  it.each(['store', 'sealed-store'])('is brought to version 3 by opening it for writing (%s)', async (store) => {
    const file = await copyOf(store);
    expect(versionOf(file)).toBe(1);
    const sealed = store === 'sealed-store';
    const metadata = await openSqliteMetadata({ path: file, storeId: storeIdOf(file), create: false, sealed });
    await metadata.close();
    expect(versionOf(file)).toBe(3);
    const rows = query(file, 'SELECT DISTINCT shards, margin, verified_at FROM packs');
    expect(rows).toEqual([{ shards: null, margin: null, verified_at: 0 }]);
  });

  it('holds what it held, and then the places it is told', async () => {
    const file = await copyOf('store');
    const open = (readOnly: boolean) =>
      openSqliteMetadata({ path: file, storeId: storeIdOf(file), create: false, readOnly });
    const before = await open(true);
    const digests = await before.stateDigests();
    const packs = await before.listPacks({ limit: 999 });
    expect(packs.length).toBeGreaterThan(3);
    const after = await open(false);
    expect(await after.stateDigests()).toEqual(digests);
    expect(await after.packsOfUnknownPlace({ limit: 999 })).toEqual(packs);
    const [{ number: packNumber, stripe } = { number: 0, stripe: { id: new Uint8Array() } }] = packs;
    await after.placeShards([{ packNumber, stripeId: stripe.id, index: 0, from: undefined, to: 3 }]);
    // Whoever read the file before it was brought up to date sees what is there now.
    for (const metadata of [before, after]) {
      expect(await metadata.listPacks({ limit: 1 })).toMatchObject([
        { number: packNumber, places: [3], verified: [0] },
      ]);
      expect((await metadata.check()).problems).toEqual([]);
    }
    await before.close();
    await after.close();
  });

  it('is left as it is by who takes it for another store', async () => {
    const file = await copyOf('store');
    const opening = openSqliteMetadata({ path: file, storeId: new Uint8Array(16), create: true });
    await expect(opening).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    expect(versionOf(file)).toBe(1);
  });

  it('is left as it is by who only reads it', async () => {
    const file = await copyOf('store');
    const metadata = await openSqliteMetadata({ path: file, storeId: storeIdOf(file), create: false, readOnly: true });
    const packs = await metadata.listPacks({ limit: 999 });
    expect(packs.every(({ places, verified }) => places === undefined && verified === undefined)).toBe(true);
    expect(await metadata.packsOfUnknownPlace({ limit: 999 })).toEqual(packs);
    expect(await metadata.packsToRepair({ limit: 9 })).toEqual([]);
    expect(await metadata.packsVerifiedBefore({ before: 1, limit: 999 })).toHaveLength(packs.length);
    expect((await metadata.check()).problems).toEqual([]);
    await metadata.close();
    expect(versionOf(file)).toBe(1);
  });
});
