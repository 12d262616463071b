import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Backend, MemoryBackend, openFsBackend } from '../../src/backend/index.ts';
import { BACKEND_MARKER_KEY } from '../../src/format/index.ts';
import { createStore, openStore, rebuildStore } from '../../src/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { closedAfterTest, reopen, SOUND, testFolder } from '../support/stores.ts';

const PLAIN = { keys: 'none' } as const;

/** Closing a store closes its backend: what has to outlive a store is this. */
function lasting(backend: Backend): Backend {
  return new Proxy(backend, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name === 'close') return async () => undefined;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('a backend of the caller’s', () => {
  it('holds the store, with the metadata in a file', async () => {
    const backend = lasting(new MemoryBackend());
    const metadata = path.join(await testFolder(), 'metadata.sqlite');
    const content = noise(200_000, 121);
    const store = closedAfterTest(await createStore({ backend, metadata }, PLAIN));
    await store.put('a', content);
    await store.close();
    const again = await reopen({ backend, metadata });
    expect(sameBytes(await again.get('a'), content)).toBe(true);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
    await again.close();
    const other = path.join(await testFolder(), 'other.sqlite');
    await rebuildStore({ backend, metadata: other });
    expect(sameBytes(await (await reopen({ backend, metadata: other })).get('a'), content)).toBe(true);
  });

  it('is closed with its store, and when a store cannot be opened', async () => {
    const backend = new MemoryBackend();
    const store = await createStore({ backend, metadata: ':memory:' }, PLAIN);
    await store.close();
    await expect(backend.list()).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
    const empty = new MemoryBackend();
    await expect(openStore({ backend: empty, metadata: ':memory:' })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
    await expect(empty.list()).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
  });

  it('is done without while its mark is damaged or another store’s, as far as the redundancy goes', async () => {
    const [backend, disk] = [lasting(new MemoryBackend()), lasting(new MemoryBackend())];
    const backends = [disk, lasting(new MemoryBackend()), lasting(new MemoryBackend())];
    const location = { backend, backends, metadata: path.join(await testFolder(), 'metadata.sqlite') };
    const spread = { ...PLAIN, redundancy: '2+1', backends: backends.map((one) => ({ location: one })) };
    const content = noise(200_000, 122);
    const store = await createStore(location, spread);
    await store.put('a', content);
    await store.close();
    const mark = Buffer.from((await disk.get(BACKEND_MARKER_KEY)) ?? []).toString();
    const foreign = mark.replace(/"storeId": "./, (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0'));
    for (const other of [mark.slice(1), foreign]) {
      await disk.put(BACKEND_MARKER_KEY, Buffer.from(other));
      const opened = await reopen(location);
      expect(sameBytes(await opened.get('a'), content)).toBe(true);
      expect((await opened.backends.status()).backends.map(({ health }) => health.state)).toEqual([
        'up',
        'down',
        'up',
        'up',
      ]);
      await opened.close();
    }
  });

  it('with a store on it gets no second one, even if it cannot create exactly once', async () => {
    const memory = new MemoryBackend();
    const weak = lasting(memory);
    const capabilities = { ...memory.capabilities, ifAbsent: false };
    const backend = new Proxy(weak, {
      get: (target, name) => (name === 'capabilities' ? capabilities : Reflect.get(target, name)),
    });
    const location = { backend, metadata: path.join(await testFolder(), 'metadata.sqlite') };
    const store = closedAfterTest(await createStore(location, PLAIN));
    await store.put('a', 'x');
    await store.close();
    const second = { backend, metadata: ':memory:' };
    await expect(createStore(second, PLAIN)).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    expect(await (await reopen(location)).get('a')).toEqual(text('x'));
    await memory.delete('holdfast.json');
    await expect(createStore(second, PLAIN)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it('that cannot be reached is an error and never an absence', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, PLAIN));
    await store.put('a', noise(200_000, 122));
    backend.fail({ call: 'get', how: 'before', times: Number.POSITIVE_INFINITY });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'BACKEND_IO', kind: 'unavailable', retry: true });
    expect(store.metrics().damageFound).toBe(0);
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'partial' });
    backend.heal();
    expect(sameBytes(await store.get('a'), noise(200_000, 122))).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('that lies about what it holds never makes a store lie', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, PLAIN));
    await store.put('a', noise(200_000, 123));
    backend.fail({ call: 'get', how: 'torn' });
    await expect(store.get('a')).rejects.toMatchObject({ kind: 'corrupt', details: { key: 'a' } });
  });

  it('may be a folder of the caller’s', async () => {
    const folder = await testFolder();
    const backend = await openFsBackend(folder, { reserveBytes: 0 });
    const store = closedAfterTest(await createStore({ backend, metadata: path.join(folder, '.mine.sqlite') }, PLAIN));
    await store.put('a', 'x');
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('a store in memory', () => {
  it('is gone with its handle, and shares nothing with another', async () => {
    const [first, second] = [await createStore('memory:', PLAIN), await createStore('memory:', PLAIN)];
    closedAfterTest(first);
    closedAfterTest(second);
    await first.put('a', 'x');
    expect(await second.has('a')).toBe(false);
    expect(first.id).not.toBe(second.id);
  });

  it('keeps to a quota', async () => {
    const store = closedAfterTest(await createStore('memory:', { ...PLAIN, quotaBytes: 300_000 }));
    await store.put('a', noise(200_000, 124));
    await expect(store.put('b', noise(200_000, 125))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      kind: 'exhausted',
    });
    expect(await store.has('b')).toBe(false);
    expect(sameBytes(await store.get('a'), noise(200_000, 124))).toBe(true);
    expect(await store.delete('a')).toBe(true);
    expect(await store.maintenance.check()).toMatchObject({ problems: [] });
  });
});
