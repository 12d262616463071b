import { describe, expect, it } from 'vitest';
import { type ShardWorld, START_MS, shardWorld } from '../../test/support/shard-world.ts';
import { DAMAGES, damageShard, everyBlob } from '../../test/support/striped-packs.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import { repairStore } from './repair.ts';
import { verifyStore } from './verify.ts';

const LARGE = { bytes: 150_000 };
const SMALL = { bytes: 500 };
const FOREVER = { times: Number.POSITIVE_INFINITY } as const;

async function verifiedTimes({ rows }: ShardWorld): Promise<readonly (readonly number[] | undefined)[]> {
  return (await rows()).map(({ verified }) => verified);
}

async function firstPack({ rows }: ShardWorld) {
  const [row] = await rows();
  if (row === undefined) throw new Error('there is no pack');
  return row;
}

describe('verifyStore', () => {
  it('reads every byte of every shard, and marks each with the time', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL);
    const bytes = Object.values(await everyBlob(world.backends)).reduce((sum, blob) => sum + blob.length / 2, 0);
    const report = await verifyStore(world.store);
    expect(report).toMatchObject({ outcome: 'ok', packs: 2, packsTotal: 2, shardsGood: 8, bytesRead: bytes });
    expect(report).toMatchObject({ findings: [], findingCount: 0, packsLost: 0 });
    expect(await verifiedTimes(world)).toEqual([Array(5).fill(world.clock.ms), Array(3).fill(world.clock.ms)]);
    expect(report).toEqual(JSON.parse(JSON.stringify(report)));
    expect(Object.isFrozen(report)).toBe(true);
  });

  it.each(DAMAGES)('finds a shard that is %s, and queues it', async (damage) => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const row = await firstPack(world);
    await damageShard(world.backends, row, { index: 1, damage });
    const state = damage === 'deleted' ? 'missing' : 'corrupt';
    const code = damage === 'deleted' ? 'SHARD_MISSING' : 'SHARD_CORRUPT';
    const report = await verifyStore(world.store);
    expect(report).toMatchObject({ outcome: 'damaged', packs: 2, shardsGood: 9, findingCount: 1 });
    const backend = `b${row.places[1]}`;
    expect(report.findings).toMatchObject([
      { packId: Buffer.from(row.id).toString('hex'), index: 1, backend, state, code },
    ]);
    expect(await world.metadata.packsToRepair({ limit: 9 })).toMatchObject([{ number: row.number, margin: 1 }]);
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'ok', shardsMade: 1 });
    world.clock.ms += 1;
    expect(await verifyStore(world.store)).toMatchObject({ outcome: 'ok', shardsGood: 10 });
  });

  it('finds a shard on a backend that has left, and queues it; of one that it does not know yet it waits to hear', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const { set } = world.backends;
    const rest = set.links.filter(({ facts }) => facts.number !== 2);
    set.replace(rest, { map: [], nextNumber: 2 });
    expect(await verifyStore(world.store)).toMatchObject({
      outcome: 'partial',
      shardsUnreachable: 1,
      shardsMissing: 0,
    });
    expect(await world.metadata.packsToRepair({ limit: 9 })).toEqual([]);
    set.replace(rest, { map: [], nextNumber: 6 });
    expect(await verifyStore(world.store)).toMatchObject({ outcome: 'damaged', shardsGood: 4, shardsMissing: 1 });
    const [row] = await world.rows();
    expect(await world.metadata.packsToRepair({ limit: 9 })).toMatchObject([{ number: row?.number, margin: 1 }]);
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'ok', shardsMade: 1 });
    world.clock.ms += 1;
    expect(await verifyStore(world.store)).toMatchObject({ outcome: 'ok', shardsGood: 5 });
  });

  it('marks and queues nothing in a dry run, nor in a store that may not be written', async () => {
    for (const dry of [{ dryRun: true }, {}]) {
      const world = await shardWorld();
      await world.add(LARGE);
      await damageShard(world.backends, await firstPack(world), { index: 1, damage: 'flipped' });
      const before = await world.rows();
      const store = { ...world.store, writable: dry.dryRun === true };
      expect(await verifyStore(store, dry)).toMatchObject({ outcome: 'damaged', dryRun: true, shardsCorrupt: 1 });
      expect(await world.rows()).toEqual(before);
    }
  });

  it('calls what it could not ask unreachable, and itself partial', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    world.backends.faulty[2]?.fail({ call: 'get', how: 'before', ...FOREVER });
    const report = await verifyStore(world.store);
    expect(report).toMatchObject({ outcome: 'partial', shardsGood: 4, shardsUnreachable: 1, shardsMissing: 0 });
    expect(await world.metadata.packsToRepair({ limit: 9 })).toEqual([]);
  });

  it('does not wait for a backend that hangs more than once', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE, LARGE);
    world.backends.faulty[2]?.fail({ call: 'head', how: 'wait', until: new Promise(() => undefined), ...FOREVER });
    const report = await verifyStore({ ...world.store, timeoutMs: 40 });
    expect(report).toMatchObject({ outcome: 'partial', shardsGood: 12, shardsUnreachable: 3 });
    expect(world.backends.faulty[2]?.trace.filter((call) => call.startsWith('head'))).toHaveLength(1);
  });

  it('finds what a backend lies about: a read that is cut, old bytes under a new name', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    world.backends.faulty[2]?.fail({ call: 'get', how: 'torn', ...FOREVER });
    expect(await verifyStore(world.store, { dryRun: true })).toMatchObject({ outcome: 'damaged', shardsCorrupt: 1 });
  });

  it('goes on where it was: what was not verified for longest comes first', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE, LARGE);
    expect(await verifyStore(world.store, { budgetBytes: 1 })).toMatchObject({
      ...{ outcome: 'partial', budgetSpent: true, packs: 1 },
    });
    world.clock.ms += 1000;
    await verifyStore(world.store, { budgetBytes: 1 });
    world.clock.ms += 1000;
    expect(await verifyStore(world.store, { maxAgeMs: 5000 })).toMatchObject({ outcome: 'ok', packs: 1 });
    expect((await verifiedTimes(world)).map((times) => times?.[0])).toEqual([
      START_MS,
      START_MS + 1000,
      START_MS + 2000,
    ]);
    expect(await verifyStore(world.store, { maxAgeMs: 5000 })).toMatchObject({ outcome: 'ok', packs: 0 });
  });

  it('passes over nothing unless it is asked to, whatever its clock says', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    for (let run = 0; run < 3; run += 1)
      expect(await verifyStore(world.store)).toMatchObject({ outcome: 'ok', packs: 2 });
    world.clock.ms += 10_000;
    expect(await verifyStore(world.store, { maxAgeMs: 5000 })).toMatchObject({ packs: 2 });
    world.clock.ms -= 8000;
    expect(await verifyStore(world.store, { maxAgeMs: 5000 })).toMatchObject({ outcome: 'ok', packs: 2 });
    expect(await verifyStore(world.store, { maxAgeMs: 5000 })).toMatchObject({ outcome: 'ok', packs: 0 });
  });

  it('keeps what it marked when it is aborted', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error('enough'));
    await expect(verifyStore(world.store, { signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect((await verifiedTimes(world)).map((times) => times?.[0])).toEqual([world.clock.ms, 0]);
  });

  it('verifies a sample, the same one for the same seed', async () => {
    const world = await shardWorld();
    await world.add(...Array.from({ length: 40 }, () => SMALL));
    const options = { percent: 50, dryRun: true } as const;
    const drawn = await verifyStore(world.store, options);
    expect(drawn).toMatchObject({ outcome: 'ok', percent: 50, packsTotal: 40 });
    expect(drawn.packs).toBeGreaterThan(5);
    expect(drawn.packs).toBeLessThan(35);
    expect(await verifyStore(world.store, { ...options, seed: drawn.seed ?? '' })).toEqual(drawn);
  });

  it('keeps to its pace', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const { bytesRead } = await verifyStore(world.store, { bytesPerSecond: 10_000 });
    expect((world.clock.ms - START_MS) / (bytesRead / 10)).toBeCloseTo(1, 2);
  });

  it('does not count a shard that moved while it was read', async () => {
    const world = await shardWorld(6);
    await world.add(LARGE);
    const row = await firstPack(world);
    const shard = { packNumber: row.number, stripeId: row.stripe.id, index: 0, from: row.places[0] };
    const moved = Promise.withResolvers<void>();
    const last = world.backends.faulty[(row.places[4] ?? 0) - 1];
    last?.fail({ call: 'get', how: 'wait', until: moved.promise });
    const reading = verifyStore(world.store);
    while (!last?.trace.some((call) => call.startsWith('get'))) await yieldToEventLoop();
    await world.metadata.placeShards([{ ...shard, to: 99 }]);
    moved.resolve();
    expect(await reading).toMatchObject({ outcome: 'ok', findingCount: 0 });
    expect((await verifiedTimes(world))[0]).toEqual([0, START_MS, START_MS, START_MS, START_MS]);
  });

  it('tells of a pack that has no shard left, which stands in no order', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const row = await firstPack(world);
    const shard = { packNumber: row.number, stripeId: row.stripe.id };
    for (const index of [0, 1, 2, 3, 4]) await damageShard(world.backends, row, { index, damage: 'deleted' });
    await world.metadata.placeShards(row.places.map((from, index) => ({ ...shard, index, from, to: 0 })));
    const report = await verifyStore(world.store);
    expect(report).toMatchObject({ outcome: 'damaged', packs: 2, packsLost: 1, shardsMissing: 5 });
  });

  it('refuses what is no percentage and no pace', async () => {
    const world = await shardWorld(1);
    for (const options of [{ percent: 0 }, { percent: 101 }, { bytesPerSecond: 0 }, { maxAgeMs: -1 }]) {
      await expect(verifyStore(world.store, options)).rejects.toThrow(RangeError);
    }
  });
});
