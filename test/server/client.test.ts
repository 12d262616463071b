import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoldfastClient } from '../../src/client/index.ts';
import { createHandler } from '../../src/server/index.ts';
import { noise } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
let client: HoldfastClient;
beforeAll(async () => {
  served = await serveStore({ create: { keys: { key: STORE_KEY } } });
  client = new HoldfastClient(`${served.url}/`);
  await served.store.versions.setPolicy({ last: 10 });
});
afterAll(() => served.close());

describe('a client', () => {
  it.each([
    'plain',
    'a/b//c/',
    'a/../b/./c',
    './x',
    '%2F?#&+ä\0😀',
    'x'.repeat(1024),
  ])('stores and reads %j', async (key) => {
    const bytes = noise(100_000, key.length);
    const put = await client.put(key, bytes, { contentType: 'image/png', attributes: { 'a=b': 'ö&c' } });
    expect(put).toMatchObject({ key, size: 100_000 });
    expect(await served.store.stat(key)).toMatchObject({
      version: put.version,
      contentType: 'image/png',
      attributes: { 'a=b': 'ö&c' },
    });
    expect(Buffer.from(await client.get(key)).equals(bytes)).toBe(true);
    expect(Buffer.from(await client.get(key, { offset: 10, length: 5 })).equals(bytes.subarray(10, 15))).toBe(true);
    expect(Buffer.concat(await Array.fromAsync(client.read(key, { offset: 99_990 }))).equals(bytes.subarray(-10))).toBe(
      true,
    );
    expect(await client.stat(key)).toEqual(JSON.parse(JSON.stringify(await served.store.stat(key))));
    expect([await client.delete(key), await client.delete(key), await client.has(key)]).toEqual([true, false, false]);
  });

  it('sends streams, and names content by its digest', async () => {
    async function* pieces() {
      for (let index = 0; index < 50; index += 1) yield noise(10_000, index);
    }
    const { key, size } = await client.put(null, pieces());
    expect([size, await client.has(key)]).toEqual([500_000, true]);
    expect(key).toMatch(/^blake3:/);
  });

  it('throws what the library throws', async () => {
    const { version } = await client.put('k', 'v1');
    await expect(client.put('k', 'v2', { ifAbsent: true })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'PRECONDITION_FAILED',
    });
    await client.put('k', 'v2', { ifMatch: version });
    await expect(client.get('k', { ifMatch: version })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    await expect(client.get('nobody')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND', details: { key: 'nobody' } });
    await expect(client.get('k', { offset: 9 })).rejects.toMatchObject({ code: 'RANGE_INVALID', details: { size: 2 } });
    const guest = new HoldfastClient(served.url, { token: 'wrong' });
    await expect(guest.get('k')).rejects.toMatchObject({ code: 'TOKEN_REQUIRED', kind: 'denied' });
    const elsewhere = new HoldfastClient('http://other.example', {
      fetch: async () => new Response('gateway', { status: 502 }),
    });
    await expect(elsewhere.get('k')).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', retry: true });
  });

  it('lists, moves, changes many at once, and goes back', async () => {
    for (const key of ['list/a', 'list/b', 'list/c']) await client.put(key, key, { attributes: { of: 'list' } });
    const keys = async (options: object) =>
      await Array.fromAsync(client.list({ prefix: 'list/', ...options }), ({ key }) => key);
    expect(await keys({ page: 2 })).toEqual(['list/a', 'list/b', 'list/c']);
    expect(await keys({ sort: 'size', descending: true, page: 1 })).toEqual(['list/c', 'list/b', 'list/a']);
    expect([await keys({ attributes: { of: 'list' } }), await keys({ attributes: { of: 'x' } })]).toEqual([
      await keys({}),
      [],
    ]);
    await client.copy('list/a', 'list/d');
    await client.rename('list/d', 'list/c', { replace: true });
    await client.batch([
      { op: 'put', key: 'list/e', text: 'x' },
      { op: 'delete', key: 'list/b' },
    ]);
    expect(await keys({})).toEqual(['list/a', 'list/c', 'list/e']);
    const [, before] = await client.versions('list/c');
    await client.restore('list/c', before?.version ?? '');
    expect(Buffer.from(await client.get('list/c')).toString()).toBe('list/c');
  });

  it('reaches a namespace, through whatever sends its requests', async () => {
    await served.store.namespaces.create('tenant/1');
    const handler = createHandler(served.store, {
      access: { tokens: { find: async () => ({ name: 'all', verbs: ['admin'] }) } },
    });
    const inside = new HoldfastClient('http://app.example', { token: 't', fetch: (request) => handler(request) });
    const tenant = inside.namespace('tenant/1');
    await tenant.put('k', 'theirs');
    expect(Buffer.from(await served.store.namespace('tenant/1').get('k')).toString()).toBe('theirs');
    expect(await tenant.stats()).toMatchObject({ entries: 1 });
    expect(await inside.has('k/none')).toBe(false);
  });
});
