import { describe, expect, it } from 'vitest';
import type { Logger, Problem, Store, StoreStats } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { all, folderStore, memoryStore, reopen, SOUND } from '../support/stores.ts';

describe('stats', () => {
  it('of an empty store are all nothing', async () => {
    const store = await memoryStore();
    const { requests: _, ...stats } = await store.stats();
    expect(stats).toEqual({
      entries: 0,
      chunks: 0,
      logicalBytes: 0,
      uniqueBytes: 0,
      storedBytes: 0,
      packs: 0,
      savingsPercent: 0,
      compressionRatio: 0,
      commit: 0,
    } satisfies Omit<StoreStats, 'requests'>);
  });

  it('tell what is kept and what deduplication and compression save', async () => {
    const { store } = await folderStore();
    const content = noise(400_000, 41);
    await store.put('a', content);
    await store.put('b', content);
    await store.copy('a', 'c');
    await store.put('zeros', new Uint8Array(1_000_000));
    const stats = await store.stats();
    expect(stats).toMatchObject({ entries: 4, logicalBytes: 2_200_000 });
    expect(stats.uniqueBytes).toBeLessThan(400_000 + 600_000);
    expect(stats.savingsPercent).toBeCloseTo(100 * (1 - stats.uniqueBytes / 2_200_000), 10);
    expect(stats.compressionRatio).toBeCloseTo(stats.uniqueBytes / stats.storedBytes, 10);
    expect(stats.storedBytes).toBeGreaterThan(400_000);
    expect(stats.storedBytes).toBeLessThan(420_000);
  });

  it('follow deletes: nothing logical is left, the chunks stay until they are collected', async () => {
    const store = await memoryStore();
    await store.put('a', noise(200_000, 42));
    const { uniqueBytes } = await store.stats();
    await store.delete('a');
    expect(await store.stats()).toMatchObject({ entries: 0, logicalBytes: 0, uniqueBytes, savingsPercent: 0 });
  });

  it('are the same after reopening', async () => {
    const { path, store } = await folderStore();
    await store.put('a', noise(200_000, 43));
    await store.put('b', 'small');
    await store.delete('b');
    await store.close();
    const { requests: _, ...before } = await (await reopen(path)).stats();
    const again = await (await reopen(path)).stats();
    expect(again).toMatchObject(before);
    expect(again).toMatchObject({ entries: 1, logicalBytes: 200_000, uniqueBytes: 200_005, commit: 4 });
  });
});

describe('metrics', () => {
  it('count what was done since the store was opened', async () => {
    const { path, store } = await folderStore();
    const content = noise(300_000, 44);
    await store.put('a', content);
    await store.put('b', content);
    await store.get('a');
    await all(store.read('b', { offset: 0, length: 10 }));
    await store.delete('a');
    await store.delete('a');
    await expect(store.put('', 'x')).rejects.toThrow();
    const metrics = store.metrics();
    const { chunksNew } = metrics;
    expect(metrics).toMatchObject({
      puts: 2,
      gets: 2,
      deletes: 1,
      bytesIn: 600_000,
      bytesOut: 300_010,
      damageFound: 0,
    });
    expect(chunksNew).toBeGreaterThan(1);
    expect(metrics.chunksKnown).toBe(chunksNew);
    expect(metrics.packsWritten).toBeGreaterThanOrEqual(4);
    await store.close();
    expect((await reopen(path)).metrics()).toMatchObject({ puts: 0, gets: 0, bytesIn: 0, packsWritten: 0 });
  });

  it('show that puts side by side share commits and packs', async () => {
    const { store } = await folderStore();
    await Promise.all(Array.from({ length: 200 }, (_, index) => store.put(`k${index}`, noise(5000, index))));
    const { puts, commits, packsWritten } = store.metrics();
    expect(puts).toBe(200);
    expect(commits).toBeLessThan(50);
    expect(packsWritten).toBeLessThan(50);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('many tiny puts', () => {
  it('leave few packs: small ones are merged, and the merge is told', async () => {
    const { store } = await folderStore();
    const merges: { dropped: number; added: number; bytes: number }[] = [];
    store.on('merge', (report) => merges.push(report));
    for (let index = 0; index < 70; index += 1) await store.put(`k${index}`, `content ${index}`);
    await expect.poll(async () => (await store.stats()).packs, { timeout: 10_000 }).toBeLessThan(25);
    expect(merges.length).toBeGreaterThan(0);
    for (const { dropped, added } of merges) expect(dropped).toBeGreaterThan(added);
    expect(store.metrics().packsMerged).toBe(merges.reduce((sum, { dropped }) => sum + dropped, 0));
    for (let index = 0; index < 70; index += 1)
      expect(Buffer.from(await store.get(`k${index}`)).toString()).toBe(`content ${index}`);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 70 });
  });
});

/** A store with an entry whose pack was changed on disk. */
async function damagedStore(logger?: Logger): Promise<Store> {
  const { path, store } = await folderStore();
  await store.put('a', noise(200_000, 45));
  await store.close();
  const [pack = ''] = await packFiles(path);
  await flipByte(pack, 5000);
  return await reopen(path, logger ? { logger } : {});
}

describe('events', () => {
  it('tell of damage, once for each chunk found', async () => {
    const store = await damagedStore();
    const problems: Problem[] = [];
    store.on('damage', (problem) => problems.push(problem));
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(problems.length).toBe(store.metrics().damageFound);
    expect(problems[0]).toMatchObject({ code: 'CHUNK_CORRUPT', digest: expect.stringMatching(/^blake3:/) });
  });

  it('reach no listener that was taken off, and one that throws disturbs nothing', async () => {
    const store = await damagedStore();
    let heard = 0;
    const listener = (): void => {
      heard += 1;
    };
    store.on('damage', listener).off('damage', listener);
    store.on('damage', () => {
      throw new Error('a broken listener');
    });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(heard).toBe(0);
  });
});

describe('a logger', () => {
  it('hears of damage and of listeners that throw, and never of content', async () => {
    const lines: string[] = [];
    const log =
      (level: string) =>
      (message: string): void => {
        lines.push(`${level} ${message}`);
      };
    const store = await damagedStore({
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    });
    store.on('damage', () => {
      throw new Error('a broken listener');
    });
    await expect(store.get('a')).rejects.toThrow();
    expect(lines.some((line) => /^error .*cannot be read/.test(line))).toBe(true);
    expect(lines).toContain('error a listener of "damage" threw');
  });
});
