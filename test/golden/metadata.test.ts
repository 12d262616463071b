/** Metadata of older schema versions: brought up to date by who writes, read as it is else. */
import { cpSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { openSqliteMetadata } from '../../src/metadata/index.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { SAMPLE_STORE } from '../support/format-samples.ts';
import { idOf } from '../support/metadata-samples.ts';
import { NamedChanges } from '../support/named-changes.ts';
import { unlocked } from '../support/sealed-metadata.ts';
import { testFolder } from '../support/stores.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1');

/**
 * A copy of metadata as the last release with schema version 2 wrote it: three entries, a pack on three backends, a
 * chunk in the outbox. The sealed one has the sample keys.
 */
async function copyOfSecond(kind: string): Promise<string> {
  return await copyOfVersion(2, kind);
}

async function copyOfVersion(version: number, kind: string): Promise<string> {
  const file = path.join(await testFolder(), 'metadata.sqlite');
  cpSync(path.join(GOLDEN, 'metadata', `${kind}-${version}.sqlite`), file);
  return file;
}

/** Commits one of everything that version 3 has tables for. */
async function commitNamed(metadata: Metadata, c = new NamedChanges()): Promise<void> {
  const changes = [c.policy({}), c.put('b', 'newer'), c.relate('b', 'd'), c.object('o'), c.ref('r', 'o')];
  expect(await metadata.commit([{ changes, inline: [] }])).toMatchObject([{ ok: true }]);
}

async function expectNothingNamed(metadata: Metadata, c = new NamedChanges()): Promise<void> {
  expect(await metadata.getObjects([c.objectKey('o')])).toEqual([undefined]);
  expect(await metadata.listObjects({ namespace: 0, limit: 9 })).toEqual({ rows: [] });
  const digestPrefix = new Uint8Array(1);
  expect(await metadata.listObjects({ namespace: 0, digestPrefix, limit: 9 })).toEqual({ rows: [] });
  expect(await metadata.getRefs([c.key('r')])).toEqual([undefined]);
  expect(await metadata.listRefs({ namespace: 0, limit: 9 })).toEqual([]);
  expect(await metadata.getHistory('version', c.key('b'), { limit: 9 })).toEqual([]);
  for (const kind of ['version', 'move'] as const)
    expect(await metadata.listHistories(kind, { namespace: 0, limit: 9 })).toEqual({ keys: [] });
  expect(await metadata.getRelations([c.key('b')])).toEqual([undefined]);
  expect(await metadata.childrenOf(c.key('d'), { limit: 9 })).toEqual([]);
  expect(await metadata.ancestorsOf(c.key('b'), { limit: 9 })).toEqual([]);
  expect(await metadata.descendantsOf(c.key('d'), { limit: 9 })).toEqual([]);
  expect(await metadata.getPolicy(0)).toBeUndefined();
  expect(await metadata.counters()).toMatchObject({ objects: 0, refs: 0 });
  const { tables, problems } = await metadata.check();
  expect(problems).toEqual([]);
  expect(tables.filter(({ damagedRows, sumMatches }) => damagedRows > 0 || !sumMatches)).toEqual([]);
}

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
  it.each(['store', 'sealed-store'])('is brought to version 4 by opening it for writing (%s)', async (store) => {
    const file = await copyOf(store);
    expect(versionOf(file)).toBe(1);
    const sealed = store === 'sealed-store';
    const metadata = await openSqliteMetadata({ path: file, storeId: storeIdOf(file), create: false, sealed });
    await metadata.close();
    expect(versionOf(file)).toBe(4);
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
    await expectNothingNamed(metadata);
    await metadata.close();
    expect(versionOf(file)).toBe(1);
  });
});

describe.each(['plain', 'sealed'])('%s metadata of version 2', (kind) => {
  const open = (file: string, readOnly: boolean): Promise<Metadata> => {
    const sealed = kind === 'sealed';
    const opening = openSqlMetadata({
      ...{ path: file, storeId: SAMPLE_STORE, create: false, readOnly, busyTimeoutMs: 1000, sealed },
    });
    return sealed ? unlocked(opening) : opening;
  };

  it('holds what it held when it is brought to version 4, and then what is new', async () => {
    const file = await copyOfSecond(kind);
    expect(versionOf(file)).toBe(2);
    const reader = await open(file, true);
    const digests = await reader.stateDigests();
    const packs = await reader.listPacks({ limit: 9 });
    expect(packs).toMatchObject([{ places: [1, 2, 0] }]);
    await reader.close();
    expect(versionOf(file)).toBe(2);
    const metadata = await open(file, false);
    expect(versionOf(file)).toBe(4);
    expect(await metadata.stateDigests()).toEqual(digests);
    expect(await metadata.listPacks({ limit: 9 })).toEqual(packs);
    await expectNothingNamed(metadata);
    await commitNamed(metadata);
    expect(await metadata.counters()).toMatchObject({ entries: 3, objects: 1, refs: 1 });
    expect((await metadata.check()).problems).toEqual([]);
    await metadata.close();
    const again = await open(file, true);
    expect(await again.ancestorsOf(new NamedChanges().key('b'), { limit: 9 })).toHaveLength(1);
    await again.close();
  });

  it('shows nothing of what it does not have to who only reads it, whatever another process writes then', async () => {
    const file = await copyOfSecond(kind);
    const reader = await open(file, true);
    await expectNothingNamed(reader);
    const writer = await open(file, false);
    await commitNamed(writer);
    await expectNothingNamed(reader);
    expect(await reader.counters()).toMatchObject({ entries: 3 });
    await writer.close();
    await reader.close();
  });
});

/**
 * As the last release with schema version 3 wrote it: three entries, one of them with an earlier version and a parent, a
 * pack, chunks in the outbox, two objects, a ref that moved.
 */
describe.each(['plain', 'sealed'])('%s metadata of version 3', (kind) => {
  const open = (file: string, readOnly: boolean): Promise<Metadata> => {
    const sealed = kind === 'sealed';
    const opening = openSqlMetadata({
      ...{ path: file, storeId: SAMPLE_STORE, create: false, readOnly, busyTimeoutMs: 1000, sealed },
    });
    return sealed ? unlocked(opening) : opening;
  };

  it('can be read as it is', async () => {
    const file = await copyOfVersion(3, kind);
    const reader = await open(file, true);
    expect(await reader.counters()).toMatchObject({ entries: 3, objects: 2, refs: 1 });
    expect(await reader.locate('chunk', concatBytes([idOf('a'), idOf('i')]))).toMatchObject([
      { condemned: false, pack: { liveBytes: 0, condemned: 0 } },
      { condemned: false, outbox: { commit: 1 } },
    ]);
    expect(await reader.collectionState()).toMatchObject({ epoch: 0, uncounted: 0, censusDone: false });
    expect(await reader.listSessions()).toMatchObject([{ epoch: 0, beat: 0, process: '', ended: false }]);
    expect((await reader.check()).problems).toEqual([]);
    await reader.close();
    expect(versionOf(file)).toBe(3);
  });

  it('counts what it held once it is brought to version 4, and what is new', async () => {
    const file = await copyOfVersion(3, kind);
    const reader = await open(file, true);
    const digests = await reader.stateDigests();
    await reader.close();
    const metadata = await open(file, false);
    expect(versionOf(file)).toBe(4);
    expect(await metadata.stateDigests()).toEqual(digests);
    await metadata.fenceSessions((await metadata.listSessions()).map(({ id }) => id));
    const c = new NamedChanges();
    expect(await metadata.commit([{ changes: [c.object('later')], inline: [] }])).toMatchObject([{ ok: true }]);
    // Nothing is to be counted before the census meets it, whatever changes.
    expect(await metadata.uncountedReferences({ limit: 99 })).toEqual([]);
    while (!(await metadata.census(1)));
    const rows = await metadata.uncountedReferences({ limit: 99 });
    const kinds = Object.groupBy(rows, ({ kind: of }) => of);
    // Four values of entries, three objects, and what a ref and its two moves name.
    expect([kinds.content?.length, kinds.object?.length, kinds.target?.length]).toEqual([4, 3, 4]);
    expect((await metadata.check()).problems).toEqual([]);
    await metadata.close();
  });
});
