/** The workloads that chunkstore quotes its savings for, with its profiles: the same figures, and no worse by default. */
import { describe, expect, it } from 'vitest';
import { WORKLOADS } from '../../bench/savings/workloads.ts';
import { KIB } from '../../src/limits.ts';
import { sha256Hex } from '../support/contents.ts';
import { memoryStore, SOUND } from '../support/stores.ts';

async function savings(name: string, chunking: string): Promise<number> {
  const store = await memoryStore();
  const workload = WORKLOADS.find((one) => one.name === name);
  let file = 0;
  for (const content of workload?.contents() ?? []) await store.put(String(file++), content, { chunking });
  expect(file).toBeGreaterThan(1);
  expect(await store.maintenance.check()).toMatchObject(SOUND);
  return (await store.stats()).savingsPercent;
}

/** Pool chunk j has byte (31j + i) mod 251 at i: every one is a window of one periodic array. */
const POOL_CHUNK_BYTES = 256 * KIB;
const PERIODIC = Uint8Array.from({ length: POOL_CHUNK_BYTES + 251 }, (_, index) => index % 251);

function poolChunk(j: number): Uint8Array {
  const start = (31 * j) % 251;
  return PERIODIC.subarray(start, start + POOL_CHUNK_BYTES);
}

async function poolSavings(picksOf: (file: number) => readonly number[]): Promise<number> {
  const store = await memoryStore();
  for (let batch = 0; batch < 1000; batch += 100) {
    const items = Array.from({ length: 100 }, (_, index) => ({
      key: String(batch + index),
      source: picksOf(batch + index).map(poolChunk),
      chunking: `fixed:${POOL_CHUNK_BYTES}`,
    }));
    await store.putMany(items);
  }
  const { chunks, savingsPercent } = await store.stats();
  expect(chunks).toBe(200);
  return savingsPercent;
}

describe('the savings of chunkstore', () => {
  it('90.0 % on the dedup pool, at a sixteenth of its size (`npm run bench savings` has it whole)', async () => {
    const picks = (file: number) => [file % 200, (3 * file + 1) % 200, (7 * file + 2) % 200].slice(0, 1 + (file % 3));
    expect(await poolSavings(picks)).toBeCloseTo(89.995, 3);
  });

  it('92.0 % on the pool of its benchmark, at a sixteenth of its size', async () => {
    const picks = (file: number) =>
      [file % 200, (3 * file + 1) % 200, (7 * file + 2) % 200, (11 * file + 3) % 200].slice(0, 1 + (file % 4));
    expect(await poolSavings(picks)).toBeCloseTo(92, 3);
  });

  it('40.0 % on two versions that share nine tenths, fixed and by content', async () => {
    const digests = [...(WORKLOADS.find(({ name }) => name === 'versions 90/10')?.contents() ?? [])].map(sha256Hex);
    expect(digests).toEqual([
      '13b4135ed57beed546cbfc419ba0a5364d82a2962e19d6a26d41b3847447df67',
      '04a3dd31c33411372bd39d56663cf5a0e2c36af65179b33305a2018927db6c21',
    ]);
    expect(await savings('versions 90/10', 'fixed-4m')).toBeCloseTo(40, 6);
    expect(await savings('versions 90/10', 'chunkstore')).toBeCloseTo(40, 6);
  });

  it('0.0 % fixed and 45.1 % by content when one byte is put in front; more by default', async () => {
    expect(await savings('prefix insert', 'fixed-4m')).toBe(0);
    expect(await savings('prefix insert', 'chunkstore')).toBeCloseTo(45.135, 3);
    expect(await savings('prefix insert', 'buzhash')).toBeGreaterThan(49);
    expect(await savings('prefix insert', 'default')).toBeGreaterThan(49);
  });

  it.each(['fixed-4m', 'chunkstore', 'default'])('50.0 on a full duplicate, cut by %s', async (chunking) => {
    expect(await savings('full duplicate', chunking)).toBe(50);
  });

  it('49.9999 % on a shared block of 4 MiB', async () => {
    expect(await savings('shared block', 'fixed-4m')).toBeCloseTo(49.9999, 3);
  });

  it('0 % on what it calls random', async () => {
    expect(await savings('random', 'fixed-4m')).toBe(0);
  });

  it('two of three chunks on partly equal files: 128 bytes in chunks of 64, and a tail', async () => {
    const store = await memoryStore();
    const head = new Uint8Array(128).fill(1);
    for (const [key, tail] of [
      ['a', 'AAA'],
      ['b', 'BBBBB'],
    ] as const)
      await store.put(key, Buffer.concat([head, Buffer.from(tail)]), { chunking: 'fixed:64' });
    const [a, b] = await Promise.all(['a', 'b'].map((key) => Array.fromAsync(store.chunks(key))));
    const equal = a?.map(({ digest }, index) => digest === b?.[index]?.digest);
    expect(equal).toEqual([true, true, false]);
  });
});
