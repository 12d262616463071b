import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { blake3Text, noise, sameBytes } from '../support/contents.ts';
import { folderStore, keysOf, memoryStore, reopen, SOUND } from '../support/stores.ts';

/** Contents that are told apart by their first byte and checked as a whole. */
const VERSIONS = [1, 2, 3, 4].map((first) => {
  const bytes = noise(150_000 * first, first);
  bytes[0] = first;
  return bytes;
});

describe('overwriting', () => {
  it('is seen whole or not at all by readers', async () => {
    const { store } = await folderStore();
    await store.put('k', VERSIONS[0] as Uint8Array);
    let running = true;
    const writing = async (): Promise<void> => {
      for (let round = 0; round < 24; round += 1) await store.put('k', VERSIONS[round % 4] as Uint8Array);
      running = false;
    };
    const reading = async (): Promise<number> => {
      let reads = 0;
      for (; running; reads += 1) {
        const bytes = await store.get('k');
        expect(sameBytes(bytes, VERSIONS[(bytes[0] ?? 0) - 1] as Uint8Array)).toBe(true);
      }
      return reads;
    };
    const [, reads] = await Promise.all([writing(), reading(), reading()]);
    expect(reads).toBeGreaterThan(0);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 1 });
  });
});

describe('puts side by side', () => {
  it('of one content store it once', async () => {
    const { store } = await folderStore();
    const content = noise(700_000, 141);
    const puts = await Promise.all(Array.from({ length: 12 }, (_, index) => store.put(`k${index}`, content)));
    expect(puts.reduce((sum, { newBytes }) => sum + newBytes, 0)).toBe(content.length);
    expect(await store.stats()).toMatchObject({ uniqueBytes: content.length, entries: 12 });
    for (const key of await keysOf(store)) expect(sameBytes(await store.get(key), content)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('of one tiny content store it once as far as anybody can tell', async () => {
    const store = await memoryStore();
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.put(`k${index}`, 'the same')));
    expect(await store.stats()).toMatchObject({ chunks: 1, uniqueBytes: 8, entries: 50 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('under one key leave one of them', async () => {
    const store = await memoryStore();
    await Promise.all(VERSIONS.map((content) => store.put('k', content)));
    const bytes = await store.get('k');
    expect(sameBytes(bytes, VERSIONS[(bytes[0] ?? 0) - 1] as Uint8Array)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 1 });
  });

  it('lose nothing when some of them fail', async () => {
    const store = await memoryStore();
    const failing = async function* (content: Uint8Array): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, content.length - 1);
      throw new Error('half-way');
    };
    for (let round = 0; round < 8; round += 1) {
      const content = noise(300_000, 150 + round);
      const outcomes = await Promise.allSettled([
        store.put(`bad${round}`, failing(content)),
        store.put(`good${round}`, content),
        store.put(`worse${round}`, failing(content)),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
      expect(sameBytes(await store.get(`good${round}`), content)).toBe(true);
    }
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 8 });
  });
});

describe('two handles on one folder', () => {
  async function pair(): Promise<[Store, Store]> {
    const { path, store } = await folderStore();
    return [store, await reopen(path)];
  }

  it('see what the other commits, and share its chunks', async () => {
    const [one, two] = await pair();
    const content = noise(400_000, 161);
    await one.put('a', content);
    expect(sameBytes(await two.get('a'), content)).toBe(true);
    expect((await two.put('b', content)).newBytes).toBe(0);
    await one.delete('a');
    expect(await two.has('a')).toBe(false);
    expect(sameBytes(await one.get('b'), content)).toBe(true);
    expect(await one.maintenance.check()).toMatchObject(SOUND);
    expect(await two.maintenance.check()).toMatchObject(SOUND);
  });

  it('overwrite nothing of each other, whoever commits, merges and checks', async () => {
    const [one, two] = await pair();
    const work = async (store: Store, name: string): Promise<void> => {
      for (let index = 0; index < 40; index += 1) {
        await store.put(`${name}/${index}`, noise(index * 2500, index));
        if (index % 10 === 9) expect(await store.maintenance.check()).toMatchObject(SOUND);
      }
    };
    await Promise.all([work(one, 'one'), work(two, 'two')]);
    for (const store of [one, two]) {
      expect(await keysOf(store)).toHaveLength(80);
      for (const name of ['one', 'two']) {
        expect(blake3Text(await store.get(`${name}/39`))).toBe(blake3Text(noise(39 * 2500, 39)));
      }
    }
    await one.close();
    expect(await two.maintenance.check()).toMatchObject({ ...SOUND, entries: 80 });
  });

  it('let one of two conditional puts win', async () => {
    const [one, two] = await pair();
    for (let round = 0; round < 10; round += 1) {
      const puts = [one, two].map((store, index) => store.put(`k${round}`, `from ${index}`, { ifAbsent: true }));
      const outcomes = await Promise.allSettled(puts);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'ENTRY_EXISTS' } });
    }
  });
});
