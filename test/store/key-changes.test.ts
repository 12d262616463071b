import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { createStore, openOrCreateStore, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { generateIdentity } from '../../src/keys/index.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const KEY = { key: new Uint8Array(32).fill(1) };
const OTHER = { key: new Uint8Array(32).fill(2) };
const SOUND = { outcome: 'ok', problemCount: 0 };

async function sealedStore(folder: string, keys = KEY): Promise<Store> {
  return closedAfterTest(await createStore(folder, { keys, reserveBytes: 0 }));
}

async function reopened(folder: string, keys = KEY): Promise<Store> {
  return closedAfterTest(await openStore(folder, { keys, reserveBytes: 0 }));
}

describe('a sealed store', () => {
  it('keeps what a plain one keeps', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    const large = noise(3_000_000);
    await store.put('large', large, { contentType: 'a/b', attributes: { name: 'value' } });
    await store.put('small', 'tiny');
    await store.copy('small', 'copy');
    await store.rename('small', 'renamed');
    await store.close();
    const again = await reopened(folder);
    expect(again.sealed).toBe(true);
    expect(await again.get('large')).toEqual(large);
    expect(await again.stat('large')).toMatchObject({ contentType: 'a/b', attributes: { name: 'value' } });
    expect((await Array.fromAsync(again.list())).map(({ key }) => key)).toEqual(['copy', 'large', 'renamed']);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('is rebuilt from its packs', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    await store.namespaces.create('tenant');
    await store.namespace('tenant').put('a', 'of the tenant');
    await store.put('a', 'of the store');
    await store.put('alone', 'isolated', { isolation: 'entry' });
    await store.close();
    expect(await rebuildStore(folder, { keys: KEY })).toMatchObject({ entries: 3, problems: [] });
    const again = await reopened(folder);
    expect(await again.get('alone')).toEqual(text('isolated'));
    expect(await again.namespace('tenant').get('a')).toEqual(text('of the tenant'));
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('is opened or created in one step', async () => {
    const folder = path.join(await testFolder(), 'new');
    const store = closedAfterTest(await openOrCreateStore(folder, { keys: KEY, reserveBytes: 0 }));
    await store.put('a', 'x');
    await store.close();
    const again = closedAfterTest(await openOrCreateStore(folder, { keys: KEY, reserveBytes: 0 }));
    expect(await again.has('a')).toBe(true);
    await expect(openOrCreateStore(folder, { keys: OTHER })).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  it('asks for keys, and takes no others', async () => {
    const folder = await testFolder();
    await (await sealedStore(folder)).close();
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
    await expect(openStore(folder, { keys: OTHER })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await expect(openStore(folder, { keys: async () => OTHER })).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  it('is not the plain one that was meant, nor the other way round', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    expect(store.sealed).toBe(false);
    await expect(store.keys.list()).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    await expect(store.namespaces.create('a')).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    await expect(store.namespace('a').put('b', 'c')).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    await expect(store.put('a', 'b', { isolation: 'entry' })).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    await store.close();
    await expect(openStore(folder, { keys: KEY })).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
  });
});

describe('keys of a store', () => {
  it('let others in and shut them out', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    await store.put('a', 'before');
    const identity = generateIdentity('ml-kem-1024', systemRandom);
    const added = await store.keys.add({ identity, label: 'a friend' });
    expect(await store.keys.label(added.id, 'an old friend')).toMatchObject({ label: 'an old friend' });
    expect((await store.keys.list()).map(({ label }) => label)).toEqual(['key-file', 'an old friend']);
    const friend = closedAfterTest(await openStore(folder, { keys: { identity }, reserveBytes: 0 }));
    expect(await friend.get('a')).toEqual(text('before'));
    await friend.close();
    expect(await store.keys.remove(added.id)).toMatchObject({ epoch: 2 });
    await store.put('b', 'after');
    await expect(openStore(folder, { keys: { identity } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const [own] = await store.keys.list();
    await expect(store.keys.remove(own?.id ?? '')).rejects.toMatchObject({ code: 'LAST_SLOT' });
    await expect(store.keys.remove('00000000')).rejects.toMatchObject({ code: 'SLOT_NOT_FOUND' });
    await store.close();
    expect(await (await reopened(folder)).get('b')).toEqual(text('after'));
  });

  it('change their passphrase', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: { passphrase: 'first' }, reserveBytes: 0 }));
    const [slot] = await store.keys.list();
    expect(await store.keys.changePassphrase(slot?.id ?? '', { passphrase: 'second' })).toMatchObject({ id: slot?.id });
    await store.put('a', 'x');
    await store.close();
    await expect(openStore(folder, { keys: { passphrase: 'first' } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const again = closedAfterTest(await openStore(folder, { keys: { passphrase: 'second' }, reserveBytes: 0 }));
    expect(await again.get('a')).toEqual(text('x'));
  });

  it('are rotated without rewriting data, and old data is re-sealed when asked', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    const content = noise(300_000);
    await store.put('a', content);
    await store.put('alone', 'isolated', { isolation: 'entry' });
    const { storedBytes } = await store.stats();
    expect(await store.keys.rotate()).toMatchObject({ epoch: 2 });
    expect((await store.stats()).storedBytes).toBe(storedBytes);
    await store.put('b', 'new');
    const epochs = await store.keys.epochs();
    expect(epochs.map(({ epoch, packs }) => [epoch, packs > 0])).toEqual([
      [1, true],
      [2, true],
    ]);
    const steps: number[] = [];
    const report = await store.keys.rekey({ onProgress: ({ done }) => steps.push(done) });
    expect(report).toMatchObject({ done: true, forgotten: [1] });
    expect(steps).toHaveLength(report.packs);
    expect(await store.keys.epochs()).toMatchObject([{ epoch: 2 }]);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0 } });
    await store.close();
    const again = await reopened(folder);
    expect(await again.get('a')).toEqual(content);
    expect(await again.get('alone')).toEqual(text('isolated'));
    await again.close();
    expect(await rebuildStore(folder, { keys: KEY })).toMatchObject({ entries: 3, problems: [] });
  });

  it('are re-sealed up to an epoch before the present one', async () => {
    const store = closedAfterTest(await createStore('memory:', { keys: KEY }));
    await expect(store.keys.rekey({ epoch: 1 })).rejects.toMatchObject({ parameter: 'epoch' });
    await store.put('a', 'x');
    await store.keys.rotate();
    await store.put('b', 'y');
    await store.keys.rotate();
    expect(await store.keys.rekey({ epoch: 1 })).toMatchObject({ done: true, forgotten: [1] });
    expect((await store.keys.epochs()).map(({ epoch }) => epoch)).toEqual([2, 3]);
  });

  it('are not said to be gone while somebody reads metadata in which they still are', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    await store.put('a', 'x');
    await store.keys.rotate();
    const reader = new DatabaseSync(path.join(folder, '.metadata', 'store.sqlite'), { readOnly: true });
    try {
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM settings').get();
      const report = await store.keys.rekey();
      expect(report).toMatchObject({ done: false, forgotten: [1], pending: [expect.stringContaining('metadata')] });
    } finally {
      reader.close();
    }
    expect(await store.keys.rekey()).toMatchObject({ done: true, forgotten: [], pending: [] });
  });

  it('are kept for a pack that is damaged, and the report counts it', async () => {
    const folder = await testFolder();
    const store = await sealedStore(folder);
    await store.put('a', noise(300_000));
    for (const { parentPath, name } of await readdir(path.join(folder, 'packs'), {
      recursive: true,
      withFileTypes: true,
    }))
      if (name.length > 32) await truncate(path.join(parentPath, name), 1000);
    await store.keys.rotate();
    const pending = ['packs that are still sealed under old keys: 1'];
    expect(await store.keys.rekey()).toMatchObject({ done: false, forgotten: [], pending });
    expect((await store.keys.epochs()).map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('are followed by every process that has the store open', async () => {
    const folder = await testFolder();
    const one = await sealedStore(folder);
    const other = await reopened(folder);
    await one.put('a', 'x');
    expect(await other.get('a')).toEqual(text('x'));
    await one.keys.rotate();
    await one.put('b', 'under the new epoch');
    expect(await other.get('b')).toEqual(text('under the new epoch'));
    await other.put('c', 'by the other');
    const identity = generateIdentity('ml-kem-1024', systemRandom);
    const added = await one.keys.add({ identity });
    await one.keys.remove(added.id);
    await other.put('d', 'under a new master key');
    expect(await one.get('d')).toEqual(text('under a new master key'));
    await one.namespaces.create('tenant');
    await other.namespace('tenant').put('a', 'y');
    expect(await one.namespace('tenant').get('a')).toEqual(text('y'));
    expect(await other.keys.rekey()).toMatchObject({ done: true });
    expect(await one.get('a')).toEqual(text('x'));
  });

  it('seal what a put that is running writes from then on', async () => {
    const content = noise(6_000_000);
    const half = content.length / 2;
    const packsOf = async (between: (store: Store) => Promise<unknown>): Promise<number> => {
      const store = closedAfterTest(await createStore('memory:', { keys: KEY }));
      async function* halves(): AsyncGenerator<Uint8Array> {
        yield content.subarray(0, half);
        await between(store);
        yield content.subarray(half);
      }
      await store.put('a', halves());
      expect(sameBytes(await store.get('a'), content)).toBe(true);
      return (await store.stats()).packs;
    };
    // A pack that was filling when the keys changed is closed, and another one begun.
    expect(await packsOf((store) => store.keys.rotate())).toBeGreaterThan(await packsOf((store) => store.keys.list()));
  });

  it('that are old are repaired and not used', async () => {
    const folder = await testFolder();
    const config = path.join(folder, 'holdfast.json');
    const store = await sealedStore(folder);
    const identity = generateIdentity('ml-kem-1024', systemRandom);
    const { id } = await store.keys.add({ identity });
    const old = await readFile(config);
    await store.keys.remove(id);
    await store.close();
    const present = await readFile(config);
    await writeFile(config, old);
    await expect(openStore(folder, { keys: { identity } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    expect(await readFile(config)).toEqual(old);
    await (await reopened(folder)).close();
    expect(await readFile(config)).toEqual(present);
  });

  it('that are old open nothing when they take the place of the new ones in both files', async () => {
    const folder = await testFolder();
    const config = path.join(folder, 'holdfast.json');
    const store = await sealedStore(folder);
    await store.put('a', 'x');
    const identity = generateIdentity('ml-kem-1024', systemRandom);
    const { id } = await store.keys.add({ identity });
    const old = await readFile(config);
    await store.keys.remove(id);
    await store.close();
    await writeFile(config, old);
    const database = new DatabaseSync(path.join(folder, '.metadata', 'store.sqlite'));
    database.exec("DELETE FROM settings WHERE name = 'config'");
    database.close();
    for (const keys of [{ identity }, KEY])
      await expect(openStore(folder, { keys, reserveBytes: 0 })).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });

  it('that the backend does not take are told as changed, and written later', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: KEY }));
    backend.fail({ call: 'put', how: 'before', prefix: 'holdfast.json', times: Infinity });
    await expect(store.keys.rotate()).rejects.toMatchObject({ code: 'CONFIG_PENDING' });
    // Under keys that only the metadata has, nothing is acknowledged: without it nobody could read it.
    await expect(store.put('a', 'x')).rejects.toMatchObject({ code: 'COMMIT_PENDING' });
    backend.heal();
    await store.put('b', 'y');
    expect(await store.keys.rotate()).toMatchObject({ epoch: 3 });
    expect(await store.get('a')).toEqual(text('x'));
  });
});

describe('a rollback guard', () => {
  it('finds a store that went back', async () => {
    const folder = await testFolder();
    const rollbackGuard = path.join(await testFolder(), 'guard');
    const guarded = async (acceptRollback = false): Promise<Store> =>
      closedAfterTest(await openStore(folder, { keys: KEY, reserveBytes: 0, rollbackGuard, acceptRollback }));
    const store = await sealedStore(folder);
    await store.put('a', '1');
    await store.close();
    const copy = path.join(await testFolder(), 'copy');
    await cp(folder, copy, { recursive: true });
    const later = await guarded();
    await later.put('b', '2');
    await later.close();
    await (await guarded()).close();
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
    const fork = await reopened(folder);
    await fork.put('c', 'on another branch');
    await fork.put('d', 'further than it was');
    await fork.close();
    await expect(guarded()).rejects.toMatchObject({ code: 'ROLLBACK_DETECTED' });
    await (await guarded(true)).close();
    await (await guarded()).close();
  });
});
