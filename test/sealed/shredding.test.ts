/** What is left of a dropped namespace and of an isolated entry: in the files, and for whoever has the store's keys. */
import { cp } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { utf8Decode } from '../../src/bytes/bytes.ts';
import {
  decodeKeyPage,
  decodePack,
  decodePackHeader,
  decodeStoreConfig,
  KEY_PAGES_PREFIX,
  type KeySchedule,
  PACKS_PREFIX,
  STORE_CONFIG_KEY,
  verifyShard,
} from '../../src/format/index.ts';
import { createStore, openStore, type Store } from '../../src/index.ts';
import { type Keyring, unlock } from '../../src/keys/index.ts';
import { noise } from '../support/contents.ts';
import { filesOf, honest, metadataPath, SEALED_OPTIONS } from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';
import { WindowScan } from '../support/window-scan.ts';

const TENANT = 'tenant that will be dropped';
const CONTENT = noise(9000, 5);
const NAME = 'the name of an entry that nobody shall ever see again';

async function keyringOf(files: ReadonlyMap<string, Uint8Array>): Promise<Keyring> {
  const config = decodeStoreConfig(files.get(STORE_CONFIG_KEY) ?? new Uint8Array(0));
  if (config.keys === 'none') throw new Error('the store is sealed');
  return await unlock(config, SEALED_OPTIONS.keys);
}

/** The parts of a config that lead to a secret: the sealed ring, as text and as bytes. */
function addRing(scan: WindowScan, files: ReadonlyMap<string, Uint8Array>): void {
  const config = JSON.parse(utf8Decode(files.get(STORE_CONFIG_KEY) ?? new Uint8Array(0))) as { keys: { ring: string } };
  scan.add('the old ring, which the master key still opens', Buffer.from(config.keys.ring));
  scan.add('the old ring in bytes', Buffer.from(config.keys.ring, 'base64'));
}

async function shown(scan: WindowScan, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, bytes] of await filesOf(folder))
    for (const what of scan.find(bytes)) found.push(`${name}: ${what}`);
  return found;
}

async function newStore(): Promise<{ readonly folder: string; readonly store: Store }> {
  const folder = await testFolder();
  const store = closedAfterTest(await createStore(folder, SEALED_OPTIONS));
  await store.put('stays', 'something that stays');
  return { folder, store };
}

/** Every pack of a namespace, by its name. */
function packsOf(files: ReadonlyMap<string, Uint8Array>, isTheirs: (namespace: number) => boolean) {
  return [...files].filter(
    ([name, blob]) => name.startsWith(PACKS_PREFIX) && isTheirs(decodePackHeader(verifyShard(blob).data).namespace),
  );
}

/** What is sealed in a pack, and what seals it. */
function addPack(
  scan: WindowScan,
  schedule: KeySchedule,
  { name, blob }: { readonly name: string; readonly blob: Uint8Array },
): void {
  const { data } = verifyShard(blob);
  const { salt = new Uint8Array(0), ...header } = decodePackHeader(data);
  scan.add(`pack ${name}`, data.subarray(128, -64));
  if (schedule.hasNamespace(header.namespace)) scan.add(`the key of ${name}`, schedule.packKey({ ...header, salt }));
}

describe('a dropped namespace', () => {
  it('leaves no key, no seal of a key, no sealed bytes of its packs and no plaintext in any file', async () => {
    const { folder, store } = await newStore();
    await store.namespaces.create(TENANT);
    const { number } = (await keyringOf(await filesOf(folder))).namespace(TENANT);
    await store.namespace(TENANT).put(NAME, CONTENT);
    await store.namespace(TENANT).put('isolated there', CONTENT, { isolation: 'entry' });
    const before = await filesOf(folder);
    const { schedule, secrets } = await keyringOf(before);
    const scan = new WindowScan();
    addRing(scan, before);
    scan.add('the secret', secrets.namespaces.find((one) => one.number === number)?.secret ?? new Uint8Array(0));
    for (const [what, key] of [
      ['the id key', schedule.idKey(number)],
      ['the operation key', schedule.operationKey(number)],
      ['the content', CONTENT],
      ['the name', Buffer.from(NAME)],
    ] as const)
      scan.add(what, key);
    for (const [name, page] of before)
      if (name.startsWith(KEY_PAGES_PREFIX)) scan.add(`key page ${name}`, page.subarray(40));
    const packs = packsOf(before, (namespace) => namespace !== 0);
    expect(packs.length).toBeGreaterThanOrEqual(2);
    for (const [name, blob] of packs) addPack(scan, schedule, { name, blob });
    expect((await shown(scan, folder)).length).toBeGreaterThan(3);

    expect(await store.namespaces.drop(TENANT, { shred: true })).toEqual({ done: true, pending: [] });
    expect(await shown(scan, folder), 'while it is open').toEqual([]);
    await store.close();
    expect(await shown(scan, folder), 'at rest').toEqual([]);
  });

  it('is not said to be gone while somebody reads metadata in which its key still is', async () => {
    const { folder, store } = await newStore();
    await store.namespaces.create(TENANT);
    const reader = new DatabaseSync(metadataPath(folder), { readOnly: true });
    try {
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM settings').get();
      const report = await store.namespaces.drop(TENANT, { shred: true });
      expect(report).toMatchObject({ done: false, pending: [expect.stringContaining('metadata')] });
    } finally {
      reader.close();
    }
    expect(await store.namespaces.shred()).toEqual({ done: true, pending: [] });
  });

  it('is read by nobody from a copy of its packs, whatever keys the store has by then', async () => {
    const { folder, store } = await newStore();
    await store.namespaces.create(TENANT);
    await store.namespace(TENANT).put(NAME, CONTENT);
    const before = await filesOf(folder);
    const packs = packsOf(before, (namespace) => namespace !== 0);
    expect(packs.length).toBeGreaterThan(0);
    const old = await keyringOf(before);
    for (const [, blob] of packs)
      expect(decodePack(verifyShard(blob).data, (pack) => old.schedule.packKey(pack)).items.length).toBeGreaterThan(0);

    await store.namespaces.drop(TENANT, { shred: true });
    await store.close();
    const { schedule } = await keyringOf(await filesOf(folder));
    for (const [, blob] of packs) {
      const { data } = verifyShard(blob);
      const { code } = await honest(async () => decodePack(data, (pack) => schedule.packKey(pack)));
      expect(code).toBe('NAMESPACE_KEY_GONE');
      for (const { number } of [{ number: 0 }]) {
        const guessed = await honest(async () =>
          decodePack(data, (pack) => schedule.packKey({ ...pack, namespace: number })),
        );
        expect(guessed.code).toBe('PACK_CORRUPT');
      }
    }
  });
});

describe('an isolated entry', () => {
  it.each(['deleted', 'replaced', 'replaced by another isolated one'])('leaves nothing behind when %s', async (how) => {
    const { folder, store } = await newStore();
    await store.put(NAME, CONTENT, { isolation: 'entry' });
    const before = await filesOf(folder);
    const [page] = [...before].filter(([name]) => name.startsWith(KEY_PAGES_PREFIX));
    if (page === undefined) throw new Error('the entry has a key page');
    const namespace = Number.parseInt(page[0].slice(KEY_PAGES_PREFIX.length), 16);
    const { schedule } = await keyringOf(before);
    const secret = decodeKeyPage(page[1], namespace, schedule);
    schedule.learn(namespace, secret);
    const scan = new WindowScan();
    scan.add('the secret', secret);
    scan.add('the sealed secret', page[1].subarray(40));
    scan.add('the content', CONTENT);
    for (const [name, blob] of packsOf(before, (one) => one === namespace)) addPack(scan, schedule, { name, blob });
    expect((await shown(scan, folder)).length).toBeGreaterThan(1);

    if (how === 'deleted') await store.delete(NAME);
    else await store.put(NAME, 'something else', how === 'replaced' ? {} : { isolation: 'entry' });
    expect(
      (await shown(scan, folder)).filter((what) => !what.includes('pack ')),
      'keys, at once',
    ).toEqual([]);
    await store.namespaces.shred();
    expect(await shown(scan, folder), 'while it is open').toEqual([]);
    await store.close();
    expect(await shown(scan, folder), 'at rest').toEqual([]);
  });

  it('is gone for the holder of all keys who copied its packs, but not its key', async () => {
    const { folder, store } = await newStore();
    await store.put(NAME, CONTENT, { isolation: 'entry' });
    const copy = await testFolder();
    await cp(folder, copy, { recursive: true });
    await store.delete(NAME);
    await store.close();
    const files = await filesOf(copy);
    const { schedule } = await keyringOf(files);
    for (const [, blob] of packsOf(files, (namespace) => namespace !== 0)) {
      const { code } = await honest(async () => decodePack(verifyShard(blob).data, (pack) => schedule.packKey(pack)));
      expect(code).toBe('NAMESPACE_KEY_GONE');
    }
    const reopened = closedAfterTest(await openStore(folder, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 }));
    expect(await reopened.has(NAME)).toBe(false);
    expect(await reopened.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });
});
