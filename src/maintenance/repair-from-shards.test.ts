import { describe, expect, it } from 'vitest';
import { shardWorld } from '../../test/support/shard-world.ts';
import { damageShard, everyBlob } from '../../test/support/striped-packs.ts';
import { repairFromShards } from './repair-from-shards.ts';

const LARGE = { bytes: 70_000 };
const SMALL = { bytes: 700 };

describe('repairFromShards', () => {
  it('meets every pack once, and changes nothing where nothing is wrong', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL, LARGE);
    const before = await everyBlob(world.backends);
    const report = await repairFromShards(world.backends.set);
    expect(report).toMatchObject({ outcome: 'ok', packs: 3, packsUndecided: 0, shardsMade: 0, findingCount: 0 });
    expect(await everyBlob(world.backends)).toEqual(before);
  });

  it('makes anew what is missing, corrupt or forged, by what the other shards say', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL, LARGE);
    const before = await everyBlob(world.backends);
    const [first, second, third] = await world.rows();
    if (!first || !second || !third) return;
    await damageShard(world.backends, first, { index: 0, damage: 'forged' });
    await damageShard(world.backends, first, { index: 3, damage: 'deleted' });
    await damageShard(world.backends, second, { index: 0, damage: 'forged' });
    await damageShard(world.backends, third, { index: 4, damage: 'flipped', at: 0.5 });
    const dry = await repairFromShards(world.backends.set, { dryRun: true });
    expect(dry).toMatchObject({ outcome: 'ok', shardsMade: 4, findingCount: 4, bytesWritten: 0 });
    const report = await repairFromShards(world.backends.set);
    expect(report).toMatchObject({ outcome: 'ok', packs: 3, shardsMade: 4, findingCount: 0 });
    expect(await everyBlob(world.backends)).toEqual(before);
  });

  it('makes nothing where as many shards say one thing as another', async () => {
    const world = await shardWorld();
    await world.add(SMALL);
    const [row] = await world.rows();
    if (row === undefined) return;
    await damageShard(world.backends, row, { index: 0, damage: 'forged' });
    await damageShard(world.backends, row, { index: 1, damage: 'deleted' });
    const before = await everyBlob(world.backends);
    expect(await repairFromShards(world.backends.set)).toMatchObject({ outcome: 'damaged', packsUndecided: 1 });
    expect(await everyBlob(world.backends)).toEqual(before);
  });

  it('does not make what may lie on a backend that cannot be asked', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const away = world.backends.faulty[2];
    for (const call of ['list', 'head', 'get'] as const)
      away?.fail({ call, how: 'before', times: Number.POSITIVE_INFINITY });
    const before = await everyBlob(world.backends);
    expect(await repairFromShards(world.backends.set)).toMatchObject({ outcome: 'partial', shardsMade: 0 });
    expect(await everyBlob(world.backends)).toEqual(before);
  });
});
