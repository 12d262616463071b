/**
 * What ouroboros-kv promises (OU-1 to OU-36), and what it gets wrong; of sealing in `ouroboros-kv-sealed`.
 * `docs/decisions/0005` tells why things differ.
 */
import { describe, expect, it } from 'vitest';
import { CHUNKING_PROFILES, createChunker } from '../../src/chunking/index.ts';
import { asDigest, digestOf, equalDigests, formatDigest, parseDigest } from '../../src/hash/index.ts';
import { diagnoseStore, openStore, rebuildStore } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { blake3Text, noise, sameBytes, text } from '../support/contents.ts';
import { accountForFeatures } from '../support/seed-features.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { all, folderStore, keysOf, memoryStore, reopen, SOUND, sharedStore, testFolder } from '../support/stores.ts';

const shared = sharedStore();

/** Generator G of the predecessor's Buzhash vectors: s = s*6364136223846793005 + 1442695040888963407 mod 2^64, s >> 56. */
function generated(seed: bigint, length: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 56n);
  });
}

function buzhashLengths(content: Uint8Array): number[] {
  const chunker = createChunker(CHUNKING_PROFILES.buzhash);
  return [...chunker.push(content), ...chunker.finish()].map(({ length }) => length);
}

describe('ouroboros-kv', () => {
  accountForFeatures(import.meta.filename, {
    prefix: 'OU',
    count: 36,
    elsewhere: {
      'OU-17': 'different: deterministic CBOR instead of protobuf (decision 0001), tested in src/format',
      'OU-18': 'later, with erasure coding in stores',
      'OU-19': 'different: SQL metadata instead of an LSM tree (decision 0003)',
      'OU-28': 'test/store/validating.test.ts: one entry and all, read whole, everything that is wrong told',
      'OU-31': 'different: SQLite, which flushes every commit',
      'OU-35..36': 'test/e2e: the command line; verify and inspect come later',
    },
  });

  it('OU-2 has SHA-512 digests, as text of 128 digits, parsed strictly and compared', () => {
    const digest = digestOf('sha512', text('abc'));
    const hex =
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';
    expect(formatDigest('sha512', digest)).toBe(`sha512:${hex}`);
    expect(equalDigests(parseDigest(`sha512:${hex}`).digest, digest)).toBe(true);
    expect(equalDigests(asDigest(new Uint8Array(64)), digest)).toBe(false);
    for (const bad of [`sha512:${hex.slice(2)}`, `sha512:${hex.toUpperCase()}`, `sha512:zz${hex.slice(2)}`, hex])
      expect(() => parseDigest(bad)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
    const greeting = Buffer.from(digestOf('sha512', text('Hello, World!'))).toString('base64');
    expect(greeting).toBe('N015SpXNz9izWZMYX++bo2jxYNja9DLQi6nx7R5avmzGkpHg+i/gAGpSVw7xjBne9OYXwzzlLvCm5fvjGMsDhw==');
  });

  it('OU-3 takes the caller’s key, or names the entry by its content', async () => {
    const { store } = shared;
    expect((await store.put('ou-3', 'x')).key).toBe('ou-3');
    expect((await store.put(null, 'by content')).key).toBe(blake3Text(text('by content')));
  });

  it('OU-4 names a version by everything the caller gave and by no time', async () => {
    const { store } = shared;
    const plain = await store.put('ou-4', 'x', { contentType: 'a/b', attributes: { meta: '1' } });
    const again = await store.put('ou-4', 'x', { contentType: 'a/b', attributes: { meta: '1' } });
    const other = await store.put('ou-4', 'x', { contentType: 'a/c', attributes: { meta: '1' } });
    expect(again.version).toBe(plain.version);
    expect(other.version).not.toBe(plain.version);
    expect(other.digest).toBe(plain.digest);
  });

  it('OU-5 checks every chunk on read; an unknown key is an error', async () => {
    const { path, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    await flipByte((await packFiles(path))[0] as string, 9000);
    const again = await reopen(path);
    await expect(again.get('k')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    await expect(again.get('unknown')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });

  it('OU-6 deletes; an unknown key and a second time give false, which is no error here', async () => {
    const { store } = shared;
    await store.put('ou-6', 'x');
    expect([await store.delete('ou-6'), await store.delete('ou-6'), await store.delete('unknown')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('OU-7 tells whether there is an entry, without an error for an unknown one', async () => {
    const { store } = shared;
    await store.put('ou-7', 'x');
    expect([await store.has('ou-7'), await store.has('unknown')]).toEqual([true, false]);
  });

  it('OU-8 writes many in one transaction and reads many: all or an error, nothing of nothing', async () => {
    const { store } = shared;
    const items = Array.from({ length: 300 }, (_, index) => ({ key: `ou-8/${index}`, source: `content ${index}` }));
    const { commit } = await store.stats();
    await store.putMany(items);
    expect((await store.stats()).commit).toBe(commit + 1);
    const contents = await store.getMany(items.map(({ key }) => key));
    expect(contents.map((bytes) => Buffer.from(bytes).toString())).toEqual(items.map(({ source }) => source));
    await expect(store.getMany(['ou-8/1', 'unknown'])).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    expect([await store.putMany([]), await store.getMany([])]).toEqual([[], []]);
  });

  it('OU-9 keeps the same content under several names, which may be deleted in any order', async () => {
    const { store } = shared;
    const content = noise(300_000, 9);
    for (const order of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
      ['b', 'c', 'a'],
    ]) {
      await store.put('a', content);
      await store.copy('a', 'b');
      await store.put('c', content);
      for (const [index, key] of order.entries()) {
        await store.delete(key);
        for (const left of order.slice(index + 1)) expect(sameBytes(await store.get(left), content)).toBe(true);
      }
    }
  });

  it('OU-10 keeps content type, metadata of the caller’s and times', async () => {
    const { store } = shared;
    const attributes = { json: '{"a":[1,2]}', umlaut: 'äöü 🦭', empty: '' };
    await store.put('ou-10', 'x', { contentType: 'application/x; charset="ü"', attributes });
    const info = await store.stat('ou-10');
    expect(info).toMatchObject({ contentType: 'application/x; charset="ü"', attributes });
    expect(Date.parse(info.created)).toBeGreaterThan(0);
  });

  it('OU-11 keeps empty content', async () => {
    const { store } = shared;
    expect(await store.put('ou-11', '')).toMatchObject({ size: 0, chunks: 0 });
    expect(await store.get('ou-11')).toHaveLength(0);
  });

  it('OU-12 cuts exactly like the Buzhash of ipfs/boxo', () => {
    expect(buzhashLengths(generated(1n, 4 * MIB))).toEqual([
      155739, 211123, 169579, 266407, 257669, 152829, 211587, 179311, 317109, 163720, 524288, 222448, 243497, 294111,
      524288, 233450, 67149,
    ]);
    expect(buzhashLengths(new Uint8Array(MIB))).toEqual(Array.from({ length: 8 }, () => 131_072));
    expect(buzhashLengths(new Uint8Array(MIB).fill(255))).toEqual([524_288, 524_288]);
    for (const length of [131_071, 131_072, 131_073]) expect(buzhashLengths(generated(2n, length))).toEqual([length]);
  });

  it('OU-13 stores a chunk that two entries share once', async () => {
    const store = await memoryStore({ chunking: 'buzhash' });
    const content = generated(1n, MIB);
    await store.put('a', content);
    const put = await store.put('b', Buffer.concat([content, text('and more')]));
    expect(put.newBytes).toBeLessThan(512 * KIB);
    expect((await store.put('c', content)).newBytes).toBe(0);
  });

  it('OU-14 compresses with zstd, and leaves what gets no smaller', async () => {
    const { store } = shared;
    const words = text('compress me '.repeat(50_000));
    expect((await store.put('ou-14', words)).storedBytes).toBeLessThan(words.length / 50);
    expect((await store.put('ou-14', noise(300_000, 14))).storedBytes).toBe(300_000);
  });

  it('OU-26 lists keys, lists entries and describes one', async () => {
    const { store } = shared;
    await store.put('ou-26/a', 'one');
    await store.put('ou-26/b', 'three');
    expect(await keysOf(store, { prefix: 'ou-26/' })).toEqual(['ou-26/a', 'ou-26/b']);
    const [first] = await all(store.list({ prefix: 'ou-26/' }));
    expect(first).toEqual(await store.stat('ou-26/a'));
  });

  it('OU-27 tells size, chunks and digests of an entry, and what the store holds', async () => {
    const store = await memoryStore();
    await store.put('k', noise(300_000), { chunking: 'fixed:100000' });
    expect(await store.stat('k')).toMatchObject({ size: 300_000, chunks: 3 });
    const chunks = await all(store.chunks('k'));
    expect(chunks.map(({ length }) => length)).toEqual([100_000, 100_000, 100_000]);
    expect(chunks[1]?.digest).toBe(blake3Text(noise(300_000).subarray(100_000, 200_000)));
    expect(await store.stats()).toMatchObject({ chunks: 3, logicalBytes: 300_000 });
  });

  it('OU-29 counts reads and writes', async () => {
    const store = await memoryStore();
    await store.put('k', 'x');
    await store.get('k');
    expect(store.metrics()).toMatchObject({ puts: 1, gets: 1, bytesIn: 1, bytesOut: 1 });
  });

  it('OU-30 makes the folder, keeps a minimum of free space, and takes a logger', async () => {
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const { path, store } = await folderStore({ logger });
    await store.put('k', 'x');
    await store.close();
    const full = await reopen(path, { freeBytesMin: Number.MAX_SAFE_INTEGER });
    await expect(full.put('k', noise(100_000))).rejects.toMatchObject({ code: 'FREE_SPACE_LOW' });
    await expect(openStore(`${path}/holdfast.json`)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
  });

  it('OU-33 keeps data across handles and refuses use after close; here a second handle is welcome', async () => {
    const { path, store } = await folderStore();
    await store.put('k', 'x');
    const second = await reopen(path);
    expect(await second.get('k')).toEqual(text('x'));
    await expect(rebuildStore(path, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'STORE_IN_USE' });
    await store.close();
    await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('OU-34 tells about the disk', async () => {
    const { path } = await folderStore();
    const { findings } = await diagnoseStore(path);
    expect(findings).toContainEqual(
      expect.objectContaining({ subject: 'disk', message: expect.stringMatching(/MiB free/) }),
    );
    expect(await diagnoseStore(await testFolder())).toMatchObject({ healthy: false });
  });
});

describe('what ouroboros-kv gets wrong', () => {
  it.each([
    ['a mebibyte of zeros', new Uint8Array(MIB)],
    ['a mebibyte of 0xff', new Uint8Array(MIB).fill(0xff)],
    ['4 MiB of i mod 256', Uint8Array.from({ length: 4 * MIB }, (_, index) => index & 0xff)],
  ])('repeated chunks cut content short: here %s comes back whole and is kept once', async (_, content) => {
    const store = await memoryStore({ chunking: 'buzhash' });
    const put = await store.put('k', content);
    expect(put.chunks).toBeGreaterThan(1);
    expect(sameBytes(await store.get('k'), content)).toBe(true);
    expect((await all(store.chunks('k'))).reduce((sum, { length }) => sum + length, 0)).toBe(content.length);
    expect((await store.stats()).uniqueBytes).toBeLessThan(content.length);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('deleting one entry destroys chunks it shares: here the other one stays whole, after reopening too', async () => {
    const { path, store } = await folderStore();
    const content = noise(500_000, 50);
    await store.put('a', content);
    await store.put('b', content.subarray(0, 300_000));
    await store.delete('a');
    expect(sameBytes(await store.get('b'), content.subarray(0, 300_000))).toBe(true);
    await store.close();
    const again = await reopen(path);
    expect(sameBytes(await again.get('b'), content.subarray(0, 300_000))).toBe(true);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('one chunk under two settings becomes unreadable: here settings stand side by side', async () => {
    const { store } = shared;
    const content = noise(400_000, 51);
    const settings = ['default', 'buzhash', 'fixed:100000', 'fixed:50000', 'chunkstore'];
    for (const chunking of settings) await store.put(`settings/${chunking}`, content, { chunking });
    for (const chunking of settings) expect(sameBytes(await store.get(`settings/${chunking}`), content)).toBe(true);
  });

  it('sizes are those after compression: here an entry tells its own', async () => {
    const { store } = shared;
    await store.put('size', new Uint8Array(500_000));
    expect((await store.stat('size')).size).toBe(500_000);
  });

  it('a batch is not one transaction: here one failure leaves nothing of it', async () => {
    const { store } = shared;
    const items = [
      { key: 'tx/a', source: noise(200_000, 52) },
      { key: 'tx/b', source: { path: '/nowhere/at/all' } },
    ];
    await expect(store.putMany(items)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(await keysOf(store, { prefix: 'tx/' })).toEqual([]);
  });

  it('a list reads every payload: here a list of entries reads no pack', async () => {
    const { path, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    const again = await reopen(path);
    for (const pack of await packFiles(path)) await flipByte(pack, 100);
    expect((await all(again.list()))[0]).toMatchObject({ key: 'k', size: 200_000 });
    expect(again.metrics().damageFound).toBe(0);
  });
});
