/** Somebody whose slot was removed, with what they had and everything that lies in the folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeKeyPage,
  decodePack,
  decodePackHeader,
  decodeStoreConfig,
  JOURNAL_PREFIX,
  KEY_PAGES_PREFIX,
  KeySchedule,
  openRecord,
  PACKS_PREFIX,
  RECORD_TRAILER_BYTES,
  type RingSecrets,
  STORE_CONFIG_KEY,
  verifyShard,
} from '../../src/format/index.ts';
import { generateIdentity, type Identity, isStoreError, openStore } from '../../src/index.ts';
import { unlock } from '../../src/keys/index.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { storeIdOf } from '../../src/store/location.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { outcomeOf } from '../support/caught.ts';
import { noise, text } from '../support/contents.ts';
import {
  filesOf,
  honest,
  makeSampleStore,
  metadataPath,
  SEALED_OPTIONS,
  TENANT_NAME,
} from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const LATER = { 'written later': text('what nobody outside may know'), 'more of it': noise(70_000, 77) };

let folder: TemporaryFolder;
let guest: Identity;
/** As the guest kept them: the config, and the secrets that it opened. */
let oldConfig: Uint8Array;
let oldSecrets: RingSecrets;
let before: ReadonlyMap<string, Uint8Array>;
let after: ReadonlyMap<string, Uint8Array>;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  await makeSampleStore(folder.path);
  guest = generateIdentity('ml-kem-1024');
  const store = await openStore(folder.path, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 });
  const slot = await store.keys.add({ recipient: guest });
  before = await filesOf(folder.path);
  oldConfig = fileIn(before, STORE_CONFIG_KEY);
  oldSecrets = (await unlockOld()).secrets;
  await store.keys.remove(slot.id);
  for (const [key, bytes] of Object.entries(LATER)) {
    await store.put(key, bytes);
    await store.namespace(TENANT_NAME).put(key, bytes);
    await store.put(`${key}, alone`, bytes, { isolation: 'entry' });
  }
  await store.close();
  after = await filesOf(folder.path);
});

afterAll(() => folder.remove());

function fileIn(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return bytes;
}

async function unlockOld() {
  const config = decodeStoreConfig(oldConfig);
  if (config.keys === 'none') throw new Error('the store is sealed');
  return await unlock(config, { identity: guest });
}

/** Files that were written since the guest was removed. */
function newFiles(...prefixes: readonly string[]): readonly (readonly [string, Uint8Array])[] {
  return [...after].filter(([name]) => !before.has(name) && prefixes.some((prefix) => name.startsWith(prefix)));
}

/** The guest's secrets, and guesses at the next epoch made of everything they know. */
function guesses(): readonly KeySchedule[] {
  const { store, epochs, namespaces } = oldSecrets;
  const known = [store, ...epochs.map(({ secret }) => secret), ...namespaces.map(({ secret }) => secret)];
  const next = Math.max(...epochs.map(({ number }) => number)) + 1;
  const guessed = known.map(
    (secret) => new KeySchedule({ ...oldSecrets, epochs: [...epochs, { number: next, secret }] }),
  );
  return [new KeySchedule(oldSecrets), ...guessed];
}

/** Opens all of a pack. */
function readPack(blob: Uint8Array, schedule: KeySchedule): number {
  const { data } = verifyShard(blob);
  const { identity, items } = decodePack(data, (pack) => schedule.packKey(pack));
  for (const item of items) {
    openRecord(identity, item, data.subarray(item.offset, item.offset + item.storedLength + RECORD_TRAILER_BYTES));
  }
  return items.length;
}

describe('a removed identity', () => {
  it('could read all packs until it was removed', () => {
    const [schedule] = guesses();
    const packs = [...before].filter(([name]) => name.startsWith(JOURNAL_PREFIX));
    expect(packs.length).toBeGreaterThan(0);
    for (const [, blob] of packs) expect(schedule && readPack(blob, schedule)).toBeGreaterThan(0);
  });

  it('does not open the store with its new config', async () => {
    await expect(openStore(folder.path, { keys: { identity: guest } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  it('opens no pack that was written since, with its old keys, guesses made of them and what key pages tell', () => {
    const packs = newFiles(PACKS_PREFIX, JOURNAL_PREFIX);
    const pages = newFiles(KEY_PAGES_PREFIX);
    expect(packs.length).toBeGreaterThan(5);
    expect(pages).toHaveLength(2);
    for (const schedule of guesses()) {
      // Pages take no epoch: their secrets are no use without one.
      for (const [name, page] of pages) {
        const namespace = Number.parseInt(name.slice(KEY_PAGES_PREFIX.length), 16);
        schedule.learn(namespace, decodeKeyPage(page, namespace, schedule));
      }
      for (const [name, blob] of packs) {
        const outcome = outcomeOf(() => readPack(blob, schedule));
        expect(['denied/EPOCH_UNKNOWN', 'corrupt/PACK_CORRUPT'], name).toContain(outcome);
      }
    }
  });

  it('finds nothing written since under an epoch that it knows', () => {
    const known = oldSecrets.epochs.map(({ number }) => number);
    for (const [name, blob] of newFiles(PACKS_PREFIX, JOURNAL_PREFIX))
      expect(known, name).not.toContain(decodePackHeader(verifyShard(blob).data).epoch);
  });

  it('does not unlock the metadata, though it writes its own config into it', async () => {
    const copy = await testFolder();
    const file = path.join(copy, 'metadata.sqlite');
    await writeFile(file, fileIn(after, '.metadata/store.sqlite'));
    const database = new DatabaseSync(file);
    database.exec("DELETE FROM settings WHERE name = 'config'");
    database.close();
    const storeId = storeIdOf(decodeStoreConfig(oldConfig));
    for (const readOnly of [true, false]) {
      const metadata = await openSqlMetadata({
        path: file,
        storeId,
        create: false,
        readOnly,
        busyTimeoutMs: 0,
        sealed: true,
      });
      try {
        const { code } = await honest(() => metadata.unlock(oldSecrets, decodeStoreConfig(oldConfig).generation));
        // The head of the store is sealed under the new epoch.
        expect(code).toBe('METADATA_CORRUPT');
        await expect(metadata.listEntries({ limit: 10 })).rejects.toSatisfy((error) => isStoreError(error));
      } finally {
        await metadata.close();
      }
    }
  });

  it('finds rows under an old epoch only where they were written before', async () => {
    const known = new Set(oldSecrets.epochs.map(({ number }) => number));
    const database = new DatabaseSync(metadataPath(folder.path), { readOnly: true });
    const epochOf = (row: Readonly<Record<string, unknown>>): number =>
      Buffer.from(row.sealed as Uint8Array).readUInt32LE(0);
    try {
      const entries = database.prepare('SELECT sealed FROM entries').all().map(epochOf);
      expect(entries.filter((epoch) => !known.has(epoch))).toHaveLength(3 * Object.keys(LATER).length);
      for (const table of ['head', 'names_roots']) {
        const epochs = database.prepare(`SELECT sealed FROM ${table}`).all().map(epochOf);
        expect(
          epochs.some((epoch) => known.has(epoch)),
          table,
        ).toBe(false);
      }
    } finally {
      database.close();
    }
  });

  it('gets nowhere by putting its old config back; the others still open the store, and repair it', async () => {
    const copy = await testFolder();
    for (const [name, bytes] of after) {
      await mkdir(path.dirname(path.join(copy, name)), { recursive: true });
      await writeFile(path.join(copy, name), name === STORE_CONFIG_KEY ? oldConfig : bytes);
    }
    for (const readOnly of [true, false]) {
      const opening = openStore(copy, { keys: { identity: guest }, readOnly, reserveBytes: 0 });
      await expect(opening).rejects.toMatchObject({ code: 'WRONG_KEY' });
    }
    const reading = closedAfterTest(await openStore(copy, { keys: SEALED_OPTIONS.keys, readOnly: true }));
    expect(await reading.get('written later')).toEqual(LATER['written later']);
    const report = await reading.maintenance.check();
    expect(report.problems.map(({ code }) => code)).toEqual(['CONFIG_CORRUPT']);
    await reading.close();
    expect(fileIn(await filesOf(copy), STORE_CONFIG_KEY)).toEqual(oldConfig);
    const store = closedAfterTest(await openStore(copy, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 }));
    expect(fileIn(await filesOf(copy), STORE_CONFIG_KEY)).toEqual(fileIn(after, STORE_CONFIG_KEY));
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });
});
