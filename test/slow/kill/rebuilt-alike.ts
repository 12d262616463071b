/** Whether a rebuild of a store leads to where it is. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Backend } from '../../../src/backend/contract.ts';
import { type OpenOptions, openStore, rebuildStore, type StoreLocation, type StoreStats } from '../../../src/index.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { openPlace, readConfig, toPlace } from '../../../src/store/location.ts';
import { openMetadata } from '../../../src/store/open.ts';
import { unlockConfig, unlockMetadata } from '../../../src/store/unlock.ts';
import { listingOf } from './verify-round.ts';

/** Runs `work` over the metadata of a store as it is, without recovery. */
export async function withMetadata<T>(
  location: StoreLocation,
  { keys }: Pick<OpenOptions, 'keys'>,
  work: (metadata: Metadata, backend: Backend) => Promise<T>,
): Promise<T> {
  const place = toPlace(location);
  const { backend } = await openPlace(place, { readOnly: true, create: false });
  const config = await readConfig(backend, { readOnly: true });
  const unlocking = await unlockConfig(config, keys);
  const metadata = await openMetadata(place, config, { backend, create: false, readOnly: true });
  try {
    if (keys !== undefined) await unlockMetadata({ backend, metadata, unlocking }, { readOnly: true });
    return await work(metadata, backend);
  } finally {
    unlocking.end();
    await metadata.close();
    await backend.close();
  }
}

/** Everything that a rebuild must reproduce. */
async function stateOf(location: StoreLocation, options: OpenOptions) {
  const store = await openStore(location, options);
  const listing = await listingOf(store);
  const counts = countsOf(await store.stats());
  await store.close();
  const digests = await withMetadata(location, options, (metadata) => metadata.stateDigests());
  return { listing, digests: { ...digests, ...counts } };
}

function countsOf({ entries, chunks, logicalBytes, uniqueBytes, commit }: StoreStats) {
  return { entries, chunks, logicalBytes, uniqueBytes, commit };
}

/** Rebuilds the metadata, and compares with what they were. @throws with the difference */
export async function rebuiltAlike(location: StoreLocation, options: OpenOptions): Promise<void> {
  const running = await stateOf(location, options);
  const report = await rebuildStore(location, options);
  deepStrictEqual(report.problems, [], 'a rebuild finds all packs');
  deepStrictEqual(await stateOf(location, options), running, 'a rebuild leads to the running state');
}
