import { describe, expect, it } from 'vitest';
import { shardWorld } from '../../test/support/shard-world.ts';
import { damageShard, everyBlob } from '../../test/support/striped-packs.ts';
import { type ScrubReport, scrubStore } from './scrub.ts';

const LARGE = { bytes: 150_000 };

describe('scrubStore', () => {
  it('repairs what it finds, and is ok then', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const before = await everyBlob(world.backends);
    for (const row of await world.rows()) {
      await damageShard(world.backends, row, { index: 0, damage: 'flipped' });
      await damageShard(world.backends, row, { index: 4, damage: 'forged' });
    }
    const { outcome, verified, repaired } = await scrubStore(world.store);
    expect({ outcome, found: verified.shardsCorrupt, made: repaired.shardsMade }).toEqual({
      ...{ outcome: 'ok', found: 4, made: 4 },
    });
    expect(await everyBlob(world.backends)).toEqual(before);
  });

  it('is damaged when too few shards are left, and partial when some could not be asked', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const [row] = await world.rows();
    if (row === undefined) return;
    world.backends.faulty[(row.places[0] ?? 0) - 1]?.fail({ call: 'head', how: 'before', times: 1 });
    expect((await scrubStore(world.store)).outcome).toBe('partial');
    for (const index of [0, 1, 2]) await damageShard(world.backends, row, { index, damage: 'cut' });
    expect((await scrubStore(world.store)).outcome).toBe('damaged');
  });

  it('watches: round after round, slowly, with pauses, until it is aborted', async () => {
    const world = await shardWorld();
    await world.add(LARGE, LARGE);
    const [row] = await world.rows();
    const stop = new AbortController();
    const rounds: ScrubReport[] = [];
    const onRound = (report: ScrubReport): void => {
      rounds.push(report);
      world.clock.ms += 8 * 24 * 3600 * 1000;
      if (rounds.length === 3) stop.abort(new Error('enough'));
    };
    if (row) await damageShard(world.backends, row, { index: 1, damage: 'deleted' });
    const options = { watch: true, pauseMs: 5000, onRound, signal: stop.signal } as const;
    await expect(scrubStore(world.store, options)).rejects.toThrow('enough');
    expect(rounds.map(({ verified }) => verified.findingCount)).toEqual([1, 0, 0]);
    expect(rounds.map(({ verified }) => verified.packs)).toEqual([2, 2, 2]);
    expect(world.clock.waits.filter((ms) => ms === 5000)).toHaveLength(2);
  });

  it('passes over what was verified within a week while it watches', async () => {
    const world = await shardWorld();
    await world.add(LARGE);
    const stop = new AbortController();
    const packs: number[] = [];
    const onRound = ({ verified }: ScrubReport): void => {
      packs.push(verified.packs);
      if (packs.length === 2) stop.abort(new Error('enough'));
    };
    await expect(scrubStore(world.store, { watch: true, onRound, signal: stop.signal })).rejects.toThrow('enough');
    expect(packs).toEqual([1, 0]);
  });
});
