import { describe, expect, it } from 'vitest';
import { type ShardWorld, shardWorld } from '../../test/support/shard-world.ts';
import { damageShard } from '../../test/support/striped-packs.ts';
import { Telemetry } from './events.ts';
import { Healer } from './healer.ts';
import { Health } from './health.ts';

const LARGE = { bytes: 70_000 };

function healerOf(world: ShardWorld) {
  const warnings: string[] = [];
  const log = (): void => undefined;
  const telemetry = new Telemetry({ debug: log, info: log, error: log, warn: (message) => warnings.push(message) });
  const healer = new Healer({
    ...{ telemetry, health: new Health(), shards: () => world.store },
    follow: async () => undefined,
    isRedundant: () => true,
  });
  return { healer, warnings };
}

/** A world in which so many packs lack their first shard, which is gone. */
async function lackingWorld(packs: number, redundancy = { k: 2, m: 1 }): Promise<ShardWorld> {
  const world = await shardWorld(4, { redundancy });
  await world.add(...Array.from({ length: packs }, () => LARGE));
  for (const row of await world.rows()) {
    await damageShard(world.backends, row, { index: 0, damage: 'deleted' });
    const shard = { packNumber: row.number, stripeId: row.stripe.id, index: 0, from: row.places[0], to: 0 };
    await world.metadata.placeShards([shard]);
  }
  return world;
}

const queued = async ({ metadata }: ShardWorld): Promise<number> =>
  (await metadata.packsToRepair({ limit: 999 })).length;

describe('Healer', () => {
  it('heals a bounded number of packs in one step, and all of them in some', async () => {
    const world = await lackingWorld(70);
    const { healer } = healerOf(world);
    expect(await healer.step()).toBe(64);
    expect(await queued(world)).toBe(6);
    expect(await healer.step()).toBe(6);
    expect(await healer.step()).toBe(0);
    expect(await world.readsWhole()).toBe(true);
  });

  it('goes on past a pack that cannot be healed, and tells of it once', async () => {
    const world = await lackingWorld(3);
    const [row] = await world.rows();
    if (row) await damageShard(world.backends, row, { index: 1, damage: 'deleted' });
    const { healer, warnings } = healerOf(world);
    expect(await healer.step()).toBe(2);
    for (let again = 0; again < 3; again += 1) expect(await healer.step()).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(Buffer.from(row?.id ?? []).toString('hex'));
  });

  it('does not step while a repair goes on, nor after its end', async () => {
    const world = await lackingWorld(1);
    const { healer } = healerOf(world);
    const over = Promise.withResolvers<void>();
    const repair = healer.exclusively(() => over.promise);
    const step = healer.step();
    expect(await queued(world)).toBe(1);
    over.resolve();
    await repair;
    expect(await step).toBe(1);
    await healer.end();
    await world.add(LARGE);
    expect(await healer.step()).toBe(0);
  });
});
