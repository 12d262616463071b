import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lifeline, ProcessEnded } from '../../test/support/lifeline.ts';
import { pointsOf, SAMPLE } from '../../test/support/points.ts';
import { type ShardWorld, shardWorld } from '../../test/support/shard-world.ts';
import { DAMAGES, damageShard, everyBlob } from '../../test/support/striped-packs.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import { repairStore } from './repair.ts';
import { scrubStore } from './scrub.ts';

const LARGE = { bytes: 70_000 };
const SMALL = { bytes: 700 };

/** Three packs of which five shards are gone or wrong. */
async function damagedWorld(): Promise<{ readonly world: ShardWorld; readonly whole: Record<string, string> }> {
  const world = await shardWorld();
  await world.add(LARGE, SMALL, LARGE);
  const whole = await everyBlob(world.backends);
  const [first, second, third] = await world.rows();
  if (!first || !second || !third) throw new Error('there are three packs');
  for (const [row, index, damage] of [
    [first, 0, 'deleted'],
    [first, 4, 'forged'],
    [second, 1, 'flipped'],
    [third, 2, 'cut'],
    [third, 3, 'deleted'],
  ] as const)
    await damageShard(world.backends, row, { index, damage });
  return { world, whole };
}

/** Everything is where it should be: the bytes, and what the books say of them. */
async function expectWhole(world: ShardWorld, whole: Record<string, string>): Promise<void> {
  world.clock.ms += 1000;
  expect(await scrubStore(world.store)).toMatchObject({ outcome: 'ok' });
  expect(await everyBlob(world.backends)).toEqual(whole);
  world.clock.ms += 1000;
  const { verified } = await scrubStore(world.store);
  expect(verified).toMatchObject({ outcome: 'ok', findingCount: 0 });
  expect(await world.readsWhole()).toBe(true);
}

/** How many changes an undisturbed scrub makes. */
async function changesOfScrub(): Promise<readonly string[]> {
  const { world } = await damagedWorld();
  const life = new Lifeline();
  await scrubStore(world.mortal(life));
  return life.changes;
}

describe(`a scrub that is killed (${SAMPLE})`, () => {
  it('at any step leaves what the next one finishes', async () => {
    const changes = await changesOfScrub();
    expect(changes.filter((change) => change.startsWith('put'))).toHaveLength(5);
    for (const point of pointsOf(changes.length, 0, 8)) {
      const { world, whole } = await damagedWorld();
      const life = new Lifeline();
      life.endAfter(point);
      await expect(scrubStore(world.mortal(life))).rejects.toThrow(ProcessEnded);
      expect(await world.readsWhole()).toBe(true);
      await expectWhole(world, whole);
    }
  });
});

describe('repair beside others', () => {
  it('of two at once both end well, with every shard at one place', async () => {
    const { world, whole } = await damagedWorld();
    const reports = await Promise.all([scrubStore(world.store), scrubStore(world.mortal(new Lifeline()))]);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    await expectWhole(world, whole);
  });

  it('takes back the shard of a pack that is dropped while it is put', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const [row] = await world.rows();
    if (row === undefined) return;
    await damageShard(world.backends, row, { index: 0, damage: 'deleted' });
    const blobsOfPack = async (): Promise<readonly string[]> =>
      Object.keys(await everyBlob(world.backends)).filter((key) => key.includes(Buffer.from(row.id).toString('hex')));
    const before = await blobsOfPack();
    const backend = world.backends.faulty[(row.places[0] ?? 0) - 1];
    if (backend) backend.trace.length = 0;
    const dropped = Promise.withResolvers<void>();
    backend?.fail({ call: 'put', how: 'wait', until: dropped.promise });
    const repairing = repairStore(world.store, { all: true });
    while (!backend?.trace.some((call) => call.startsWith('put packs') && call.endsWith('.0'))) {
      await yieldToEventLoop();
      if (backend === undefined) return;
    }
    await world.drop(row);
    dropped.resolve();
    expect(await repairing).toMatchObject({ outcome: 'ok', shardsMade: 0, findingCount: 0 });
    expect(await blobsOfPack()).toEqual(before);
  });
});

describe('any damage', () => {
  const shard = fc.record({
    pack: fc.nat({ max: 2 }),
    index: fc.nat({ max: 4 }),
    damage: fc.constantFrom(...DAMAGES.filter((damage) => damage !== 'of another index')),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  const damages = fc.uniqueArray(shard, { maxLength: 9, selector: ({ pack, index }) => `${pack}.${index}` });

  it('is healed to the last byte where k shards are left, told where not, and nothing good is written over', async () => {
    const property = fc.asyncProperty(damages, async (list) => {
      const world = await shardWorld();
      await world.add(LARGE, SMALL, LARGE);
      const whole = await everyBlob(world.backends);
      const rows = await world.rows();
      const real = list.filter(({ pack, index }) => index < (rows[pack]?.places.length ?? 0));
      for (const { pack, ...one } of real) if (rows[pack]) await damageShard(world.backends, rows[pack], one);
      const damaged = await everyBlob(world.backends);
      const lost = rows.filter((row, at) => real.filter(({ pack }) => pack === at).length > row.stripe.m);
      const { outcome, verified } = await scrubStore(world.store);
      expect(outcome).toBe(lost.length > 0 ? 'damaged' : 'ok');
      expect(verified).toMatchObject({ packsLost: lost.length, findingCount: real.length });
      const ids = lost.map(({ id }) => Buffer.from(id).toString('hex'));
      const meant = Object.entries(whole).map(([key, blob]) => {
        const isLost = ids.some((id) => key.includes(id));
        return [key, isLost ? damaged[key] : blob] as const;
      });
      const there = Object.fromEntries(meant.filter(([, blob]) => blob !== undefined));
      expect(await everyBlob(world.backends)).toEqual(there);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
