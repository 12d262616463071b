import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createStore,
  type OpenOptions,
  openStore,
  type PackRepair,
  repairBackends,
  type Store,
} from '../../src/index.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const POLL = { timeout: 15_000, interval: 200 };
const CONTENT = noise(400_000, 1);

interface Spread {
  readonly home: string;
  readonly store: Store;
  disk(at: number): string;
  /** Closes the store and opens it again. */
  reopen(options?: OpenOptions): Promise<Store>;
}

/** A store of 3+2 over five folders, beside the folder of its metadata, with entries of all sizes. */
async function spreadStore(options: Partial<OpenOptions> = {}): Promise<Spread> {
  const root = await testFolder();
  const home = path.join(root, 'home');
  const disk = (at: number): string => path.join(root, `disk${at}`);
  const backends = [1, 2, 3, 4, 5].map((at) => ({ location: disk(at) }));
  const how = { keys: 'none', reserveBytes: 0, redundancy: '3+2', backends, heal: 'manual' } as const;
  const { keys: _keys, ...others } = options;
  const store = closedAfterTest(await createStore(home, { ...how, ...others }));
  await store.put('large', CONTENT);
  await store.put('small', noise(300, 2));
  const reopen = async (again: OpenOptions = {}): Promise<Store> => {
    await store.close();
    return closedAfterTest(await openStore(home, { reserveBytes: 0, heal: 'manual', ...again }));
  };
  return { home, store, disk, reopen };
}

/** Paths of the shards on a disk. */
async function shardsOn(disk: string): Promise<readonly string[]> {
  const names = await readdir(disk, { recursive: true });
  return names.filter((name) => /\.\d+$/.test(name) && !name.startsWith('.')).map((name) => path.join(disk, name));
}

async function flipAll(disk: string): Promise<number> {
  const shards = await shardsOn(disk);
  for (const shard of shards) {
    const bytes = await readFile(shard);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(shard, bytes);
  }
  return shards.length;
}

describe('a store of five folders', () => {
  it('is whole again after one lost all its shards and another was flipped all over', async () => {
    const { store, disk } = await spreadStore();
    const repairs: PackRepair[] = [];
    store.on('repair', (repair) => repairs.push(repair));
    const removed = await shardsOn(disk(1));
    for (const shard of removed) await rm(shard);
    const flipped = await flipAll(disk(4));
    expect(sameBytes(await store.get('large'), CONTENT)).toBe(true);
    const dry = await store.maintenance.verify({ dryRun: true });
    expect(dry).toMatchObject({ outcome: 'damaged', packsLost: 0, findingCount: removed.length + flipped });
    expect((await store.maintenance.verify()).outcome).toBe('damaged');
    const report = await store.maintenance.repair();
    expect(report).toMatchObject({ outcome: 'ok', shardsMade: removed.length + flipped, findingCount: 0 });
    expect(repairs.flatMap(({ shards }) => shards)).toHaveLength(removed.length + flipped);
    expect((await store.maintenance.verify()).outcome).toBe('ok');
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0 } });
    expect(await store.backends.status()).toMatchObject({ degraded: 0, survives: { backends: { lossesMax: 2 } } });
    for (const at of [2, 3]) await rm(disk(at), { recursive: true });
    expect(sameBytes(await store.get('large'), CONTENT)).toBe(true);
  });

  it('is scrubbed at once, and tells of a backend that is away', async () => {
    const { disk, reopen } = await spreadStore();
    await rm(disk(3), { recursive: true });
    const store = await reopen();
    const flipped = await flipAll(disk(2));
    const { outcome, verified, repaired } = await store.maintenance.scrub();
    expect(outcome).toBe('partial');
    expect(verified).toMatchObject({ shardsCorrupt: flipped, packsLost: 0 });
    expect(verified.shardsUnreachable).toBeGreaterThan(0);
    expect(repaired).toMatchObject({ shardsMade: flipped });
    expect((await store.maintenance.check()).outcome).toBe('partial');
  });

  it('repairs itself while it is open', async () => {
    const { disk, reopen } = await spreadStore();
    for (const shard of await shardsOn(disk(5))) await rm(shard);
    const store = await reopen({ heal: 'auto' });
    const repairs: PackRepair[] = [];
    store.on('repair', (repair) => repairs.push(repair));
    await store.maintenance.verify();
    const waiting = (await store.backends.status()).degraded;
    expect(waiting).toBeGreaterThan(0);
    await expect.poll(async () => (await store.backends.status()).degraded, POLL).toBe(0);
    expect(repairs).toHaveLength(waiting);
    expect(repairs[0]?.shards).toMatchObject([{ to: 'disk5' }]);
    expect((await store.maintenance.verify()).outcome).toBe('ok');
  });

  it('verifies when it may not be written, and repairs nothing then', async () => {
    const { disk, reopen } = await spreadStore();
    const flipped = await flipAll(disk(2));
    const store = await reopen({ readOnly: true });
    expect(await store.maintenance.verify()).toMatchObject({
      outcome: 'damaged',
      dryRun: true,
      shardsCorrupt: flipped,
    });
    await expect(store.maintenance.repair()).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(store.maintenance.scrub()).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect(await store.maintenance.repair({ dryRun: true })).toMatchObject({ outcome: 'ok', packs: 0 });
  });

  it('ends a scrub that watches when it is closed', async () => {
    const { store } = await spreadStore();
    const round = Promise.withResolvers<void>();
    const watching = store.maintenance.scrub({ watch: true, onRound: () => round.resolve() });
    const ended = expect(watching).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await round.promise;
    await store.close();
    await ended;
  });

  it('refuses another way of healing than there is', async () => {
    const { home, store } = await spreadStore();
    await store.close();
    await expect(openStore(home, { heal: 'never' as 'auto' })).rejects.toThrow(RangeError);
  });
});

describe('the folders of a sealed store', () => {
  it('are repaired by somebody who has no key of it', async () => {
    const root = await testFolder();
    const [home, disk] = [path.join(root, 'home'), path.join(root, 'disk2')];
    const backends = [1, 2, 3, 4].map((at) => ({ location: path.join(root, `disk${at}`) }));
    const keys = { key: new Uint8Array(32).fill(9) };
    const store = await createStore(home, { keys, reserveBytes: 0, redundancy: '2+2', backends, heal: 'manual' });
    await store.put('secret', CONTENT);
    await store.close();
    const flipped = await flipAll(disk);
    expect(await repairBackends(home, { dryRun: true })).toMatchObject({ outcome: 'ok', shardsMade: flipped });
    expect(await repairBackends(home)).toMatchObject({ outcome: 'ok', shardsMade: flipped, findingCount: 0 });
    const opened = closedAfterTest(await openStore(home, { keys, reserveBytes: 0 }));
    expect((await opened.maintenance.verify()).outcome).toBe('ok');
    expect(sameBytes(await opened.get('secret'), CONTENT)).toBe(true);
  });
});

describe('a store of one folder', () => {
  it('is verified too, and told that nothing can be repaired', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    await store.put('large', CONTENT);
    expect(await store.maintenance.verify()).toMatchObject({ outcome: 'ok', shardsMissing: 0 });
    const flipped = await flipAll(folder);
    expect(await store.maintenance.verify()).toMatchObject({ outcome: 'damaged', packsLost: flipped });
    expect(await store.maintenance.scrub()).toMatchObject({ outcome: 'damaged' });
  });
});
