import { describe, expect, it } from 'vitest';
import { type ShardWorld, shardWorld } from '../../test/support/shard-world.ts';
import { damageShard } from '../../test/support/striped-packs.ts';
import { createPackId, shardKey } from '../format/index.ts';
import { checkPacks, type PacksChecked } from './check-packs.ts';
import { CheckRun } from './invariants/check-run.ts';
import type { ProblemList } from './problems.ts';
import { listingPasses } from './shard-listing.ts';

const LARGE = { bytes: 150_000 };
const SMALL = { bytes: 500 };

async function check(world: ShardWorld): Promise<PacksChecked & { readonly problems: ProblemList }> {
  const run = new CheckRun(['packs-present', 'directories-agree', 'shards-placed']);
  const checked = await checkPacks(world.checked(), run, {});
  return { ...checked, problems: run.problems() };
}

const codesOf = ({ problems }: { readonly problems: ProblemList }): readonly string[] =>
  problems.listed.map(({ code }) => code);

describe('checkPacks over several backends', () => {
  it('finds every shard where it should be, and no garbage', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL);
    const found = await check(world);
    expect(codesOf(found)).toEqual([]);
    expect(found.garbage).toEqual({ blobs: 0, bytes: 0 });
  });

  it('tells of a shard that is not there, and queues it', async () => {
    const world = await shardWorld();
    await world.add(LARGE, SMALL);
    const [row] = await world.rows();
    if (row === undefined) return;
    await damageShard(world.backends, row, { index: 3, damage: 'deleted' });
    const found = await check(world);
    expect(found.problems.listed).toMatchObject([
      { code: 'SHARD_MISSING', packId: Buffer.from(row.id).toString('hex') },
    ]);
    expect(found.problems.listed[0]?.message).toContain(`backend b${row.places[3]}`);
    expect((await world.rows())[0]?.places[3]).toBe(0);
    // Known by now, and still missing.
    expect(codesOf(await check(world))).toEqual(['SHARD_MISSING']);
    expect(found.lostPacks.size).toBe(0);
  });

  it('tells of a pack with too few shards as lost, once', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const [row] = await world.rows();
    if (row === undefined) return;
    for (const index of [1, 2, 3]) await damageShard(world.backends, row, { index, damage: 'deleted' });
    const found = await check(world);
    expect(codesOf(found)).toEqual(['SHARDS_INSUFFICIENT']);
    expect([...found.lostPacks]).toEqual([row.number]);
  });

  it('cannot say of a backend that does not list what it has, and says so once', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    world.backends.faulty[1]?.fail({ call: 'list', how: 'before', times: Number.POSITIVE_INFINITY });
    const found = await check(world);
    expect(codesOf(found)).toEqual(['BACKEND_IO']);
    expect(found.problems.unseen).toBe(1);
  });

  it('asks again before it believes a listing that lost something', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const memory = world.backends.memories[1];
    if (memory) memory.list = async () => [];
    expect(codesOf(await check(world))).toEqual([]);
  });

  it('counts as garbage what nothing accounts for, and not what is about to be deleted', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const [row] = await world.rows();
    if (row === undefined) return;
    const stray = shardKey({ id: createPackId(new Uint8Array(8).fill(1), 1), class: 'data' }, 2);
    await world.backends.memories[0]?.put(stray, new Uint8Array(77));
    expect((await check(world)).garbage).toEqual({ blobs: 1, bytes: 77 });
    await world.drop(row);
    expect((await check(world)).garbage).toMatchObject({ blobs: 1 });
  });

  it('learns places that are not known', async () => {
    const world = await shardWorld();
    await world.add({ ...LARGE, unknown: true });
    const found = await check(world);
    expect(codesOf(found)).toEqual([]);
    expect(found.garbage.blobs).toBe(0);
    expect((await world.rows())[0]?.places.toSorted()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('listingPasses', () => {
  it('lists whole backends at once where there are few packs', () => {
    expect(listingPasses(16_384)).toHaveLength(1);
  });

  it('meets every pack once, by its folder, where there are many', () => {
    const passes = listingPasses(100_000);
    expect(passes.length).toBeGreaterThan(5);
    const prefixes = passes.flatMap((pass) => pass.prefixes);
    expect(new Set(prefixes).size).toBe(257);
    for (let last = 0; last < 256; last += 1) {
      const id = new Uint8Array(16).fill(last, 15);
      const having = passes.filter((pass) => pass.has({ id, class: 'data' }));
      expect(having).toHaveLength(1);
      expect(having[0]?.prefixes).toContain(`packs/${last.toString(16).padStart(2, '0')}/`);
      expect(passes.filter((pass) => pass.has({ id, class: 'journal' }))).toEqual([passes[0]]);
    }
  });
});
