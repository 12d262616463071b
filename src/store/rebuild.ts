import { storeError } from '../errors/store-error.ts';
import { connectBackends } from './connect-store.ts';
import { exchangeMetadata } from './exchange-metadata.ts';
import {
  checkExistingPlace,
  checkWritablePlace,
  metadataPathOf,
  openPlace,
  type Place,
  surroundingsOf,
  toPlace,
  withCodes,
} from './location.ts';
import { metadataHome } from './metadata-home.ts';
import { newestConfig } from './newest-config.ts';
import { unlockPlace } from './open.ts';
import { rebuildFile } from './rebuild-file.ts';
import { flushOldOutbox, type PlacedToRebuild } from './rebuild-parts.ts';
import { rememberedOf } from './rollback-watch.ts';
import type { OpenOptions, ProgressOptions, StoreLocation } from './types.ts';
import type { RebuildReport } from './upkeep-types.ts';

/**
 * Makes the metadata of a store anew from its journal and packs; content is not read. The new one is made beside the
 * present one, which is set aside and kept when all has gone well, and stays as it is when not. Of a store in one file
 * a new file is made, with a copy of every blob: it takes as much space again.
 * @throws `conflict/STORE_IN_USE` when any process has the store open, `corrupt/JOURNAL_GAP` when part of the journal
 *   is gone, `corrupt/*` when it is damaged, and what `openStore` throws for what is no store
 */
export async function rebuildStore(
  location: StoreLocation,
  options: OpenOptions & ProgressOptions = {},
): Promise<RebuildReport> {
  return await rebuildAt(toPlace(location, options), options);
}

/** See `rebuildStore`. */
export async function rebuildAt(place: Place, options: OpenOptions & ProgressOptions = {}): Promise<RebuildReport> {
  return await withCodes(place, () => rebuildIn(place, options));
}

async function rebuildIn(place: Place, options: OpenOptions & ProgressOptions): Promise<RebuildReport> {
  await checkExistingPlace(place);
  await checkWritablePlace(place);
  if (place.kind === 'file') return await rebuildFile(place, options);
  if (place.kind === 'memory' || (place.kind === 'backend' && place.metadataPath === ':memory:')) {
    throw storeError('LOCATION_INVALID', 'metadata in memory cannot be rebuilt');
  }
  const unlocking = await unlockPlace(place, options);
  try {
    const { backend } = await openPlace(place, { ...options, readOnly: false, create: false });
    try {
      return await rebuildPlaced({ place, backend, unlocking }, options);
    } finally {
      await backend.close();
    }
  } finally {
    unlocking.end();
  }
}

/** A store whose metadata has a file of its own. */
interface BesideMetadata {
  readonly place: Exclude<Place, { readonly kind: 'memory' | 'file' }>;
}

async function rebuildPlaced(
  placed: PlacedToRebuild & BesideMetadata,
  options: OpenOptions & ProgressOptions,
): Promise<RebuildReport> {
  const { place, unlocking } = placed;
  const { config } = unlocking.opened;
  const surroundings = surroundingsOf(place);
  const remembered = await rememberedOf(config.storeId, options, surroundings);
  const home = metadataHome(metadataPathOf(place, config), surroundings);
  await home.checkUnused();
  await home.removeNew();
  const connection = await connectBackends(placed, config, { readOnly: false });
  try {
    const newest = await newestConfig(connection, unlocking);
    await connection.follow(newest.config);
    const store = { ...placed, unlocking: { ...unlocking, opened: newest }, connection, remembered };
    const { opened, commit: known } = await flushOldOutbox(store, options);
    return await exchangeMetadata(
      { ...store, unlocking: { ...unlocking, opened }, known },
      { from: home, to: home },
      options,
    );
  } finally {
    await connection.control.close();
  }
}
