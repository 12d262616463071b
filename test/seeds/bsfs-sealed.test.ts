/** What bsfs promises of keys and of an encrypted store, and what it gets wrong of both, asked of sealed stores. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { hkdfSha256 } from '../../src/crypto/index.ts';
import {
  createStore,
  generateKeyFile,
  openOrCreateStore,
  openStore,
  readKeyFile,
  rebuildStore,
} from '../../src/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { flipByte, imageOf, loseMetadata, metadataFile, packFiles } from '../support/store-files.ts';
import { closedAfterTest, folderStore, keysOf, memoryStore, reopen, SOUND, testFolder } from '../support/stores.ts';

const KEY = new Uint8Array(32).fill(0xb5);
const SEALED = { keys: { key: KEY } } as const;
const WRONG = { keys: { key: new Uint8Array(32).fill(0xb6) } } as const;

/** The bytes of every file of a store, one after another. */
async function everyByte(folder: string): Promise<Buffer> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map(({ parentPath, name }) => readFile(path.join(parentPath, name)))));
}

const WINDOWS = 500;

/** How many of up to 500 windows of 16 bytes, spread over the content, lie somewhere in the folder. */
async function windowsThatShow(folder: string, content: Uint8Array): Promise<number> {
  const stored = await everyByte(folder);
  let shown = 0;
  const step = Math.max(16, Math.ceil(content.length / WINDOWS));
  for (let at = 0; at + 16 <= content.length; at += step)
    shown += stored.includes(Buffer.from(content.subarray(at, at + 16))) ? 1 : 0;
  return shown;
}

describe('bsfs, of keys', () => {
  it('BS-1 takes a master key of exactly 32 bytes, and opens a store or makes it in one step', async () => {
    const folder = await testFolder();
    for (const bytes of [0, 16, 31, 33, 64]) {
      const keys = { key: new Uint8Array(bytes) };
      await expect(createStore(folder, { keys })).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
    }
    expect(await readdir(folder)).toEqual([]);
    const made = closedAfterTest(await openOrCreateStore(folder, { ...SEALED, reserveBytes: 0 }));
    await made.put('k', 'x');
    await made.close();
    const opened = closedAfterTest(await openOrCreateStore(folder, { ...SEALED, reserveBytes: 0 }));
    expect(opened.id).toBe(made.id);
    expect(await opened.get('k')).toEqual(text('x'));
  });

  it('BS-2 allows empty content in a sealed store too', async () => {
    const store = await memoryStore(SEALED);
    expect(await store.put('empty', '')).toMatchObject({ size: 0 });
    expect(await store.get('empty')).toHaveLength(0);
  });

  it('BS-6 makes a key of 32 random bytes, another one each time, and a store with it', async () => {
    const folder = await testFolder();
    const files = ['one.key', 'two.key'].map((name) => path.join(folder, name));
    for (const file of files) await generateKeyFile(file);
    const [one, two] = await Promise.all(files.map((file) => readKeyFile(file)));
    expect([one?.length, two?.length, Buffer.from(one ?? []).equals(two ?? Buffer.alloc(0))]).toEqual([32, 32, false]);
    const store = await memoryStore({ keys: { key: one as Uint8Array } });
    await store.put('k', 'x');
    expect([store.sealed, await store.get('k')]).toEqual([true, text('x')]);
  });

  it('BS-13 encrypts its table anew each time, and here authenticates it: no bit of it can be changed', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    const name = 'a name that nobody may read.txt';
    await store.put(name, 'x');
    await store.delete(name);
    await store.put(name, 'x', { attributes: { colour: 'a colour that nobody may read' } });
    await store.close();
    for (const secret of [name, 'a colour that nobody may read'])
      expect(await windowsThatShow(folder, text(secret))).toBe(0);
    const config = path.join(folder, 'holdfast.json');
    const { length } = await readFile(config);
    for (let position = 0; position < length; position += 509) {
      await flipByte(config, position, 0x01);
      const before = await imageOf(folder);
      await expect(openStore(folder, { ...SEALED, reserveBytes: 0 })).rejects.toMatchObject({
        kind: expect.stringMatching(/^(corrupt|denied|invalid|unsupported)$/),
      });
      expect(await imageOf(folder)).toEqual(before);
      await flipByte(config, position, 0x01);
    }
    expect(await keysOf(await reopen(folder, SEALED))).toEqual([name]);
  });

  it('BS-14 derives keys with HKDF-SHA256: their vector; here by namespace, pack and use', () => {
    const master = Uint8Array.from({ length: 32 }, (_, index) => index);
    const partition = hkdfSha256(master, { salt: Uint8Array.of(0), info: 'BSFS_PARTITION_KEY' });
    expect(Buffer.from(partition).toString('hex')).toBe(
      '3f3d630cfa2b538a4bc9ccdf28b787cbd13a1d8b3aa7f7b479f9ba2c3fab8e21',
    );
  });

  it('BS-14 isolates tenants by a store and a key of their own: the same content is the same nowhere', async () => {
    const [ann, ben] = [await folderStore(SEALED), await folderStore(WRONG)];
    for (const { store } of [ann, ben]) {
      await store.put('k', noise(100_000));
      await store.close();
    }
    await expect(reopen(ann.path, WRONG)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await expect(reopen(ben.path, SEALED)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const [pack = ''] = await packFiles(ann.path);
    // Of the one record: what lies around it has lengths and zeros that all stores have.
    expect(await windowsThatShow(ben.path, (await readFile(pack)).subarray(4096, 96_000))).toBe(0);
  });

  it('BS-14 isolates tenants by a namespace: nothing is shared, not even that it is the same', async () => {
    const store = await memoryStore(SEALED);
    const tenants = ['ann', 'ben'];
    for (const tenant of tenants) {
      await store.namespaces.create(tenant);
      const put = await store.namespace(tenant).put('k', noise(100_000));
      expect(put.newBytes).toBe(100_000);
    }
    expect((await store.namespace('ben').put('again', noise(100_000))).newBytes).toBe(0);
    expect(await keysOf(store)).toEqual([]);
    const { digest } = await store.namespace('ann').put('only', noise(5000, 2), { chunking: 'fixed:100000' });
    expect(await store.namespace('ann').readChunk(digest)).toHaveLength(5000);
    await expect(store.namespace('ben').readChunk(digest)).rejects.toMatchObject({ code: 'CHUNK_NOT_FOUND' });
    await expect(store.namespace('ben').get('only')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });

  it('BS-15 leaves nothing of the content in clear, nor of what was deleted', async () => {
    const secret = text(Array.from({ length: 400 }, (_, line) => `line ${line} of a secret letter\n`).join(''));
    const contents = [secret, noise(5000, 1), noise(150_000, 2)];
    const plain = await folderStore();
    const sealed = await folderStore(SEALED);
    for (const { store } of [plain, sealed]) {
      for (const [index, content] of contents.entries()) await store.put(`k${index}`, content);
      await store.delete('k1');
      await store.close();
    }
    // So it looks in the right places: what gets no smaller lies there as it is.
    expect(await windowsThatShow(plain.path, contents[2] as Uint8Array)).toBeGreaterThan(WINDOWS / 2);
    for (const content of contents) expect(await windowsThatShow(sealed.path, content)).toBe(0);
  });

  it('BS-18 checks the version of a sealed store, and that a pack is one of its own', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    await store.put('k', noise(200_000));
    await store.close();
    const [pack = ''] = await packFiles(folder);
    for (const position of [0, 4, 5]) {
      await flipByte(pack, position, 0x01);
      const damaged = await reopen(folder, SEALED);
      expect(await damaged.maintenance.check()).toMatchObject({ outcome: 'damaged' });
      await damaged.close();
      await flipByte(pack, position, 0x01);
    }
    expect(await (await reopen(folder, SEALED)).maintenance.check()).toMatchObject(SOUND);
  });

  it('BS-19 makes key files that nobody else can read, and never writes over one', async () => {
    const file = path.join(await testFolder(), 'main.key');
    await generateKeyFile(file);
    const before = await readFile(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(generateKeyFile(file)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    expect(await readFile(file)).toEqual(before);
  });

  it('BS-21 takes key files of exactly 32 bytes: raw, in hex or in base64', async () => {
    const folder = await testFolder();
    const { path: storePath, store } = await folderStore(SEALED);
    await store.close();
    const file = path.join(folder, 'some.key');
    const buffer = Buffer.from(KEY);
    for (const content of [buffer, `${buffer.toString('hex')}\n`, buffer.toString('base64')]) {
      await writeFile(file, content, { mode: 0o600 });
      const opened = await reopen(storePath, { keys: { keyFile: file } });
      expect(opened.sealed).toBe(true);
      await opened.close();
    }
    for (const content of ['', buffer.subarray(1), Buffer.concat([buffer, buffer]), buffer.toString('hex').slice(2)]) {
      await writeFile(file, content, { mode: 0o600 });
      await expect(reopen(storePath, { keys: { keyFile: file } })).rejects.toMatchObject({
        code: 'CREDENTIAL_INVALID',
      });
    }
  });
});

describe('what bsfs gets wrong of keys', () => {
  it('takes a wrong key for a new store and wipes the old one: here every byte stays, however it is opened', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    await store.put('k', noise(200_000));
    await store.close();
    const before = await imageOf(folder);
    const wrong = { ...WRONG, reserveBytes: 0 };
    await expect(openStore(folder, wrong)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await expect(openOrCreateStore(folder, wrong)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await expect(rebuildStore(folder, wrong)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await expect(createStore(folder, wrong)).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
    expect(await imageOf(folder)).toEqual(before);
    expect(sameBytes(await (await reopen(folder, SEALED)).get('k'), noise(200_000))).toBe(true);
  });

  it('loses everything when it is opened again after a write: here no sealed store loses anything', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    await store.close();
    for (let round = 0; round < 3; round += 1) {
      const again = await reopen(folder, SEALED);
      await again.put(`k${round}`, noise(150_000, round));
      for (let earlier = 0; earlier <= round; earlier += 1)
        expect(sameBytes(await again.get(`k${earlier}`), noise(150_000, earlier))).toBe(true);
      await again.close();
    }
    await loseMetadata(folder);
    await rebuildStore(folder, { ...SEALED, reserveBytes: 0 });
    expect(await (await reopen(folder, SEALED)).maintenance.check()).toMatchObject({ ...SOUND, entries: 3 });
  });

  it('wipes a store whose table it cannot read: here a sealed one stays as it is, and is rebuilt when told', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    await store.put('k', noise(200_000));
    await store.close();
    await writeFile(metadataFile(folder), noise(8192));
    const before = await imageOf(folder);
    await expect(reopen(folder, SEALED)).rejects.toMatchObject({ kind: 'corrupt' });
    expect(await imageOf(folder)).toEqual(before);
    await rebuildStore(folder, { ...SEALED, reserveBytes: 0 });
    expect(sameBytes(await (await reopen(folder, SEALED)).get('k'), noise(200_000))).toBe(true);
  });

  it('has no tags, so that a changed byte goes unseen: here any one is found before anything is decompressed', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    const content = noise(100_000);
    await store.put('k', content);
    await store.close();
    const [pack = ''] = await packFiles(folder);
    const again = await reopen(folder, { ...SEALED, readOnly: true });
    const codes = new Set<string>();
    for (let position = 500; position < content.length; position += 5003) {
      await flipByte(pack, position, 0x80);
      codes.add(
        await again.get('k').then(
          () => 'unseen',
          ({ code }: { code: string }) => code,
        ),
      );
      await flipByte(pack, position, 0x80);
    }
    expect([...codes]).toEqual(['CHUNK_CORRUPT']);
    expect(sameBytes(await again.get('k'), content)).toBe(true);
  });

  it('spends a block of 2 MiB on a file of 4 bytes: here a sealed one costs under a kilobyte, its commit included', async () => {
    const store = await memoryStore(SEALED);
    const before = (await store.stats()).storedBytes;
    for (let index = 0; index < 50; index += 1) await store.put(`file ${index}`, 'tiny');
    expect(((await store.stats()).storedBytes - before) / 50).toBeLessThan(1024);
  });
});
