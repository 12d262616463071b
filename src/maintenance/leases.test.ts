import { describe, expect, it } from 'vitest';
import { Lifeline } from '../../test/support/lifeline.ts';
import { metadataHome } from '../../test/support/living-store.ts';
import { type ShardWorld, shardWorld } from '../../test/support/shard-world.ts';
import { damageShard } from '../../test/support/striped-packs.ts';
import { Leases } from './leases.ts';
import { repairStore } from './repair.ts';
import { type ScrubReport, scrubStore } from './scrub.ts';

const PACK = { bytes: 150_000 };

/** A store of some packs that lack a shard each, as two processes have it. */
async function twoProcesses(packs = 4) {
  const world = await shardWorld();
  await world.add(...Array.from({ length: packs }, () => PACK));
  for (const row of await world.rows()) {
    await damageShard(world.backends, row, { index: row.number % 5, damage: 'deleted' });
    const [shard, from] = [{ packNumber: row.number, stripeId: row.stripe.id }, row.places[row.number % 5]];
    await world.metadata.placeShards([{ ...shard, index: row.number % 5, from, to: 0 }]);
  }
  const home = await metadataHome(undefined, world.clock);
  const start = async () => {
    const [metadata, life] = [home.open(), new Lifeline()];
    const session = await metadata.openSession(life.process.self);
    const leases = new Leases({ metadata, life: life.process, session });
    return { metadata, life, leases, store: { ...world.store, leases } };
  };
  return { world, one: await start(), two: await start() };
}

function putsOf({ backends }: ShardWorld): readonly string[] {
  return backends.faulty.flatMap(({ trace }) => trace.filter((call) => call.startsWith('put ')));
}

describe('two processes that repair one store', () => {
  it('leave each pack to who is at it, and say so', async () => {
    const { world, one, two } = await twoProcesses();
    await two.leases.take('repair/2');
    const first = await repairStore(one.store);
    expect(first).toMatchObject({ outcome: 'partial', packs: 4, packsRepaired: 3, packsElsewhere: 1, findingCount: 0 });
    await two.leases.leave('repair/2');
    expect(await repairStore(one.store)).toMatchObject({
      outcome: 'ok',
      packs: 1,
      packsRepaired: 1,
      packsElsewhere: 0,
    });
    expect(await world.readsWhole()).toBe(true);
  });

  it('write nothing twice when they go through the queue together', async () => {
    const { world, one, two } = await twoProcesses(12);
    const before = putsOf(world).length;
    const reports = await Promise.all([repairStore(one.store), repairStore(two.store)]);
    expect(putsOf(world)).toHaveLength(before + 12);
    expect(reports[0].shardsMade + reports[1].shardsMade).toBe(12);
    expect(reports.every(({ shardsMade }) => shardsMade > 0)).toBe(true);
    expect(await repairStore(one.store)).toMatchObject({ outcome: 'ok', packs: 0 });
  });

  it('take over from one that is gone', async () => {
    const { one, two } = await twoProcesses();
    await two.leases.take('repair/2');
    two.life.seemGone();
    expect(await repairStore(one.store)).toMatchObject({ outcome: 'ok', packsRepaired: 4, packsElsewhere: 0 });
    await expect(two.leases.take('repair/3')).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  });
});

describe('two processes that scrub one store', () => {
  it('do so one at a time', async () => {
    const { one, two } = await twoProcesses();
    await two.leases.take('scrub');
    const held = scrubStore(one.store);
    await expect(held).rejects.toMatchObject({ code: 'JOB_HELD', kind: 'unavailable', retry: true });
    await expect(held).rejects.toThrow(two.life.process.self);
    two.life.seemGone();
    expect(await scrubStore(one.store)).toMatchObject({ outcome: 'ok' });
    expect(await one.leases.take('scrub')).toBeUndefined();
  });

  it('pass a round over while they watch, as two calls of one process do', async () => {
    const { world, one } = await twoProcesses();
    await one.leases.take('scrub');
    const stop = new AbortController();
    const rounds: ScrubReport[] = [];
    const sleep = async (): Promise<void> => {
      world.clock.ms += 1000;
      if (rounds.length > 0) stop.abort(new Error('enough'));
      stop.signal.throwIfAborted();
      expect(rounds).toEqual([]);
      await one.leases.leave('scrub');
    };
    const onRound = (report: ScrubReport): number => rounds.push(report);
    const watching = scrubStore({ ...one.store, sleep }, { watch: true, pauseMs: 1, onRound, signal: stop.signal });
    await expect(watching).rejects.toThrow('enough');
    expect(rounds).toHaveLength(1);
  });
});

describe('a lease', () => {
  it('is one of two jobs of a process, too', async () => {
    const { one } = await twoProcesses(1);
    expect(await one.leases.take('gc')).toBeUndefined();
    expect(await one.leases.take('gc')).toMatchObject({ process: one.life.process.self, silentMs: 0 });
    await one.leases.leave('gc');
    expect(await one.leases.take('gc')).toBeUndefined();
  });

  it('is not wrested from who is silent for less than two minutes', async () => {
    const { world, one, two } = await twoProcesses(1);
    await two.leases.take('gc');
    expect(await one.leases.take('gc')).toMatchObject({ process: two.life.process.self });
    world.clock.ms += 119_000;
    expect(await one.leases.take('gc')).toMatchObject({ process: two.life.process.self });
    world.clock.ms += 2000;
    expect(await one.leases.take('gc')).toBeUndefined();
  });
});
