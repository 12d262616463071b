/** What our-storage promises (OS-1 to OS-37), and what it gets wrong. `docs/decisions/0005` tells why things differ. */
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MemoryBackend, openFsBackend } from '../../src/backend/index.ts';
import { blake3, digestOf } from '../../src/hash/index.ts';
import { rebuildStore } from '../../src/index.ts';
import {
  createDigestTree,
  createShardTree,
  createTreeHashing,
  merkleRoot,
  parseInclusionProof,
  parseMerkleTree,
  verifyInclusion,
} from '../../src/merkle/index.ts';
import { nodeFileSystem } from '../../src/runtime/file-system.ts';
import { FaultyFileSystem } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { accountForFeatures } from '../support/seed-features.ts';
import { loseMetadata } from '../support/store-files.ts';
import { closedAfterTest, folderStore, memoryStore, reopen, SOUND, testFolder } from '../support/stores.ts';

describe('our-storage', () => {
  accountForFeatures(import.meta.filename, {
    prefix: 'OS',
    count: 37,
    elsewhere: {
      'OS-37': 'later: S3',
    },
  });

  it('OS-19 computes SHA-256, SHA3-256 and BLAKE2b with 32 bytes, and no hash it does not know', () => {
    const hex = (algorithm: string) => Buffer.from(digestOf(algorithm as 'sha256', text('test data'))).toString('hex');
    expect(hex('sha256')).toBe('916f0027a575074ce72a331777c3478d6513f786a591bd892da1a577bf2335f9');
    expect(hex('sha3-256')).toBe('fc88e0ac33ff105e376f4ece95fb06925d5ab20080dbe3aede7dd47e45dfd931');
    expect(hex('blake2b-256')).toBe('eab94977a17791d0c089fe9e393261b3ab667cf0e8456632a842d905c468cf65');
    expect(() => hex('md5')).toThrow(RangeError);
  });

  it('OS-20 builds a Merkle tree over chunks, of which one leaf is not the root and an odd one is not doubled', () => {
    const leaves = ['leaf0', 'leaf1', 'leaf2'].map((one, index) => ({
      offset: 5 * index,
      length: 5,
      digest: blake3(text(one)),
    }));
    const roots = [1, 2, 3].map((count) => Buffer.from(merkleRoot(leaves.slice(0, count), 5 * count)).toString('hex'));
    expect(new Set(roots).size).toBe(3);
    expect(roots[0]).not.toBe(Buffer.from(blake3(text('leaf0'))).toString('hex'));
    expect(Buffer.from(merkleRoot([], 0))).toHaveLength(32);
  });

  it('OS-21 tells the height and number of leaves of a tree, checks a leaf, and writes the tree down', () => {
    const tree = createShardTree(['leaf0', 'leaf1', 'leaf2', 'leaf3'].map(text), { algorithm: 'sha256' });
    expect([tree.height, tree.leafCount]).toEqual([3, 4]);
    expect([tree.verifyLeaf(2, text('leaf2')), tree.verifyLeaf(2, text('leaf3'))]).toEqual([true, false]);
    expect(tree.verifyLeaf(4, text('leaf4'))).toBe(false);
    expect(parseMerkleTree(JSON.stringify(tree)).root()).toBe(tree.root());
  });

  it('OS-22 proves a leaf with its index and the hashes beside its way up, as JSON and back', () => {
    const leaves = ['leaf0', 'leaf1', 'leaf2'].map((one) => blake3(text(one)));
    const proof = createDigestTree(leaves).proveInclusion(2);
    expect(proof).toMatchObject({ leafIndex: 2, leafCount: 3, path: [expect.stringMatching(/^[0-9a-f]{64}$/)] });
    expect(parseInclusionProof(JSON.stringify(proof))).toEqual(proof);
    expect(() => createDigestTree(leaves).proveInclusion(3)).toThrow(RangeError);
  });

  it.each([1, 2, 7, 8])('OS-23 verifies proofs of %i leaves, and none with leaf, root or sibling tampered', (count) => {
    const leaves = Array.from({ length: count }, (_, index) => text(`leaf${index}`));
    const tree = createShardTree(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const proof = tree.proveInclusion(index);
      expect(verifyInclusion(proof, tree.root(), leaf)).toBe(true);
      expect(verifyInclusion(proof, tree.root(), text('tampered'))).toBe(false);
      expect(verifyInclusion(proof, createShardTree([text('other')]).root(), leaf)).toBe(false);
      const tampered = proof.path.map((node) => node.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
      expect(verifyInclusion({ ...proof, path: tampered }, tree.root(), leaf)).toBe(count === 1);
    }
  });

  it('OS-26 asks a backend for put, get, head, delete, list by prefix and space, all asynchronous', async () => {
    const backend = closedAfterTest(new MemoryBackend());
    await backend.put('shards/a', text('abc'));
    await backend.put('shards/b', text('de'));
    await backend.put('other', text('f'));
    expect(await backend.get('shards/a')).toEqual(text('abc'));
    expect(await backend.head('shards/b')).toEqual({ key: 'shards/b', bytes: 2 });
    expect((await backend.list({ prefix: 'shards/' })).map(({ key }) => key)).toEqual(['shards/a', 'shards/b']);
    await backend.delete('shards/a');
    expect(await backend.get('shards/a')).toBeUndefined();
    expect(await backend.space()).toMatchObject({ usedBytes: 3 });
  });

  it('OS-27 holds everything in memory when asked to', async () => {
    const store = await memoryStore();
    await store.put('a', 'x');
    expect(await store.get('a')).toEqual(text('x'));
  });

  it('OS-28 keeps shards as files under two-letter folders', async () => {
    const { path, store } = await folderStore();
    await store.put('a', noise(100_000));
    const [folder = ''] = await readdir(`${path}/packs`);
    expect(folder).toMatch(/^[0-9a-f]{2}$/);
    expect(await readdir(`${path}/packs/${folder}`)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.0$/)]);
  });

  it('OS-29 refuses a blob beyond the quota before writing: of 100 bytes 5 fit, 200 do not', async () => {
    const backend = closedAfterTest(await openFsBackend(await testFolder(), { quotaBytes: 100, reserveBytes: 0 }));
    await backend.put('a', noise(5));
    await expect(backend.put('b', noise(200))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await backend.list()).toHaveLength(1);
  });

  it('OS-30 reads shards whose metadata is lost: they say themselves what they are', async () => {
    const { path, store } = await folderStore();
    await store.put('a', noise(200_000, 2));
    await store.close();
    await loseMetadata(path);
    await rebuildStore(path, { reserveBytes: 0 });
    expect(sameBytes(await (await reopen(path)).get('a'), noise(200_000, 2))).toBe(true);
  });

  it('OS-31 tells how much is used, allowed and free', async () => {
    const backend = closedAfterTest(await openFsBackend(await testFolder(), { quotaBytes: 1000, reserveBytes: 0 }));
    await backend.put('a', noise(300));
    expect(await backend.space()).toEqual({ usedBytes: 300, quotaBytes: 1000, freeBytes: 700 });
    const { store } = await folderStore();
    await store.put('a', noise(100_000));
    expect(await store.stats()).toMatchObject({ entries: 1, packs: 2, logicalBytes: 100_000 });
  });

  it('OS-35 has an error of its own for a shard that is not there and for a quota', async () => {
    const store = await memoryStore({ quotaBytes: 1000 });
    await expect(store.put('a', noise(100_000))).rejects.toMatchObject({ kind: 'exhausted', code: 'QUOTA_EXCEEDED' });
    await expect(store.readChunk(`blake3:${'0'.repeat(64)}`)).rejects.toMatchObject({ code: 'CHUNK_NOT_FOUND' });
  });

  it('OS-36 keeps a folder across handles; memory ends with its handle', async () => {
    const { path, store } = await folderStore();
    await store.put('a', 'x');
    await store.close();
    expect(await (await reopen(path)).has('a')).toBe(true);
    expect(await (await memoryStore()).has('a')).toBe(false);
  });
});

describe('what our-storage gets wrong', () => {
  it('one Merkle root for [a,b,c] and [a,b,c,c]: here they differ, and an inner node is no leaf', () => {
    const chunks = (...contents: string[]) =>
      contents.map((one, index) => ({ offset: index, length: 1, digest: blake3(text(one)) }));
    expect(merkleRoot(chunks('a', 'b', 'c'), 3)).not.toEqual(merkleRoot(chunks('a', 'b', 'c', 'c'), 4));
    const hashing = createTreeHashing();
    const [left, right] = [hashing.hashLeaf(text('a')), hashing.hashLeaf(text('b'))];
    const node = hashing.hashNode(left, right);
    expect(hashing.hashLeaf(Buffer.concat([left, right]))).not.toEqual(node);
  });

  it('never sets the Merkle root: here every entry has the root of its chunks, and check compares it', async () => {
    const store = await memoryStore();
    await store.put('a', noise(300_000), { chunking: 'fixed:100000' });
    const chunks = (await Array.fromAsync(store.chunks('a'))).map(({ offset, length, digest }) => ({
      offset,
      length,
      digest: blake3(noise(300_000).subarray(offset, offset + length)),
      named: digest,
    }));
    const root = merkleRoot(chunks, 300_000);
    expect((await store.stat('a')).root).toBe(`blake3:${Buffer.from(root).toString('hex')}`);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('lets a location reach outside its folder: here no backend key does', async () => {
    const backend = closedAfterTest(await openFsBackend(await testFolder(), { reserveBytes: 0 }));
    for (const key of ['../x', '../../..', '/etc/passwd', 'a/../../x', '..', 'a//b', 'A', 'a\\b', 'a\0b', '']) {
      await expect(backend.get(key)).rejects.toMatchObject({ code: 'BACKEND_KEY_INVALID' });
      await expect(backend.put(key, text('x'))).rejects.toMatchObject({ code: 'BACKEND_KEY_INVALID' });
    }
  });

  it('looks at every file for each store under a quota: here no folder is listed for a put', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    const backend = closedAfterTest(await openFsBackend(folder, { quotaBytes: 10_000, reserveBytes: 0, fileSystem }));
    fileSystem.trace.length = 0;
    for (let index = 0; index < 20; index += 1) await backend.put(`a/${index}`, noise(10));
    expect(fileSystem.trace.filter((call) => call.startsWith('readdir'))).toEqual([]);
  });

  it('lets puts side by side pass the quota together: here they fill it and not one byte more', async () => {
    const backend = closedAfterTest(new MemoryBackend({ quotaBytes: 1000 }));
    const puts = Array.from({ length: 20 }, (_, index) => backend.put(`k${index}`, noise(100)));
    const done = (await Promise.allSettled(puts)).filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(10);
    expect((await backend.space()).usedBytes).toBe(1000);
  });

  it('writes in place: here a write that fails half-way leaves the old blob', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    const backend = closedAfterTest(await openFsBackend(folder, { reserveBytes: 0, fileSystem }));
    await backend.put('a', text('old'));
    fileSystem.transferBytesMax = 100;
    fileSystem.fail({ call: 'write', code: 'ENOSPC', nth: 3 });
    await expect(backend.put('a', noise(1000))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await backend.get('a')).toEqual(text('old'));
  });
});
