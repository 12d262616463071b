/** What chunkstore gets wrong, and must not happen here. */
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { blake3, createHasher } from '../../src/hash/index.ts';
import { createStore, StoreError } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { readContent } from '../../src/pipeline/content-reader.ts';
import type { ItemReader } from '../../src/pipeline/item-reader.ts';
import { ManifestBuilder } from '../../src/pipeline/manifest-builder.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { closedAfterTest, folderStore, keysOf, memoryStore, reopen, SOUND, sharedStore } from '../support/stores.ts';

const shared = sharedStore();

describe('what chunkstore gets wrong', () => {
  it('collects a whole input before it stores any of it: here an endless one fills packs while it comes', async () => {
    const { store } = await folderStore();
    let pulled = 0;
    const failure = new Error('enough');
    function* endless(): Iterable<Uint8Array> {
      for (; ; pulled += 1) {
        if (store.metrics().packsWritten > 1) throw failure;
        yield noise(MIB, pulled);
      }
    }
    await expect(store.put('endless', endless())).rejects.toBe(failure);
    expect(pulled).toBeLessThan(100);
    expect(await store.has('endless')).toBe(false);
  });

  it('re-ingest under the same id frees the old bytes first: here an interrupted one leaves the old entry', async () => {
    const { path, store } = await folderStore();
    const content = noise(600_000, 1);
    await store.put('f', content);
    function* half(): Iterable<Uint8Array> {
      yield content.subarray(0, 300_000);
      throw new Error('half-way');
    }
    await expect(store.put('f', half())).rejects.toThrow('half-way');
    expect(sameBytes(await store.get('f'), content)).toBe(true);
    await store.close();
    const again = await reopen(path);
    expect(sameBytes(await again.get('f'), content)).toBe(true);
    expect((await again.put('f', content)).newBytes).toBe(0);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it.each([
    ['packs/', 'before'],
    ['packs/', 'after'],
    ['journal/', 'before'],
  ] as const)('a failure at %s, %s the write, loses a file: here the old or the new one is there', async (prefix, how) => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: 'none' }));
    const [old, next] = [noise(300_000, 2), noise(300_000, 3)];
    await store.put('f', old);
    backend.fail({ call: 'put', prefix, how, error: new StoreError('BACKEND_IO', 'the disk failed') });
    const failure: StoreError = await store.put('f', next).then(
      () => expect.fail('the put must fail'),
      (error) => error,
    );
    const pending = failure.code === 'COMMIT_PENDING';
    expect(sameBytes(await store.get('f'), pending ? next : old)).toBe(true);
  });

  it('a manifest with a missing, doubled or reordered digest reads back without error: here none does', async () => {
    const chunks = ['one', 'two', 'three'].map(text);
    const [one, two, three] = chunks as [Uint8Array, Uint8Array, Uint8Array];
    const content = createHasher('blake3');
    for (const chunk of chunks) content.update(chunk);
    const digest = content.digest();
    const known = new Map(chunks.map((chunk) => [Buffer.from(blake3(chunk)).toString('hex'), chunk]));
    const reader = {
      read: async (_: string, wanted: readonly { digest: Uint8Array }[]) =>
        wanted.map(({ digest: one }) => known.get(Buffer.from(one).toString('hex')) as Uint8Array),
    } as unknown as ItemReader;
    const readAs = async (listed: readonly Uint8Array[]): Promise<string> => {
      const builder = new ManifestBuilder(async () => undefined);
      for (const chunk of listed) await builder.add(chunk.length, blake3(chunk));
      const value = { ...(await builder.finish()), digest, attributes: {} };
      return Buffer.concat(await Array.fromAsync(readContent(reader, value))).toString();
    };
    expect(await readAs(chunks)).toBe('onetwothree');
    for (const wrong of [[one, two], [two, one, three], [one, two, three, three], [one, one, three], []])
      await expect(readAs(wrong)).rejects.toMatchObject({ code: 'ENTRY_CORRUPT' });
  });

  it('ingest over a corrupt chunk does not repair it: here it does, for every owner of the chunk', async () => {
    const { path, store } = await folderStore();
    const content = noise(200_000, 4);
    for (const key of ['mine', 'theirs']) await store.put(key, content);
    await store.close();
    await flipByte((await packFiles(path))[0] as string, 9000);
    const again = await reopen(path);
    await expect(again.get('theirs')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    await again.put('mine', content);
    for (const key of ['mine', 'theirs']) expect(sameBytes(await again.get(key), content)).toBe(true);
  });

  it('the id __index__ closes the store for ever: here it is an id', async () => {
    const { path, store } = await folderStore();
    for (const key of ['__index__', '_manifest/__index__', '_refcount/__index__']) await store.put(key, key);
    await store.close();
    const again = await reopen(path);
    expect(await again.get('__index__')).toEqual(text('__index__'));
    expect(await keysOf(again)).toHaveLength(3);
  });

  it('the id dir after dir/x fails and leaks: here both are ids, in either order', async () => {
    const { store } = shared;
    for (const key of ['dir/x', 'dir', 'other', 'other/x']) await store.put(key, key);
    for (const key of ['dir/x', 'dir', 'other', 'other/x']) expect(await store.get(key)).toEqual(text(key));
    await store.delete('dir');
    expect(await store.get('dir/x')).toEqual(text('dir/x'));
  });

  it('bad ids are refused after their chunks are stored: here before, and nothing is left of them', async () => {
    const { path, store } = await folderStore();
    const { requests: _, ...before } = await store.stats();
    for (const key of ['', '\ud800', 'x'.repeat(1025)])
      await expect(store.put(key, noise(300_000))).rejects.toMatchObject({ code: 'KEY_INVALID' });
    expect(await store.stats()).toMatchObject(before);
    expect(await packFiles(path)).toEqual([]);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0 } });
  });

  it('one missing chunk keeps the whole store from opening: here it concerns its entries', async () => {
    const { path, store } = await folderStore();
    await store.put('lost', noise(200_000, 5));
    const [lost = ''] = await packFiles(path);
    await store.put('kept', noise(200_000, 6));
    await store.close();
    await rm(lost);
    const again = await reopen(path);
    expect(sameBytes(await again.get('kept'), noise(200_000, 6))).toBe(true);
    await expect(again.get('lost')).rejects.toMatchObject({ code: 'CHUNK_MISSING', details: { key: 'lost' } });
    expect(await again.stats()).toMatchObject({ entries: 2 });
    await again.put('more', 'x');
    expect(await again.delete('lost')).toBe(true);
  });

  it('a put and a delete of one shared chunk at once lose a file: here none in hundreds of rounds', async () => {
    const store = await memoryStore();
    for (let round = 0; round < 150; round += 1) {
      const content = text(`shared chunk of round ${round % 3}`);
      await Promise.all([store.put('a', content), store.put('b', content), store.delete('a')]);
      expect(await store.get('b')).toEqual(content);
      const [kept] = await Promise.all([store.put('c', content), store.delete('b'), store.delete('a')]);
      expect(kept.size).toBe(content.length);
      expect(await store.get('c')).toEqual(content);
    }
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 1 });
  });

  it('the same race with chunks in packs: here none is lost either', async () => {
    const { store } = await folderStore();
    const content = noise(150_000, 7);
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([store.put('a', content), store.delete('b'), store.put('c', content)]);
      await Promise.all([store.delete('a'), store.put('b', content), store.delete('c')]);
      expect(sameBytes(await store.get('b'), content)).toBe(true);
    }
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 1 });
  });

  it('has no way to list, rename or look for a file, or to read a part of it: here there is', async () => {
    const { store } = shared;
    await store.put('part', 'hello world');
    await store.rename('part', 'moved');
    expect(await store.has('moved')).toBe(true);
    const [piece] = await Array.fromAsync(store.read('moved', { offset: 6, length: 5 }));
    expect(piece).toEqual(text('world'));
    expect(await keysOf(store, { prefix: 'mov' })).toEqual(['moved']);
  });
});
