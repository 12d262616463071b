import { describe, expect, it } from 'vitest';
import { openFsBackend } from '../../src/backend/index.ts';
import { CrashFileSystem, seededRandom } from '../../src/testing/index.ts';
import { newMetadata, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import type { Operation } from '../support/operations.ts';
import { pointsOf, SAMPLE } from '../support/points.ts';
import { runOperation } from '../support/run-operation.ts';
import { CASES, expectOneOf, modelOf, SETUP } from './cases.ts';

const ROOT = '/store';
/** Of one operation in one run. */
const POINTS = 2;

async function machine() {
  const disk = new CrashFileSystem();
  const metadata = await newMetadata();
  const backend = await openFsBackend(ROOT, { fileSystem: disk, reserveBytes: 0 });
  const living = await startProcess({ backend, metadata });
  for (const operation of SETUP) await runOperation(living.store, operation);
  return { ...living, disk, metadata };
}

async function changesOf(operation: Operation): Promise<number> {
  const { disk, store } = await machine();
  const before = disk.calls;
  await runOperation(store, operation);
  return disk.calls - before;
}

/** Cuts the power after so many changes of the disk, and turns it on again; what was not flushed is a matter of chance. */
async function cutAt(point: number, operation: Operation, seed: number) {
  const { disk, store, end, metadata } = await machine();
  disk.cutPowerAfter(point);
  const acknowledged = await runOperation(store, operation).then(
    () => true,
    () => false,
  );
  end();
  disk.restart(seededRandom(seed));
  return { acknowledged, metadata, backend: await openFsBackend(ROOT, { fileSystem: disk, reserveBytes: 0 }) };
}

describe.each([
  { survives: 'the metadata survives', variant: 0 },
  { survives: 'the metadata is lost too', variant: 1 },
])(`a power cut, where $survives (${SAMPLE})`, ({ survives, variant }) => {
  it.each(CASES)('at any point of $title loses nothing that was acknowledged', async ({ operation }) => {
    const changes = await changesOf(operation);
    expect(changes).toBeGreaterThanOrEqual(5);
    for (const point of [...pointsOf(changes, variant, POINTS), changes]) {
      const { acknowledged, backend, metadata } = await cutAt(point, operation, 2 * point + variant);
      expect(acknowledged, `point ${point} of ${changes}`).toBe(point === changes);
      const done = modelOf([...SETUP, operation]);
      const models = acknowledged ? [done] : [done, modelOf(SETUP)];
      const found = survives === 'the metadata survives' ? metadata : (await rebuiltMetadata(backend)).metadata;
      const { store } = await startProcess({ backend, metadata: found });
      await expectOneOf(store, models);
      await store.put('later', 'x');
    }
  });
});
