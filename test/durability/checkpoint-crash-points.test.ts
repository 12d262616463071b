/** The process that writes a checkpoint, and lets go of the journal before it, ends before every change that it makes. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { type CollectedStore, collectedStore, expectRebuiltAlike } from '../support/collected-store.ts';
import { KINDS } from '../support/living-store.ts';
import { IS_THOROUGH, pointsOf, SAMPLE } from '../support/points.ts';

/** Of one run. */
const POINTS = 5;

async function put(store: Store, from: number, end: number): Promise<void> {
  for (let at = from; at < end; at += 1) await store.put(`k${at % 25}`, `content ${at}`);
}

async function prepared(keys: CollectedStoreKeys): Promise<CollectedStore> {
  const living = await collectedStore(keys);
  // So many commits that no merge takes the packs before the checkpoint together with those after it.
  for (let round = 0; round < 4; round += 1) await put(living.store, 0, 12);
  await living.store.maintenance.gc({ checkpoint: true });
  await put(living.store, 12, 24);
  return living;
}

type CollectedStoreKeys = Parameters<typeof collectedStore>[0];

async function expectKept(store: Store): Promise<void> {
  for (let at = 0; at < 24; at += 1) expect(Buffer.from(await store.get(`k${at}`)).toString()).toBe(`content ${at}`);
}

describe.each(KINDS)(`a $kind store whose journal is shortened by one who ends at any step (${SAMPLE})`, ({ keys }) => {
  it(
    'loses nothing, with its metadata and without, and the next one shortens it',
    async () => {
      const whole = await prepared(keys);
      const from = whole.life.changes.length;
      const { journalPacksRemoved } = await whole.store.maintenance.gc({ checkpoint: true });
      expect(journalPacksRemoved).toBeGreaterThan(0);
      const changes = whole.life.changes.length - from;
      await whole.store.close();
      for (const point of pointsOf(changes, 0, POINTS)) {
        const found = await prepared(keys);
        found.life.endAfter(point);
        // One who cannot write a checkpoint says so in the report.
        await found.store.maintenance.gc({ checkpoint: true }).catch(() => undefined);
        // Merges take turns with it, so that it may make fewer changes another time.
        found.end();
        const next = { ...found, ...(await found.start()) };
        await expectKept(next.store);
        await expectRebuiltAlike(next, keys);
        await put(next.store, 24, 25);
        const after = await next.store.maintenance.gc({ checkpoint: true });
        expect(after, `after point ${point}`).toMatchObject({ outcome: 'ok', problems: [] });
        expect(after.checkpoint).toBeGreaterThan(0);
        await expectRebuiltAlike(next, keys);
        await expectKept(next.store);
        await next.store.close();
      }
    },
    IS_THOROUGH ? 1_200_000 : 120_000,
  );
});
