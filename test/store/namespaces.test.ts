import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { createStore, type ListOptions, openStore, type Store } from '../../src/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, text } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const KEY = { key: new Uint8Array(32).fill(1) };
const SOUND = { outcome: 'ok', problemCount: 0 };

async function sealedStore(): Promise<Store> {
  return closedAfterTest(await createStore('memory:', { keys: KEY }));
}

async function keysOf(entries: Pick<Store, 'list'>): Promise<readonly string[]> {
  return (await Array.fromAsync(entries.list())).map(({ key }) => key);
}

describe('namespaces', () => {
  it('keep their entries and chunks apart', async () => {
    const store = await sealedStore();
    await store.namespaces.create('a');
    await store.namespaces.create('b');
    const content = noise(200_000);
    const first = await store.namespace('a').put('key', content);
    const second = await store.namespace('b').put('key', content);
    expect(second.newBytes).toBe(first.newBytes);
    expect(await store.namespace('b').put('again', content)).toMatchObject({ newBytes: 0 });
    expect(await store.has('key')).toBe(false);
    expect(await keysOf(store)).toEqual([]);
    expect(await keysOf(store.namespace('b'))).toEqual(['again', 'key']);
    expect(await store.namespace('a').get('key')).toEqual(content);
    expect(await store.namespace('a').stats()).toMatchObject({ entries: 1, logicalBytes: content.length });
    expect(await store.namespaces.stat('b')).toMatchObject({ entries: 2, uniqueBytes: content.length });
    expect(await store.stats()).toMatchObject({ entries: 3, uniqueBytes: 2 * content.length });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('do everything that the default one does', async () => {
    const store = await sealedStore();
    await store.namespaces.create('a');
    const entries = store.namespace('a');
    await entries.putMany(['x', 'y', 'z'].map((key) => ({ key, source: `content of ${key}` })));
    await entries.batch((batch) => {
      batch.copy('x', 'copy');
      batch.rename('y', 'moved');
      batch.delete('z');
    });
    expect(await keysOf(entries)).toEqual(['copy', 'moved', 'x']);
    expect(await entries.getMany(['copy', 'x'])).toEqual([text('content of x'), text('content of x')]);
    const sorted = await Array.fromAsync(entries.list({ sort: 'size', descending: true, prefix: 'm' }));
    expect(sorted.map(({ key }) => key)).toEqual(['moved']);
    const [chunk] = await Array.fromAsync(entries.chunks('x'));
    expect(await entries.readChunk(chunk?.digest ?? '')).toEqual(text('content of x'));
    await expect(store.readChunk(chunk?.digest ?? '')).rejects.toMatchObject({ code: 'CHUNK_NOT_FOUND' });
    await expect(entries.get('nothing')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });

  it('have names that are theirs alone', async () => {
    const store = await sealedStore();
    await store.namespaces.create('a');
    await expect(store.namespaces.create('a')).rejects.toMatchObject({ code: 'NAMESPACE_EXISTS' });
    await expect(store.namespaces.create('')).rejects.toMatchObject({ code: 'NAMESPACE_INVALID' });
    await expect(store.namespace('b').put('x', 'y')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await expect(store.namespaces.stat('b')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect((await store.namespaces.list()).map(({ name }) => name)).toEqual(['default', 'a']);
  });

  it('stay within their quota', async () => {
    const store = await sealedStore();
    await store.namespaces.create('a', { quotaBytes: 1000 });
    const entries = store.namespace('a');
    await entries.put('x', noise(900));
    await expect(entries.put('y', noise(101))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await entries.put('x', noise(1000));
    await store.put('unbounded', noise(5000));
    expect(await store.namespaces.setQuota('a', undefined)).not.toHaveProperty('quotaBytes');
    await entries.put('y', noise(5000));
  });

  it('are dropped with their keys and then their data', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: KEY, reserveBytes: 0 }));
    await store.put('stays', noise(100_000));
    await store.namespaces.create('a');
    const entries = store.namespace('a');
    await entries.put('goes', noise(200_000, 2));
    await entries.put('alone', 'isolated', { isolation: 'entry' });
    expect(await readdir(path.join(folder, 'keys'))).toHaveLength(1);
    expect(await store.namespaces.drop('a', { shred: true })).toEqual({ done: true, pending: [] });
    await expect(entries.get('goes')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect(await readdir(path.join(folder, 'keys'))).toEqual([]);
    expect(await store.stats()).toMatchObject({ entries: 1, uniqueBytes: 100_000 });
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0 } });
    await store.namespaces.create('a');
    expect(await store.namespace('a').has('goes')).toBe(false);
    await store.close();
    const again = closedAfterTest(await openStore(folder, { keys: KEY, reserveBytes: 0 }));
    expect(await again.maintenance.check()).toMatchObject(SOUND);
    await expect(again.namespaces.drop('default', { shred: true })).rejects.toMatchObject({
      code: 'NAMESPACE_INVALID',
    });
    const unsaid = { shred: false } as unknown as { shred: true };
    await expect(again.namespaces.drop('a', unsaid)).rejects.toMatchObject({ parameter: 'shred' });
  });
});

describe('a namespace that is dropped while somebody writes to it', () => {
  it('leaves nothing behind, and whoever wrote is told', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: KEY, reserveBytes: 0 }));
    const other = closedAfterTest(await openStore(folder, { keys: KEY, reserveBytes: 0 }));
    await store.namespaces.create('busy');
    const writing = [store, other].map(async (each, writer) => {
      for (let index = 0; ; index += 1) {
        const isolation = index % 3 === 0 ? ({ isolation: 'entry' } as const) : {};
        await each.namespace('busy').put(`${writer} ${index}`, noise(3000, index), isolation);
      }
    });
    const ended = Promise.allSettled(writing);
    while ((await store.namespaces.stat('busy')).entries < 6) await sleep(5);
    expect(await store.namespaces.drop('busy', { shred: true })).toEqual({ done: true, pending: [] });
    const codes = (await ended).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    for (const code of codes) expect(['NAMESPACE_NOT_FOUND', 'NAMESPACE_KEY_GONE', 'QUOTA_EXCEEDED']).toContain(code);
    await other.close();
    expect(await store.namespaces.list()).toHaveLength(1);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
    const again = closedAfterTest(await openStore(folder, { keys: KEY, reserveBytes: 0 }));
    expect(await again.stats()).toMatchObject({ entries: 0 });
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('an isolated entry', () => {
  it('shares nothing, and takes its key with it', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: KEY, reserveBytes: 0 }));
    const content = noise(100_000);
    await store.put('shared', content);
    expect(await store.put('alone', content, { isolation: 'entry' })).toMatchObject({ newBytes: content.length });
    expect(await store.stat('alone')).toMatchObject({ isolated: true, size: content.length });
    expect(await store.stat('shared')).not.toHaveProperty('isolated');
    expect(await store.rename('alone', 'renamed')).toMatchObject({ isolated: true });
    expect(await store.get('renamed')).toEqual(content);
    await expect(store.copy('renamed', 'copy')).rejects.toMatchObject({ code: 'ENTRY_ISOLATED' });
    expect(await readdir(path.join(folder, 'keys'))).toHaveLength(1);
    await store.put('renamed', 'replaced');
    expect(await readdir(path.join(folder, 'keys'))).toEqual([]);
    expect(await store.get('shared')).toEqual(content);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0 } });
  });

  it('is listed, and filtered by what only its key tells', async () => {
    const store = await sealedStore();
    for (const [key, contentType] of Object.entries({ a: 'text/plain', b: 'image/png', c: 'text/plain' }))
      await store.put(key, `content of ${key}`, { isolation: 'entry', contentType, attributes: { name: key } });
    await store.put('d', 'open to the store', { contentType: 'text/plain' });
    const listed = async (options: ListOptions): Promise<readonly string[]> =>
      (await Array.fromAsync(store.list(options))).map(({ key }) => key);
    expect(await listed({ where: { contentType: 'text/plain' } })).toEqual(['a', 'c', 'd']);
    expect(await listed({ where: { contentType: 'text/plain' }, limit: 2 })).toEqual(['a', 'c']);
    expect(await listed({ where: { contentType: 'text/plain' }, limit: 3 })).toEqual(['a', 'c', 'd']);
    expect(await listed({ where: { attributes: { name: 'b' } } })).toEqual(['b']);
  });

  it('leaves no key behind when its put fails', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: KEY, reserveBytes: 0 }));
    await store.put('a', 'x');
    const put = store.put('a', failing(), { isolation: 'entry' });
    await expect(put).rejects.toThrow('the source fails');
    expect(await readdir(path.join(folder, 'keys'))).toEqual([]);
  });

  it('is not said to be gone before its key is', async () => {
    const memory = new MemoryBackend();
    const backend = new FaultyBackend(memory);
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: KEY }));
    await store.put('a', 'isolated', { isolation: 'entry' });
    backend.fail({ call: 'delete', how: 'before', prefix: 'keys/', times: Infinity });
    await expect(store.delete('a')).rejects.toMatchObject({ code: 'SHRED_PENDING' });
    expect(await store.has('a')).toBe(false);
    expect(await store.namespaces.shred()).toMatchObject({ done: false });
    backend.heal();
    expect(await store.namespaces.shred()).toEqual({ done: true, pending: [] });
    expect(await memory.list({ prefix: 'keys/' })).toEqual([]);
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield noise(10_000);
  throw new Error('the source fails');
}
