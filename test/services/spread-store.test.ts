import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openS3Backend } from '../../src/backend/index.ts';
import { createStore, openStore, rebuildStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { SOUND, testFolder } from '../support/stores.ts';
import { ENDPOINT, makeBucket, openRelay, type Relay, WHY_SKIPPED } from './services.ts';

const PLAIN = { keys: 'none', reserveBytes: 0 } as const;
const CONTENTS = new Map([2, 40_000, 3_000_000].map((bytes) => [`of ${bytes} bytes`, noise(bytes, bytes)]));

interface Mixed {
  readonly home: string;
  readonly folders: string;
  readonly relay: Relay;
  /** Of the two buckets; the first is reached over the relay. */
  readonly urls: readonly string[];
}

/** A store of 3+2 over two folders, a single file and two buckets, with some entries. */
async function mixedStore(keys: 'none' | { readonly key: Uint8Array }): Promise<Mixed> {
  const folders = await testFolder();
  const [home, relay] = [path.join(folders, 'home'), await openRelay()];
  const urls = [relay.over(await makeBucket()), await makeBucket()];
  const places = [...['one', 'two', 'three.hold'].map((name) => path.join(folders, name)), ...urls];
  const backends = places.map((location, index) => ({ location, name: `b${index}` }));
  await using store = await createStore(home, { keys, reserveBytes: 0, redundancy: '3+2', homeWeight: 0, backends });
  for (const [key, content] of CONTENTS) await store.put(key, content);
  return { home, folders, relay, urls };
}

async function expectAll(store: { get(key: string): Promise<Uint8Array> }): Promise<void> {
  for (const [key, content] of CONTENTS) expect(Buffer.compare(await store.get(key), content), key).toBe(0);
}

describe.skipIf(ENDPOINT === undefined)(`a store over folders, a file and buckets${WHY_SKIPPED}`, () => {
  it.each([
    ['plain', 'none'],
    ['sealed', { key: noise(32, 7) }],
  ] as const)('that is %s bears the loss of a bucket, and is whole again in another one', async (_, keys) => {
    const { home, relay } = await mixedStore(keys);
    await relay.cut();
    await using store = await openStore(home, { ...(keys !== 'none' && { keys }), reserveBytes: 0 });
    await expectAll(store);
    await store.put('later', 'without the bucket');
    const away = (await store.backends.list()).filter(({ health }) => health.state === 'down').map(({ name }) => name);
    expect(away).toEqual(['b3']);
    await store.backends.replace('b3', await makeBucket());
    expect(await store.maintenance.repair()).toMatchObject({ outcome: 'ok' });
    expect(await store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    expect(await store.backends.status()).toMatchObject({ degraded: 0, survives: { backends: { lossesMax: 2 } } });
    await expectAll(store);
  });

  it('is made anew from buckets alone', async () => {
    const folders = await testFolder();
    const [home, url] = [path.join(folders, 'home'), await makeBucket()];
    const store = await createStore(home, { ...PLAIN, backends: [{ location: url, name: 'bucket' }], homeWeight: 0 });
    for (const [key, content] of CONTENTS) await store.put(key, content);
    const digest = (await store.stat('of 2 bytes')).digest;
    await store.close();
    await rm(home, { recursive: true });
    const metadata = path.join(folders, 'elsewhere.sqlite');
    await rebuildStore({ backend: await openS3Backend(url), metadata });
    await using again = await openStore({ backend: await openS3Backend(url), metadata });
    await expectAll(again);
    expect((await again.stat('of 2 bytes')).digest).toBe(digest);
    await again.backends.remove('main', { lost: true });
    expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
  });

  it('moves from its folder into a bucket', async () => {
    const home = path.join(await testFolder(), 'home');
    await using store = await createStore(home, PLAIN);
    for (const [key, content] of CONTENTS) await store.put(key, content);
    await store.backends.add({ location: await makeBucket(), name: 'bucket' });
    await store.backends.drain('main');
    const held = new Map((await store.backends.status()).backends.map(({ name, shards }) => [name, shards]));
    expect(held.get('main')).toBe(0);
    expect(held.get('bucket')).toBeGreaterThan(0);
    await expectAll(store);
    expect(await store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
  });

  it('refuses a bucket of another store', async () => {
    const { home, urls } = await mixedStore('none');
    const other = path.join(await testFolder(), 'other');
    await using store = await createStore(other, PLAIN);
    await expect(store.backends.add({ location: urls[1] ?? '' })).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await using first = await openStore(home, { reserveBytes: 0 });
    await expectAll(first);
  });
});
