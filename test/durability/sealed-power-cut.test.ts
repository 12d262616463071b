/** The power goes while a sealed store is changed; see power-cut.test.ts. */
import { describe, expect, it } from 'vitest';
import { openFsBackend } from '../../src/backend/index.ts';
import type { Store } from '../../src/index.ts';
import { CrashFileSystem, seededRandom } from '../../src/testing/index.ts';
import { LIVING_KEYS, metadataHome, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { pointsOf, SAMPLE, someOf } from '../support/points.ts';
import { runOperation } from '../support/run-operation.ts';
import { CASES, expectOneOf, modelOf, SETUP } from './cases.ts';
import {
  expectSoundSealed,
  imageBefore,
  imageOfSealed,
  SEALED_CASES,
  type SealedImage,
  setUp,
} from './sealed-cases.ts';

const ROOT = '/store';
/** Of one operation in one run. */
const POINTS = 1;

/** A store whose disk may lose power, after `fill`. */
async function machine(fill: (store: Store) => Promise<unknown>) {
  const disk = new CrashFileSystem();
  const home = await metadataHome(LIVING_KEYS);
  const backend = await openFsBackend(ROOT, { fileSystem: disk, reserveBytes: 0 });
  const living = await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
  await fill(living.store);
  return { ...living, disk, home };
}

type Machine = Awaited<ReturnType<typeof machine>>;

/** Runs something and cuts the power after so many changes of the disk. @returns whether it was acknowledged */
async function cutAfter(changes: number, { disk, store, end }: Machine, run: (store: Store) => Promise<unknown>) {
  disk.cutPowerAfter(changes);
  const acknowledged = await run(store).then(
    () => true,
    () => false,
  );
  end();
  disk.restart(seededRandom(changes));
  return { acknowledged, backend: await openFsBackend(ROOT, { fileSystem: disk, reserveBytes: 0 }) };
}

/** How many changes of the disk something makes, and what the store is afterwards. */
async function rehearse(fill: (store: Store) => Promise<unknown>, run: (store: Store) => Promise<unknown>) {
  const { disk, store } = await machine(fill);
  const before = disk.calls;
  await run(store);
  return { changes: disk.calls - before, store };
}

describe(`a power cut in a sealed store (${SAMPLE})`, () => {
  it.each(someOf(CASES))(`at any point of $title loses nothing that was acknowledged (${SAMPLE})`, async ({
    operation,
  }) => {
    const fill = async (store: Store): Promise<void> => {
      for (const one of SETUP) await runOperation(store, one);
    };
    const run = (store: Store): Promise<void> => runOperation(store, operation);
    const { changes } = await rehearse(fill, run);
    for (const point of [...pointsOf(changes, 2, POINTS), changes]) {
      const found = await machine(fill);
      const { acknowledged, backend } = await cutAfter(point, found, run);
      expect(acknowledged, `point ${point} of ${changes}`).toBe(point === changes);
      const done = modelOf([...SETUP, operation]);
      const metadata = point % 2 === 0 ? found.home.open() : (await rebuiltMetadata(backend, LIVING_KEYS)).metadata;
      const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
      await expectOneOf(store, acknowledged ? [done] : [done, modelOf(SETUP)]);
      await store.put('later', 'x');
    }
  });

  it.each(someOf(SEALED_CASES))(`at any point of $title leaves it done or not done (${SAMPLE})`, async (one) => {
    const fill = async (store: Store): Promise<void> => {
      await setUp(store);
      await one.prepare?.(store);
    };
    const run = async (store: Store): Promise<void> => {
      await one.run(store);
    };
    const before = await imageBefore(one);
    const rehearsal = await rehearse(fill, run);
    const after = await imageOfSealed(rehearsal.store);
    for (const point of [...pointsOf(rehearsal.changes, 1, POINTS), rehearsal.changes]) {
      const found = await machine(fill);
      const { acknowledged, backend } = await cutAfter(point, found, run);
      const images: readonly SealedImage[] = acknowledged
        ? [after]
        : [before, after, ...(one.between?.(before, after) ?? [])];
      const metadata = found.home.open();
      const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
      const image = await imageOfSealed(store);
      expect(images, `point ${point} of ${rehearsal.changes}`).toContainEqual(image);
      await expectSoundSealed(store, metadata);
      if (!acknowledged || !one.repeatable) continue;
      const isolated = Object.values(image.entries).flatMap((entries) => Object.values(entries));
      // What was said to be destroyed does not come back with the power.
      const pages = await backend.list({ prefix: 'keys/' });
      expect(pages).toHaveLength(isolated.filter((entry) => entry.endsWith('isolated')).length);
    }
  });
});
