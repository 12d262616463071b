/** The process that collects garbage ends before every change that it makes of backend and metadata. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { type CollectedStore, collectedStore, expectRebuiltAlike } from '../support/collected-store.ts';
import { noise } from '../support/contents.ts';
import { KINDS } from '../support/living-store.ts';
import { IS_THOROUGH, pointsOf, SAMPLE } from '../support/points.ts';

/** Of one run. */
const POINTS = 4;
const AT_ONCE = { graceMs: 0, waitMs: 0, deadShare: 0 } as const;

const KEPT = noise(60_000, 1);
const SHARED = noise(60_000, 2);

/** Dead and living chunks in one pack, in the journal and in manifests; objects without a ref. */
async function prepare(store: Store): Promise<void> {
  await store.put('kept', KEPT);
  await store.put('both', Buffer.concat([SHARED, noise(700_000, 3)]));
  await store.put('gone', Buffer.concat([SHARED, noise(100_000, 4)]));
  await store.put('tiny', 'a tiny one');
  await store.snapshots.create({ prefix: '' }, { ref: 'all' });
  await store.put('lost', noise(200_000, 5));
  await store.put('little', noise(20_000, 6));
  await store.snapshots.create({ prefix: 'lost' });
  for (const key of ['gone', 'tiny', 'lost', 'little']) await store.delete(key);
}

/**
 * What lies in packs or in the journal, wherever merges have brought it. Trees hold times, so that two of one kind are of
 * as many bytes but not always of as many chunks.
 */
async function heldBy({ store, metadata }: Pick<CollectedStore, 'store' | 'metadata'>) {
  const { uniqueBytes, objects } = await metadata.counters();
  // Every sealed store cuts content in its own way.
  return store.sealed ? { objects } : { uniqueBytes, objects };
}

async function expectKept(store: Store): Promise<void> {
  expect(Buffer.compare(await store.get('kept'), KEPT)).toBe(0);
  expect(Buffer.compare(await store.get('both'), Buffer.concat([SHARED, noise(700_000, 3)]))).toBe(0);
  await store.snapshots.thaw('all');
  expect(Buffer.compare(await store.get('gone'), Buffer.concat([SHARED, noise(100_000, 4)]))).toBe(0);
  expect(Buffer.from(await store.get('tiny')).toString()).toBe('a tiny one');
}

describe.each(KINDS)(`a $kind store whose collector ends at any step (${SAMPLE})`, ({ keys }) => {
  it(
    'loses nothing, and the next collection comes to the same',
    async () => {
      const whole = await collectedStore(keys);
      await prepare(whole.store);
      const from = whole.life.changes.length;
      const report = await whole.store.maintenance.gc(AT_ONCE);
      expect(report).toMatchObject({ outcome: 'ok', problems: [] });
      expect(report.objectsRemoved).toBeGreaterThan(1);
      expect(report.packsRemoved).toBeGreaterThan(0);
      const changes = whole.life.changes.length - from;
      const held = await heldBy(whole);
      await expectKept(whole.store);
      await whole.store.close();
      for (const point of pointsOf(changes, 0, POINTS)) {
        const found = await collectedStore(keys);
        await prepare(found.store);
        found.life.endAfter(point);
        await expect(found.store.maintenance.gc(AT_ONCE), `point ${point} of ${changes}`).rejects.toThrow();
        expect(found.life.alive).toBe(false);
        const next = { ...found, ...(await found.start()) };
        await expectRebuiltAlike(next, keys);
        const after = await next.store.maintenance.gc(AT_ONCE);
        expect(after, `after point ${point}`).toMatchObject({ outcome: 'ok', problems: [] });
        expect(await heldBy(next)).toEqual(held);
        expect(await next.store.maintenance.gc(AT_ONCE)).toMatchObject({ itemsRemoved: 0, objectsRemoved: 0 });
        await expectRebuiltAlike(next, keys);
        await expectKept(next.store);
        await next.store.close();
      }
    },
    IS_THOROUGH ? 1_200_000 : 120_000,
  );
});
