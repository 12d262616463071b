/** Creating, opening and rebuilding stores: the only code that knows how the parts of one are found and put together. */
import { dirname } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { toHex } from '../bytes/bytes.ts';
import { formatChunking, parseChunking } from '../chunking/index.ts';
import { COMPRESSION_LEVEL_MAX } from '../compress/index.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  encodeStoreConfig,
  JOURNAL_PREFIX,
  PACKS_PREFIX,
  STORE_CONFIG_KEY,
  STORE_FORMAT,
  type StoreConfig,
} from '../format/index.ts';
import type { Metadata } from '../metadata/contract.ts';
import { openSqliteMetadata } from '../metadata/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { systemRandom } from '../runtime/random.ts';
import type { Space } from './committer.ts';
import { Engine } from './engine.ts';
import { Telemetry } from './events.ts';
import { HoldfastStore } from './holdfast-store.ts';
import {
  checkExistingPlace,
  checkNewPlace,
  checkWritablePlace,
  openPlace,
  type Place,
  readConfig,
  storeIdOf,
  toPlace,
} from './location.ts';
import type { CreateOptions, OpenOptions, Store, StoreLocation } from './types.ts';

const STORE_ID_BYTES = 16;
const LEVEL_DEFAULT = 1;

/**
 * Creates a store and opens it. The folder is made when absent; it must be empty.
 * @param location a folder, `memory:` (gone with the handle), or a backend of yours (the store closes it) and a file for
 *   the metadata
 * @throws `conflict/STORE_EXISTS`, `invalid/LOCATION_INVALID`, `invalid/CHUNKING_INVALID`,
 *   `unsupported/SETTING_UNSUPPORTED`, `denied/PERMISSION_DENIED`, `exhausted/*`; TypeError and RangeError for options
 * @example
 * const store = await createStore('./photos', { keys: 'none' });
 */
export async function createStore(location: StoreLocation, options: CreateOptions): Promise<Store> {
  const place = toPlace(location);
  const config = newConfig(options);
  await checkNewPlace(place);
  options.signal?.throwIfAborted();
  const { backend, space } = await openPlace(place, { ...options, create: true });
  return await closingOnFailure(backend, async () => {
    if (place.kind === 'backend') await checkNewBackend(backend);
    try {
      // First of all, and only once: who finds a config finds a store, if perhaps an empty one.
      await backend.put(STORE_CONFIG_KEY, encodeStoreConfig(config), { ifAbsent: backend.capabilities.ifAbsent });
    } catch (error) {
      if (!isStoreError(error, 'BLOB_EXISTS')) throw error;
      throw storeError('STORE_EXISTS', 'there is a store at this location already', { cause: error });
    }
    const metadata = await openMetadata(place, config, { create: true, readOnly: false });
    return await start({ backend, metadata, config }, { options, space });
  });
}

/**
 * Opens a store. Unless it is read-only this recovers what a crash left: acknowledged changes are there, others are
 * there whole or not at all. Several processes may have one store open.
 * @throws `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE`, `unsupported/FORMAT_UNSUPPORTED`,
 *   `corrupt/METADATA_MISSING` and `corrupt/METADATA_CORRUPT` (see `rebuildStore`), `corrupt/CONFIG_CORRUPT`,
 *   `corrupt/JOURNAL_FORK`, `denied/PERMISSION_DENIED`
 */
export async function openStore(location: StoreLocation, options: OpenOptions = {}): Promise<Store> {
  const place = toPlace(location);
  await checkExistingPlace(place);
  options.signal?.throwIfAborted();
  const { readOnly = false } = options;
  if (!readOnly) await checkWritablePlace(place);
  const { backend, space } = await openPlace(place, { ...options, create: false });
  return await closingOnFailure(backend, async () => {
    const config = await readConfig(backend, { readOnly, signal: options.signal });
    const metadata = await openExistingMetadata(place, { backend, config, readOnly });
    return await start({ backend, metadata, config }, { options, space });
  });
}

/** Not every backend can create exactly once, and one that lost its config still holds a store. */
async function checkNewBackend(backend: Backend): Promise<void> {
  if (await backend.head(STORE_CONFIG_KEY))
    throw storeError('STORE_EXISTS', 'there is a store on this backend already');
  if (await holdsPacks(backend))
    throw storeError('LOCATION_INVALID', 'the backend holds packs of a store; a new one needs a backend of its own');
}

async function start(
  parts: { readonly backend: Backend; readonly metadata: Metadata; readonly config: StoreConfig },
  how: { readonly options: OpenOptions; readonly space: Space },
): Promise<Store> {
  try {
    const engine = new Engine({
      ...parts,
      telemetry: new Telemetry(how.options.logger),
      clock: systemClock,
      random: systemRandom,
    });
    if (!how.options.readOnly) await engine.startWriting(how.space);
    return new HoldfastStore(engine);
  } catch (error) {
    await parts.metadata.close();
    throw error;
  }
}

async function closingOnFailure<T>(backend: Backend, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await backend.close();
    throw error;
  }
}

function newConfig(options: CreateOptions): StoreConfig {
  if (typeof options !== 'object' || options === null || options.keys === undefined) {
    throw argumentTypeError('options.keys', "'none': say that the store is plain", options?.keys);
  }
  if (options.keys !== 'none') {
    throw storeError('SETTING_UNSUPPORTED', "this version writes plain stores only: pass keys: 'none'", {
      details: { setting: 'keys' },
    });
  }
  const chunking = parseChunking(options.chunking ?? 'default');
  if (chunking.kind === 'given')
    throw storeError('CHUNKING_INVALID', 'chunking "given" is for single puts, not the default of a store');
  const level = checkInteger('compressionLevel', options.compressionLevel ?? LEVEL_DEFAULT, {
    min: 1,
    max: COMPRESSION_LEVEL_MAX,
  });
  return {
    format: STORE_FORMAT,
    features: { compatible: [], readOnlyCompatible: [], incompatible: [] },
    storeId: toHex(systemRandom(STORE_ID_BYTES)),
    created: new Date(systemClock.now()).toISOString(),
    digest: 'blake3',
    chunking: formatChunking(chunking),
    compression: { codec: 'zstd', level },
    redundancy: 'none',
    keys: 'none',
    generation: 1,
  };
}

/** Metadata of a place; with `create`, made when the file is absent. */
export async function openMetadata(
  place: Place,
  config: StoreConfig,
  options: { readonly create: boolean; readonly readOnly: boolean; readonly suffix?: string },
): Promise<Metadata> {
  const path = place.kind === 'memory' ? ':memory:' : place.metadataPath + (options.suffix ?? '');
  if (options.create && place.kind === 'folder') {
    await nodeFileSystem.mkdir(dirname(path));
    await nodeFileSystem.syncDirectory(place.folder);
  }
  return await openSqliteMetadata({
    path,
    storeId: storeIdOf(config),
    create: options.create,
    readOnly: options.readOnly,
  });
}

/** A store that was created and never written to may lack its metadata; any other that lacks it has lost it. */
async function openExistingMetadata(
  place: Place,
  parts: { readonly backend: Backend; readonly config: StoreConfig; readonly readOnly: boolean },
): Promise<Metadata> {
  const { backend, config, readOnly } = parts;
  try {
    return await openMetadata(place, config, { create: false, readOnly });
  } catch (error) {
    if (!isStoreError(error, 'METADATA_MISSING') || readOnly || (await holdsPacks(backend))) throw error;
    return await openMetadata(place, config, { create: true, readOnly });
  }
}

async function holdsPacks(backend: Backend): Promise<boolean> {
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX]) {
    for await (const _ of listAll(backend, { prefix })) return true;
  }
  return false;
}
