/** Older and other copies of a whole store in its place: what only a client's own memory tells. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeStoreConfig, encodeStoreConfig, STORE_CONFIG_KEY } from '../../src/format/index.ts';
import {
  combineIdentity,
  createStore,
  diagnoseStore,
  formatPublicIdentity,
  generateIdentity,
  type Identity,
  openStore,
  rebuildStore,
  type Store,
  splitIdentity,
  writeIdentity,
} from '../../src/index.ts';
import { createSealed, rotate } from '../../src/keys/index.ts';
import { makeTemporaryFolder } from '../../src/testing/index.ts';
import { keyContext } from '../support/sealed.ts';
import { filesOf, metadataPath, SEALED_OPTIONS } from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const KEYS = SEALED_OPTIONS.keys;

/** A store with what a client remembers of it, closed. */
async function remembered(): Promise<{ readonly folder: string; readonly rollbackGuard: string }> {
  const [folder, rollbackGuard] = [await testFolder(), await testFolder()];
  const store = await createStore(folder, { ...SEALED_OPTIONS, rollbackGuard });
  await store.put('first', 'one');
  await store.close();
  return { folder, rollbackGuard };
}

async function opened(folder: string, options: object = {}): Promise<Store> {
  return closedAfterTest(await openStore(folder, { keys: KEYS, reserveBytes: 0, ...options }));
}

async function change(folder: string, work: (store: Store) => Promise<unknown>, options: object = {}): Promise<void> {
  const store = await opened(folder, options);
  await work(store);
  await store.close();
}

async function replace(folder: string, copy: string): Promise<void> {
  await rm(folder, { recursive: true });
  await cp(copy, folder, { recursive: true });
}

async function copyOf(folder: string): Promise<string> {
  const copy = await testFolder();
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** A store that somebody makes who sees nothing but the config of another: it opens with the other's secret. */
async function forgeryOf(folder: string, identity: Identity): Promise<string> {
  const forged = await testFolder();
  const config = decodeStoreConfig(await readFile(path.join(folder, STORE_CONFIG_KEY)));
  const recipient = formatPublicIdentity(identity);
  const made = await createSealed(config, [KEYS, { recipient }], keyContext(1));
  await writeFile(path.join(forged, STORE_CONFIG_KEY), encodeStoreConfig(rotate(made, keyContext(2)).config));
  await change(forged, (store) => store.put('theirs', 'theirs'));
  return forged;
}

const ROLLBACK = { code: 'ROLLBACK_DETECTED', kind: 'corrupt' };

describe('a store that was there before', () => {
  it('is told when its data went back, read-only too, and opened only when that is accepted', async () => {
    const { folder, rollbackGuard } = await remembered();
    const copy = await copyOf(folder);
    await change(folder, (store) => store.put('second', 'two'), { rollbackGuard });
    await replace(folder, copy);
    for (const readOnly of [true, false])
      await expect(opened(folder, { rollbackGuard, readOnly })).rejects.toMatchObject(ROLLBACK);
    const accepted = await opened(folder, { rollbackGuard, acceptRollback: true });
    expect(await accepted.has('second')).toBe(false);
    await accepted.close();
    await change(folder, (store) => store.put('third', 'three'), { rollbackGuard });
  });

  it('is told when its keys went back and nothing else', async () => {
    const { folder, rollbackGuard } = await remembered();
    const copy = await copyOf(folder);
    await change(folder, (store) => store.keys.rotate(), { rollbackGuard });
    await replace(folder, copy);
    await expect(opened(folder, { rollbackGuard })).rejects.toMatchObject(ROLLBACK);
  });

  it.each([
    ['as many commits', 1],
    ['more commits', 3],
  ])('is told when a copy took its place that went on by itself, with %s', async (_, commits) => {
    const { folder, rollbackGuard } = await remembered();
    const fork = await copyOf(folder);
    await change(folder, (store) => store.put('ours', 'ours'), { rollbackGuard });
    await change(fork, async (store) => {
      for (let index = 0; index < commits; index += 1) await store.put(`theirs ${index}`, 'theirs');
    });
    await replace(folder, fork);
    await expect(opened(folder, { rollbackGuard })).rejects.toMatchObject(ROLLBACK);
  });

  it('is told when a whole store was made in its place that opens with the same secret', async () => {
    const [folder, rollbackGuard] = [await testFolder(), await testFolder()];
    const identity = generateIdentity('ml-kem-1024');
    await (await createStore(folder, { ...SEALED_OPTIONS, keys: { identity }, rollbackGuard })).close();
    await replace(folder, await forgeryOf(folder, identity));
    const before = await filesOf(folder);
    for (const readOnly of [true, false]) {
      const opening = opened(folder, { keys: { identity }, rollbackGuard, readOnly });
      await expect(opening).rejects.toMatchObject({ ...ROLLBACK, message: expect.stringContaining('another store') });
    }
    await expect(rebuildStore(folder, { keys: { identity }, rollbackGuard, reserveBytes: 0 })).rejects.toMatchObject(
      ROLLBACK,
    );
    const { findings } = await diagnoseStore(folder, { keys: { identity }, rollbackGuard });
    expect(findings).toContainEqual(expect.objectContaining({ subject: 'rollback', status: 'error' }));
    const after = await filesOf(folder);
    for (const [name, bytes] of before) expect(after.get(name), name).toEqual(bytes);
    expect([...after.keys()].filter((name) => !before.has(name))).toEqual([]);
    const accepted = await opened(folder, { keys: { identity }, rollbackGuard, acceptRollback: true });
    expect(await accepted.has('theirs')).toBe(true);
  });

  it('keeps its metadata when it is to be rebuilt with keys that somebody else made', async () => {
    const folder = await testFolder();
    const identity = generateIdentity('ml-kem-1024');
    await (await createStore(folder, { ...SEALED_OPTIONS, keys: { identity } })).close();
    await change(folder, (store) => store.put('ours', 'ours'), { keys: { identity } });
    const forged = await forgeryOf(folder, identity);
    const config = await readFile(path.join(folder, STORE_CONFIG_KEY));
    await cp(path.join(forged, STORE_CONFIG_KEY), path.join(folder, STORE_CONFIG_KEY));
    await rm(path.join(folder, 'journal'), { recursive: true });
    const rebuilding = rebuildStore(folder, { keys: { identity } });
    await expect(rebuilding).rejects.toMatchObject({ code: 'CONFIG_CORRUPT', kind: 'corrupt' });
    await writeFile(path.join(folder, STORE_CONFIG_KEY), config);
    expect(await (await opened(folder, { keys: { identity } })).has('ours')).toBe(true);
  });

  it('is nothing to tell of when it only went on, here or elsewhere', async () => {
    const { folder, rollbackGuard } = await remembered();
    await change(folder, async (store) => {
      for (let index = 0; index < 20; index += 1) await store.put(`more ${index}`, 'more');
      await store.keys.rotate();
    });
    await change(folder, (store) => store.put('again', 'again'), { rollbackGuard });
    await change(folder, (store) => store.keys.rekey(), { rollbackGuard });
    expect(await (await opened(folder, { rollbackGuard })).get('again')).toHaveLength(5);
  });
});

describe('metadata from before its keys were forgotten', () => {
  it('does not open, and is made anew by a rebuild', async () => {
    const folder = await testFolder();
    const store = await createStore(folder, SEALED_OPTIONS);
    await store.put('before', 'one');
    await store.close();
    const old = path.join(await testFolder(), 'old');
    await cp(metadataPath(folder), old);
    await change(folder, async (again) => {
      await again.keys.rotate();
      await again.keys.rekey();
      await again.put('after', 'two');
    });
    await cp(old, metadataPath(folder));
    await expect(opened(folder)).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    expect(await rebuildStore(folder, { keys: KEYS, reserveBytes: 0 })).toMatchObject({ entries: 2, problems: [] });
    const rebuilt = await opened(folder);
    expect(Buffer.from(await rebuilt.get('before')).toString()).toBe('one');
    expect(Buffer.from(await rebuilt.get('after')).toString()).toBe('two');
    expect(await rebuilt.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });
});

describe('a plain store', () => {
  it('in the place of a sealed one, with its id, is refused to whoever has keys, and takes no data', async () => {
    const [folder, plain] = [await testFolder(), await testFolder()];
    await (await createStore(folder, SEALED_OPTIONS)).close();
    await (await createStore(plain, { keys: 'none', reserveBytes: 0 })).close();
    const config = decodeStoreConfig(await readFile(path.join(folder, STORE_CONFIG_KEY)));
    const own = decodeStoreConfig(await readFile(path.join(plain, STORE_CONFIG_KEY)));
    await writeFile(path.join(folder, STORE_CONFIG_KEY), encodeStoreConfig({ ...own, storeId: config.storeId }));
    const before = await filesOf(folder);
    for (const readOnly of [true, false]) {
      await expect(opened(folder, { readOnly })).rejects.toMatchObject({ code: 'STORE_NOT_SEALED', kind: 'denied' });
      // Without keys it is not taken for a plain one either: its metadata says what it is.
      const without = openStore(folder, { readOnly, reserveBytes: 0 });
      await expect(without).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    }
    const after = await filesOf(folder);
    for (const [name, bytes] of before) expect(after.get(name), name).toEqual(bytes);
  });
});

describe('the shares of an identity', () => {
  const identity = generateIdentity('ml-kem-1024');
  let folder: string;
  let shares: readonly string[];

  beforeAll(async () => {
    const temporary = await makeTemporaryFolder();
    folder = temporary.path;
    const store = await createStore(path.join(folder, 'store'), { ...SEALED_OPTIONS, keys: { identity } });
    await store.put('kept', 'for better days');
    await store.close();
    shares = await splitIdentity(identity, { shares: 5, threshold: 3 });
    return () => temporary.remove();
  });

  it('open the store again when there are enough, whichever', async () => {
    for (const some of [
      [0, 1, 2],
      [4, 2, 0],
      [1, 3, 4],
    ]) {
      const restored = await combineIdentity(some.map((index) => shares[index] ?? ''));
      expect(restored.fingerprint).toBe(identity.fingerprint);
      const store = closedAfterTest(await openStore(path.join(folder, 'store'), { keys: { identity: restored } }));
      expect(Buffer.from(await store.get('kept')).toString()).toBe('for better days');
      await store.close();
    }
    const file = path.join(folder, 'restored.json');
    await writeIdentity(file, await combineIdentity(shares.slice(2)));
    const store = await openStore(path.join(folder, 'store'), { keys: { identity: file }, readOnly: true });
    await store.close();
  });

  it('give no identity at all when there are too few, one twice or one of another split', async () => {
    const [one = '', two = ''] = shares;
    const foreign = await splitIdentity(generateIdentity('ml-kem-1024'), { shares: 5, threshold: 3 });
    for (const some of [[one], [one, two], [one, two, two], [one, two, foreign[2] ?? '']])
      await expect(combineIdentity(some)).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
  });
});
