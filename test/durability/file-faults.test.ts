import { describe, expect, it } from 'vitest';
import type { FsBackend } from '../../src/backend/fs-backend.ts';
import { openFsBackend } from '../../src/backend/index.ts';
import { isStoreError, type StoreError } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { CrashFileSystem, FaultyFileSystem, type FileSystemCall } from '../../src/testing/index.ts';
import { type LivingStore, newMetadata, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import type { Operation } from '../support/operations.ts';
import { pointsOf, SAMPLE } from '../support/points.ts';
import { runOperation } from '../support/run-operation.ts';
import { CASES, expectOneOf, imageOfStore, modelOf, SETUP } from './cases.ts';

const ROOT = '/store';
/** Of one operation in one run. */
const POINTS = 1;

interface Machine extends LivingStore {
  readonly disk: FaultyFileSystem;
  readonly backend: FsBackend;
  readonly metadata: Metadata;
}

async function machine(): Promise<Machine> {
  const disk = new FaultyFileSystem(new CrashFileSystem(), ROOT);
  const backend = await openFsBackend(ROOT, { fileSystem: disk, reserveBytes: 0 });
  const metadata = await newMetadata();
  const living = await startProcess({ backend, metadata });
  for (const operation of SETUP) await runOperation(living.store, operation);
  return { ...living, disk, backend, metadata };
}

/** Every call of the file system that an operation makes, as the first, second, ... of its name. */
async function callsOf(operation: Operation): Promise<readonly { call: FileSystemCall; nth: number }[]> {
  const { disk, store } = await machine();
  const before = disk.trace.length;
  await runOperation(store, operation);
  const seen = new Map<string, number>();
  return disk.trace.slice(before).map((line) => {
    const call = line.split(' ')[0] as FileSystemCall;
    const nth = (seen.get(call) ?? 0) + 1;
    seen.set(call, nth);
    return { call, nth };
  });
}

async function failureOf(work: Promise<unknown>): Promise<StoreError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
}

/** What a failure says is so: done, not done, or not known. */
function doneAfter(failure: StoreError | undefined): readonly ('done' | 'not done')[] {
  if (failure === undefined || failure.code === 'COMMIT_PENDING') return ['done'];
  // Poisoned on its way, by a pack of its own: it never came to its commit.
  if (failure.kind === 'exhausted' || failure.code === 'STORE_POISONED') return ['not done'];
  expect(failure.code).toBe('BACKEND_IO');
  return ['done', 'not done'];
}

const FAULTS = [
  { code: 'ENOSPC', when: 'before', variant: 0 },
  { code: 'EIO', when: 'before', variant: 1 },
  { code: 'EIO', when: 'after', variant: 2 },
] as const;

describe.each(FAULTS)(`$code $when any call of the file system (${SAMPLE})`, ({ code, when, variant }) => {
  it.each(CASES)('of $title', async ({ operation }) => {
    const calls = await callsOf(operation);
    expect(calls.length).toBeGreaterThanOrEqual(5);
    for (const point of pointsOf(calls.length, variant, POINTS)) {
      const { call, nth } = calls[point] as (typeof calls)[number];
      const { disk, store, end, backend, metadata } = await machine();
      disk.fail({ call, nth, code, when });
      const failure = await failureOf(runOperation(store, operation));
      const told = doneAfter(failure);
      const models = told.map((is) => modelOf(is === 'done' ? [...SETUP, operation] : SETUP));
      const what = `${call} ${nth}: ${failure?.code}`;
      disk.heal();
      // The handle: what it says is what it holds, and it goes on unless the outcome is in doubt.
      expect(
        models.map((model) => [...model.keys()].sort()),
        what,
      ).toContainEqual(Object.keys(await imageOfStore(store)));
      const later = await failureOf(store.put('later', 'x'));
      const poisoned = later !== undefined;
      if (poisoned) expect(later.code, what).toBe('STORE_POISONED');
      if (code === 'ENOSPC' && failure?.kind === 'exhausted') expect(poisoned, what).toBe(false);
      if (failure?.code === 'BACKEND_IO' || failure?.code === 'STORE_POISONED') expect(poisoned, what).toBe(true);
      end();
      // The next process, over what the first one left.
      const next = await startProcess({ backend, metadata });
      if (!poisoned) await next.store.delete('later');
      await expectOneOf(next.store, models);
      // And one that has lost the metadata.
      const rebuilt = await rebuiltMetadata(backend);
      expect(rebuilt.report.unreadable).toEqual([]);
      expect(await rebuilt.metadata.stateDigests(), what).toEqual(await metadata.stateDigests());
    }
  });
});
