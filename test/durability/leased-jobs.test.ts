import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../src/metadata/contract.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { collectedStore, expectRebuiltAlike, packBytesOn } from '../support/collected-store.ts';
import { KINDS } from '../support/living-store.ts';

const source = seededRandom(34);
const random = (length: number): Uint8Array => source.bytes(length);
const NOW = { waitMs: 0 } as const;

/** Lets a process stall where it is about to call a method of its metadata. */
function stalledAt(metadata: Metadata, method: 'judgeItems' | 'replay') {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise, resolve: wake } = Promise.withResolvers<void>();
  const call = metadata[method].bind(metadata) as (...args: readonly unknown[]) => Promise<unknown>;
  Object.defineProperty(metadata, method, {
    configurable: true,
    value: async (...args: readonly unknown[]) => {
      reach();
      await promise;
      return await call(...args);
    },
  });
  return { reached, wake: () => wake() };
}

describe.each(KINDS)('two processes of a $kind store that both collect', ({ keys }) => {
  it('do so one at a time, and the other one says who is at it', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    await one.store.put('old', random(200_000));
    await one.store.delete('old');
    await two.metadata.takeLease('gc');
    const held = await one.store.maintenance.gc(NOW);
    expect(held).toMatchObject({ outcome: 'partial', itemsRemoved: 0, left: ['another process collects'] });
    expect(held.waitingFor).toMatchObject([{ process: two.life.process.self }]);
    expect(await one.store.maintenance.gc({ dryRun: true })).toMatchObject({ outcome: 'ok' });
    const waiting = one.store.maintenance.gc();
    await two.metadata.leaveLease('gc');
    expect(await waiting).toMatchObject({ outcome: 'ok', waitingFor: [] });
    expect(await packBytesOn(one.backend)).toBe(0);
    await two.store.close();
    await one.store.close();
  });

  it('share the work while both go on', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    for (const index of [1, 2, 3, 4]) await one.store.put(`k${index}`, random(150_000));
    for (const index of [1, 2, 4]) await two.store.delete(`k${index}`);
    const reports = await Promise.all([one, two].map(({ store }) => store.maintenance.gc()));
    expect(reports.map(({ waitingFor, problems }) => [waitingFor, problems])).toEqual([
      [[], []],
      [[], []],
    ]);
    expect(reports.reduce((sum, { packsRemoved }) => sum + packsRemoved, 0)).toBe(3);
    await expectRebuiltAlike(one, keys);
    await two.store.close();
    await one.store.close();
  });

  it('take over from one that is gone, and what it wakes up with comes to nothing', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    const kept = random(40_000);
    await one.store.put('kept', kept);
    await one.store.put('old', random(200_000));
    await one.store.delete('old');
    const stalled = stalledAt(two.metadata, 'judgeItems');
    const collecting = two.store.maintenance.gc({ deadShare: 0 });
    await stalled.reached;
    expect(await one.store.maintenance.gc(NOW)).toMatchObject({ outcome: 'partial' });
    two.life.seemGone();
    const report = await one.store.maintenance.gc({ deadShare: 0 });
    expect(report).toMatchObject({ outcome: 'ok', waitingFor: [] });
    await one.store.put('new', random(90_000));
    const before = await one.metadata.stateDigests();
    stalled.wake();
    await expect(collecting).rejects.toMatchObject({ code: 'SESSION_FENCED' });
    expect(await one.metadata.stateDigests()).toEqual(before);
    expect(await one.store.maintenance.gc(NOW)).toMatchObject({ outcome: 'ok' });
    expect(Buffer.compare(await one.store.get('kept'), kept)).toBe(0);
    await expectRebuiltAlike(one, keys);
    await one.store.close();
  });

  it('know of no checkpoint of one that was taken for dead: its packs may be gone', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    await one.store.put('kept', random(40_000));
    const stalled = stalledAt(two.metadata, 'replay');
    const writing = two.store.maintenance.checkpoint();
    await stalled.reached;
    two.life.seemGone();
    expect(await one.store.maintenance.gc(NOW)).toMatchObject({ fenced: 1, leakedPacks: 1 });
    stalled.wake();
    await expect(writing).rejects.toMatchObject({ code: 'SESSION_FENCED' });
    await expectRebuiltAlike(one, keys);
    await one.store.close();
  });
});
