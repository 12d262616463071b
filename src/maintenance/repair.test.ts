import { describe, expect, it } from 'vitest';
import { shardWorld } from '../../test/support/shard-world.ts';
import { damageShard, everyBlob } from '../../test/support/striped-packs.ts';
import { shardKey } from '../format/index.ts';
import { repairStore } from './repair.ts';

const LARGE = { bytes: 150_000 };
const SMALL = { bytes: 500 };

/** Takes a shard out of the books. */
async function forget(world: Awaited<ReturnType<typeof shardWorld>>, pack: number, index: number): Promise<void> {
  const row = (await world.rows())[pack];
  if (row === undefined) throw new Error('there is no such pack');
  const from = row.places[index];
  await world.metadata.placeShards([{ packNumber: row.number, stripeId: row.stripe.id, index, from, to: 0 }]);
}

describe('repairStore', () => {
  it('has nothing to do in a whole store', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL);
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'ok', packs: 0, findingCount: 0 });
    expect(world.repairs).toEqual([]);
  });

  it('gives every pack of the queue its shards back, and tells of each', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL, LARGE);
    const before = await everyBlob(world.backends);
    const rows = await world.rows();
    for (const [pack, index] of [
      [0, 1],
      [0, 4],
      [1, 2],
    ] as const) {
      if (rows[pack]) await damageShard(world.backends, rows[pack], { index, damage: 'deleted' });
      await forget(world, pack, index);
    }
    const report = await repairStore(world.store, { readBack: 'whole' });
    expect(report).toMatchObject({ outcome: 'ok', packs: 2, packsRepaired: 2, shardsMade: 3, shardsFound: 0 });
    expect(report.repairs).toEqual(world.repairs);
    expect(world.repairs).toMatchObject([{ shards: [{ index: 1 }, { index: 4 }] }, { shards: [{ index: 2 }] }]);
    expect(world.repairs[0]?.shards[0]).not.toHaveProperty('from');
    expect(Object.values(await everyBlob(world.backends)).toSorted()).toEqual(Object.values(before).toSorted());
    expect(await world.metadata.packsToRepair({ limit: 9 })).toEqual([]);
    expect(await world.readsWhole()).toBe(true);
  });

  it('begins with what is closest to loss', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE, LARGE);
    const rows = await world.rows();
    for (const [pack, index] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [2, 3],
    ] as const)
      await forget(world, pack, index);
    const { repairs } = await repairStore(world.store);
    const ids = rows.map(({ id }) => Buffer.from(id).toString('hex'));
    expect(repairs.map(({ packId }) => ids.indexOf(packId))).toEqual([1, 0, 2]);
  });

  it('notes where a shard lies that nobody lost, and writes nothing', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const before = await world.rows();
    await forget(world, 0, 3);
    expect(await repairStore(world.store)).toMatchObject({ shardsMade: 0, shardsFound: 1, bytesWritten: 0 });
    expect((await world.rows())[0]?.places).toEqual(before[0]?.places);
  });

  it('in a dry run only says what it would do', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const [row] = await world.rows();
    if (row) await damageShard(world.backends, row, { index: 1, damage: 'deleted' });
    await forget(world, 0, 1);
    for (const index of [0, 1, 2]) await forget(world, 1, index);
    const before = [await everyBlob(world.backends), await world.rows()];
    const report = await repairStore(world.store, { dryRun: true });
    expect(report).toMatchObject({ outcome: 'damaged', packs: 2, packsRepaired: 1, shardsMade: 1, findingCount: 4 });
    expect([await everyBlob(world.backends), await world.rows()]).toEqual(before);
  });

  it('goes on past a pack that is lost, writes over nothing of it, and flags its content', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const rows = await world.rows();
    for (const index of [0, 1, 2]) {
      if (rows[0]) await damageShard(world.backends, rows[0], { index, damage: 'flipped', at: 0.01 });
      await forget(world, 0, index);
    }
    if (rows[1]) await damageShard(world.backends, rows[1], { index: 0, damage: 'deleted' });
    await forget(world, 1, 0);
    const lost = Object.entries(await everyBlob(world.backends)).filter(
      ([key]) => rows[0] && key.includes(shardKey(rows[0], 0).slice(0, -1)),
    );
    const report = await repairStore(world.store);
    expect(report).toMatchObject({ outcome: 'damaged', packs: 2, packsRepaired: 1, shardsMade: 1, findingCount: 3 });
    expect(report.findings[0]).toMatchObject({ index: 0, state: 'missing', code: 'SHARDS_INSUFFICIENT' });
    expect(Object.entries(await everyBlob(world.backends))).toEqual(expect.arrayContaining(lost));
    expect(await world.metadata.scanItems('chunk', undefined, 9)).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ packNumber: rows[0]?.number, suspect: true })]),
    );
  });

  it('leaves what cannot be reached, says so, and finishes later', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const [row] = await world.rows();
    if (row === undefined) return;
    await damageShard(world.backends, row, { index: 0, damage: 'deleted' });
    await forget(world, 0, 0);
    const away = row.places.slice(1, 4).map((place) => world.backends.faulty[place - 1]);
    for (const backend of away) backend?.fail({ call: 'head', how: 'before', times: Number.POSITIVE_INFINITY });
    const report = await repairStore(world.store);
    expect(report).toMatchObject({ outcome: 'partial', packsRepaired: 0, shardsMade: 0, findingCount: 4 });
    expect(new Set(report.findings.map(({ state }) => state))).toEqual(new Set(['missing', 'unreachable']));
    expect((await world.rows())[0]?.places.slice(1)).toEqual(row.places.slice(1));
    for (const backend of away) backend?.heal();
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'ok', packsRepaired: 1 });
  });

  it('looks at every pack when asked to', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const before = await everyBlob(world.backends);
    for (const row of await world.rows()) await damageShard(world.backends, row, { index: 2, damage: 'deleted' });
    expect(await repairStore(world.store)).toMatchObject({ packs: 0 });
    expect(await repairStore(world.store, { all: true })).toMatchObject({ outcome: 'ok', packs: 2, shardsMade: 2 });
    expect(await everyBlob(world.backends)).toEqual(before);
  });

  it('stops at its budget, and reads no faster than it may', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE, LARGE);
    for (const pack of [0, 1, 2]) await forget(world, pack, 0);
    expect(await repairStore(world.store, { budgetBytes: 1 })).toMatchObject({ outcome: 'partial', packs: 1 });
    const started = world.clock.ms;
    const { outcome } = await repairStore(world.store, { bytesPerSecond: 1000 });
    expect(outcome).toBe('ok');
    // Two found shards, each read whole: 50 KB and frames.
    expect(world.clock.ms - started).toBeGreaterThan(100_000);
  });

  it('ends when it is aborted', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    await forget(world, 0, 0);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(repairStore(world.store, { signal })).rejects.toThrow('enough');
  });

  it('finds shards of packs whose places nobody knows', async () => {
    const world = await shardWorld();
    await world.add({ ...LARGE, unknown: true });
    const before = await everyBlob(world.backends);
    expect((await world.rows())[0]?.places).toBeUndefined();
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'ok', packsUnknown: 0 });
    expect((await world.rows())[0]?.places.toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(await everyBlob(world.backends)).toEqual(before);
    expect(await world.readsWhole()).toBe(true);
  });

  it('does not take shards for lost that lie where it could not look', async () => {
    const world = await shardWorld();
    await world.add({ ...LARGE, unknown: true });
    world.backends.faulty[2]?.fail({ call: 'list', how: 'before', times: Number.POSITIVE_INFINITY });
    expect(await repairStore(world.store)).toMatchObject({ outcome: 'partial', packsUnknown: 1, shardsMade: 0 });
    expect((await world.rows())[0]?.places).toBeUndefined();
  });
});
