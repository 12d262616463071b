/** What ouroboros-kv promises of keys and sealing, and what it gets wrong of both: asked of sealed stores. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  exportSeed,
  formatIdentity,
  formatPublicIdentity,
  generateIdentity,
  type IdentityAlgorithm,
  importSeed,
  parseIdentity,
  parsePublicIdentity,
  readIdentity,
  signRoot,
  verifySignatureDocument,
  writeIdentity,
} from '../../src/index.ts';
import { blake3Text, noise, sameBytes, text } from '../support/contents.ts';
import { flipByte, imageOf, packFiles } from '../support/store-files.ts';
import { closedAfterTest, folderStore, memoryStore, reopen, testFolder } from '../support/stores.ts';

const SEALED = { keys: { key: new Uint8Array(32).fill(0x0b) } } as const;
/** Bytes of an ML-KEM-1024 ciphertext (FIPS 203, table 3): what the predecessor spends on every slice. */
const ENCAPSULATION_BYTES = 1568;
/** What they keep: one pair that opens, one that signs. */
const PAIR = ['ml-kem-1024', 'ml-dsa-87'] as const satisfies readonly IdentityAlgorithm[];

describe('ouroboros-kv, of keys', () => {
  it('OU-13 stores a chunk that two entries share once in a sealed store too', async () => {
    const store = await memoryStore(SEALED);
    await store.put('a', noise(300_000));
    expect((await store.put('b', noise(300_000))).newBytes).toBe(0);
    expect((await store.stats()).uniqueBytes).toBe(300_000);
  });

  it('OU-15 opens a store by ML-KEM-1024, and seals every chunk with AES-256-GCM: a changed byte is refused', async () => {
    const identity = generateIdentity('ml-kem-1024');
    const { path: folder, store } = await folderStore({ keys: { identity } });
    await store.put('k', noise(200_000));
    await store.close();
    const stranger = { keys: { identity: generateIdentity('ml-kem-1024') } };
    await expect(reopen(folder, stranger)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const again = await reopen(folder, { keys: { identity } });
    expect(sameBytes(await again.get('k'), noise(200_000))).toBe(true);
    await flipByte((await packFiles(folder))[0] as string, 9000);
    await expect(again.get('k')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
  });

  it('OU-15 compresses before it seals', async () => {
    const store = await memoryStore(SEALED);
    const words = text('compress me '.repeat(50_000));
    const before = (await store.stats()).storedBytes;
    expect((await store.put('k', words)).storedBytes).toBeLessThan(words.length / 50);
    expect((await store.stats()).storedBytes - before).toBeLessThan(words.length / 50);
  });

  it('OU-32 makes a pair of ML-KEM-1024 and ML-DSA-87, saves it with mode 0600, and loads it', async () => {
    const folder = await testFolder();
    for (const algorithm of PAIR) {
      const identity = generateIdentity(algorithm);
      const file = path.join(folder, `${algorithm}.identity`);
      await writeIdentity(file, identity);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const loaded = await readIdentity(file);
      expect([loaded.algorithm, loaded.fingerprint]).toEqual([algorithm, identity.fingerprint]);
      expect(sameBytes(loaded.seed, identity.seed)).toBe(true);
      const written = await readFile(file);
      await expect(writeIdentity(file, generateIdentity(algorithm))).rejects.toMatchObject({
        code: 'LOCATION_INVALID',
      });
      expect(await readFile(file)).toEqual(written);
    }
  });

  it.each(PAIR)('OU-32 takes %s to and from binary, hex, base64 and JSON', (algorithm) => {
    const identity = generateIdentity(algorithm);
    const forms = [identity.seed, exportSeed(identity, 'hex'), exportSeed(identity, 'base64')];
    for (const form of forms) expect(importSeed(algorithm, form).fingerprint).toBe(identity.fingerprint);
    expect(parseIdentity(formatIdentity(identity)).fingerprint).toBe(identity.fingerprint);
    for (const bad of [identity.seed.subarray(1), forms[1]?.slice(2), 'no key', ''])
      expect(() => importSeed(algorithm, bad as string)).toThrow(
        expect.objectContaining({ code: 'CREDENTIAL_INVALID' }),
      );
  });

  it('OU-32 signs and verifies with ML-DSA-87, and no other text, signer or purpose', async () => {
    const store = await memoryStore(SEALED);
    await store.put('k', noise(100_000));
    const { root } = await store.stat('k');
    const signer = generateIdentity('ml-dsa-87');
    const document = signRoot(signer, root, 'release');
    expect(verifySignatureDocument(document, { signer, text: root, context: 'release' })).toBe(true);
    expect(verifySignatureDocument(document, { signer, text: root })).toBe(false);
    expect(verifySignatureDocument(document, { signer, text: `${root}0`, context: 'release' })).toBe(false);
    const other = generateIdentity('ml-dsa-87');
    expect(verifySignatureDocument(document, { signer: other, text: root, context: 'release' })).toBe(false);
  });

  it.each(PAIR)('OU-32 tells the hash of a public key of %s, which is the same for both halves', (algorithm) => {
    const identity = generateIdentity(algorithm);
    const { fingerprint } = parsePublicIdentity(formatPublicIdentity(identity));
    expect(fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprint).toBe(identity.fingerprint);
    expect(generateIdentity(algorithm).fingerprint).not.toBe(fingerprint);
  });

  it('OU-33 keeps data across closing and opening with the same key, from a file too', async () => {
    const file = path.join(await testFolder(), 'main.key');
    await writeFile(file, Buffer.from(SEALED.keys.key).toString('base64'), { mode: 0o600 });
    const { path: folder, store } = await folderStore(SEALED);
    await store.put('k', 'x');
    await store.close();
    expect(await (await reopen(folder, { keys: { keyFile: file } })).get('k')).toEqual(text('x'));
  });
});

describe('what ouroboros-kv gets wrong of sealing', () => {
  const ENTRIES = 200;

  /** Bytes on the backend beside the contents, a put of 4 KiB that nothing makes smaller. */
  async function overhead(keys: 'none' | typeof SEALED.keys, put: 'alone' | 'together'): Promise<number> {
    const store = await memoryStore({ keys });
    const before = (await store.stats()).storedBytes;
    const items = Array.from({ length: ENTRIES }, (_, index) => ({ key: `k${index}`, source: noise(4096, index + 1) }));
    if (put === 'together') await store.putMany(items);
    else for (const { key, source } of items) await store.put(key, source);
    return ((await store.stats()).storedBytes - before) / ENTRIES - 4096;
  }

  it('spends 8.5 KB on a value of 4 KiB: here sealing costs less than 200 bytes more than a plain store', async () => {
    const [plain, sealed] = [await overhead('none', 'together'), await overhead(SEALED.keys, 'together')];
    expect(sealed).toBeLessThan(400);
    expect(sealed - plain).toBeLessThan(200);
    expect(sealed).toBeLessThan(ENCAPSULATION_BYTES / 3);
  });

  it('spends an encapsulation on each slice: here less than one on a put with a commit to itself', async () => {
    expect(await overhead(SEALED.keys, 'alone')).toBeLessThan(ENCAPSULATION_BYTES);
  });

  it('grows with encapsulations: here a slot is one, however much is put', async () => {
    const { path: folder, store } = await folderStore(SEALED);
    const config = () => readFile(path.join(folder, 'holdfast.json'), 'utf8');
    const before = await config();
    for (let index = 0; index < 20; index += 1) await store.put(`k${index}`, noise(70_000, index));
    expect(await config()).toBe(before);
    await store.keys.add({ recipient: generateIdentity('ml-kem-1024') });
    expect(await config()).not.toBe(before);
  });

  it('makes a chunk unreadable when a rewrite is interrupted: here the old version stays', async () => {
    const store = await memoryStore(SEALED);
    await store.put('k', noise(300_000));
    const broken = async function* () {
      yield noise(150_000);
      throw new Error('the source fails');
    };
    await expect(store.put('k', broken())).rejects.toThrow('the source fails');
    expect(sameBytes(await store.get('k'), noise(300_000))).toBe(true);
    await store.put('k', noise(300_000));
    expect(sameBytes(await store.get('k'), noise(300_000))).toBe(true);
  });

  it('addresses chunks by their plain digest, which confirms a file: here no digest is stored in any form', async () => {
    const content = noise(50_000);
    const { path: folder, store } = await folderStore({ ...SEALED, chunking: 'fixed:100000' });
    const { digest } = await store.put('k', content);
    expect(digest).toBe(blake3Text(content));
    await store.close();
    const [, hex = ''] = digest.split(':');
    for (const name of Object.keys(await imageOf(folder))) {
      const bytes = await readFile(path.join(folder, name));
      for (const form of [hex, hex.toUpperCase()]) expect(bytes.includes(form)).toBe(false);
      expect(bytes.includes(Buffer.from(hex, 'hex'))).toBe(false);
      expect(name).not.toContain(hex.slice(0, 16));
    }
  });

  it('lets whoever has one key read for ever: here rotation and removal shut it out', async () => {
    const [ann, ben] = [generateIdentity('ml-kem-1024'), generateIdentity('ml-kem-1024')];
    const { path: folder, store } = await folderStore({ keys: { identity: ann } });
    const slot = await store.keys.add({ recipient: ben });
    await store.put('before', 'x');
    await store.close();
    const second = closedAfterTest(await reopen(folder, { keys: { identity: ben } }));
    expect(await second.get('before')).toEqual(text('x'));
    await second.close();
    const again = await reopen(folder, { keys: { identity: ann } });
    await again.keys.remove(slot.id);
    await again.close();
    await expect(reopen(folder, { keys: { identity: ben } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    expect(await (await reopen(folder, { keys: { identity: ann } })).get('before')).toEqual(text('x'));
  });
});
