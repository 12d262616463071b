/**
 * Creating, opening and rebuilding stores: the only code that knows how the parts of one are found and put together.
 */
import { dirname } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { toHex } from '../bytes/bytes.ts';
import { formatChunking, parseChunking } from '../chunking/index.ts';
import { COMPRESSION_LEVEL_MAX } from '../compress/index.ts';
import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  encodeStoreConfig,
  JOURNAL_PREFIX,
  PACKS_PREFIX,
  SHARED_METADATA_FEATURE,
  STORE_CONFIG_KEY,
  STORE_FORMAT,
  type StoreConfig,
  type StoreConfigBase,
} from '../format/index.ts';
import { guardedKeys } from '../keys/index.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { Connection } from './backends/connect.ts';
import { checkNewBackends } from './backends/new-backend.ts';
import { formatSetting } from './backends/store-backends.ts';
import { closingOnFailure } from './closing-on-failure.ts';
import type { Space } from './committer.ts';
import { connectBackends, connectStore, type PlacedStore } from './connect-store.ts';
import { Engine } from './engine.ts';
import { Telemetry } from './events.ts';
import { openFileMetadata } from './file-place.ts';
import { followingMetadata } from './following-metadata.ts';
import { HoldfastStore } from './holdfast-store.ts';
import {
  checkExistingPlace,
  checkMetadataNamed,
  checkNewPlace,
  checkWritablePlace,
  hasSharedMetadata,
  metadataPathOf,
  openPlace,
  type Place,
  readConfig,
  storeIdOf,
  surroundingsOf,
  toPlace,
  withCodes,
} from './location.ts';
import { checkRemembered, rememberedOf, rememberNew } from './rollback-watch.ts';
import { STORE_PROFILES, type StoreProfileSettings } from './store-profiles.ts';
import type { Store } from './store-types.ts';
import type { CreateOptions, OpenOptions, PlacementPolicy, StoreLocation } from './types.ts';
import { createUnlocked, plain, type Unlocking, unlockConfig } from './unlock.ts';

const STORE_ID_BYTES = 16;

/**
 * Creates a store and opens it. The folder is made when absent; it must be empty. So must a file.
 * @param location a folder, a file whose name ends in `.hold`, `memory:` (gone with the handle), or a backend and where the
 *   metadata is to be
 * @throws `conflict/STORE_EXISTS`, `invalid/LOCATION_INVALID`, `invalid/CHUNKING_INVALID`,
 *   `unsupported/SETTING_UNSUPPORTED`, `denied/PERMISSION_DENIED`, `exhausted/*`; TypeError and RangeError for options
 * @example
 * const store = await createStore('./photos', { keys: { passphrase } });
 */
export async function createStore(location: StoreLocation, options: CreateOptions): Promise<Store> {
  return await createAt(toPlace(location, options), options);
}

/** See `createStore`. */
export async function createAt(place: Place, options: CreateOptions): Promise<Store> {
  return await withCodes(place, () => createIn(place, options));
}

async function createIn(place: Place, options: CreateOptions): Promise<Store> {
  const surroundings = surroundingsOf(place);
  const base = newConfig(place, options);
  await checkNewPlace(place);
  const { backends = [] } = options;
  await checkNewBackends(place, backends);
  options.signal?.throwIfAborted();
  const { keys } = options;
  const unlocking =
    keys === 'none' ? plain({ format: STORE_FORMAT, ...base, keys }) : await createUnlocked(base, keys, surroundings);
  const { config, keyring } = unlocking.opened;
  const { keys: _keys, ...others } = options;
  const { backend, space } = await endingOnFailure(unlocking, async () => {
    const { rollbackGuard } = options;
    // What cannot be remembered is not made: nobody wants a store behind an error.
    if (rollbackGuard !== undefined) {
      const remembered = { storeId: config.storeId, ...guardedKeys(config, keyring?.schedule) };
      await rememberNew(remembered, rollbackGuard, surroundings);
    }
    return await openPlace(place, { ...others, create: true });
  });
  return await closingOnFailure(backend, () =>
    endingOnFailure(unlocking, async () => {
      if (place.kind !== 'folder' && place.kind !== 'memory') await checkNewBackend(backend);
      try {
        // First of all, and only once: who finds a config finds a store, if perhaps an empty one.
        await backend.put(STORE_CONFIG_KEY, encodeStoreConfig(config), { ifAbsent: backend.capabilities.ifAbsent });
      } catch (error) {
        if (!isStoreError(error, 'BLOB_EXISTS')) throw error;
        throw storeError('STORE_EXISTS', 'there is a store at this location already', { cause: error });
      }
      const metadata = await openMetadata(place, config, { backend, create: true, readOnly: false });
      const store = await start({ place, backend, metadata, unlocking }, { options, space });
      return await withBackends(store, options);
    }),
  );
}

/** Adds the backends that a new store was asked to have. */
async function withBackends(store: Store, { backends = [], homeWeight, logger }: CreateOptions): Promise<Store> {
  try {
    for (const backend of backends) await store.backends.add(backend);
    const [home] = await store.backends.list();
    const weight = homeWeight ?? (backends.length > 0 ? 0 : 1);
    if (home && weight !== home.weight) await store.backends.change(home.name, { weight });
    for (const warning of (await store.backends.status()).warnings) logger?.warn(warning);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Opens a store. Unless it is read-only this recovers what a crash left: acknowledged changes are there, others are
 * there whole or not at all. Several processes may have one store open. Wrong keys are told before anything is written.
 * @throws `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE`, `unsupported/FORMAT_UNSUPPORTED`,
 *   `invalid/METADATA_ELSEWHERE`, `corrupt/METADATA_MISSING` and `corrupt/METADATA_CORRUPT` (see `rebuildStore`), `corrupt/CONFIG_CORRUPT`,
 *   `corrupt/JOURNAL_FORK`, `corrupt/ROLLBACK_DETECTED`, `denied/PERMISSION_DENIED`, `denied/KEY_REQUIRED`,
 *   `denied/WRONG_KEY`, `denied/STORE_NOT_SEALED`, `denied/KEY_FILE_EXPOSED`, `invalid/CREDENTIAL_INVALID`
 */
export async function openStore(location: StoreLocation, options: OpenOptions = {}): Promise<Store> {
  return await openAt(toPlace(location, options), options);
}

/** See `openStore`. */
export async function openAt(place: Place, options: OpenOptions = {}): Promise<Store> {
  return await withCodes(place, () => openIn(place, options));
}

async function openIn(place: Place, options: OpenOptions): Promise<Store> {
  const { readOnly = false } = options;
  const unlocking = await unlockPlace(place, options);
  const { backend, space } = await endingOnFailure(unlocking, async () => {
    if (!readOnly) await checkWritablePlace(place);
    return await openPlace(place, { ...options, create: false });
  });
  return await closingOnFailure(backend, () =>
    endingOnFailure(unlocking, async () => {
      const { config } = unlocking.opened;
      const metadata = await openExistingMetadata(place, { backend, config, readOnly });
      return await start({ place, backend, metadata, unlocking }, { options, space });
    }),
  );
}

async function endingOnFailure<T>(unlocking: Unlocking, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    unlocking.end();
    throw error;
  }
}

/**
 * Opens the store at a location, or creates it when there is none.
 * @throws what `openStore` and `createStore` throw
 */
export async function openOrCreateStore(location: StoreLocation, options: CreateOptions): Promise<Store> {
  const { keys, ...others } = options;
  try {
    return await openStore(location, keys === 'none' ? others : { ...others, keys });
  } catch (error) {
    // An empty folder is no store yet.
    if (!isStoreError(error, 'STORE_NOT_FOUND', 'NOT_A_STORE')) throw error;
    return await createStore(location, options);
  }
}

/**
 * Reads the config of a place and opens it, with nothing else opened and nothing written.
 * @throws as `openStore`
 */
export async function unlockPlace(place: Place, options: OpenOptions): Promise<Unlocking> {
  checkMetadataNamed(place);
  await checkExistingPlace(place);
  options.signal?.throwIfAborted();
  const { readOnly = false, signal, keys } = options;
  const { backend } = await openPlace(place, { readOnly: true, create: false });
  let opened = false;
  try {
    const config = await readConfig(backend, { readOnly, signal });
    // Before anybody is asked for a key.
    if (place.kind !== 'file') metadataPathOf(place, config);
    const unlocking = await unlockConfig(config, keys);
    opened = true;
    return unlocking;
  } finally {
    // A backend of the caller's is opened once, and goes on being used.
    if (place.kind !== 'backend' || !opened) await backend.close();
  }
}

/** Not every backend can create exactly once, and one that lost its config still holds a store. */
async function checkNewBackend(backend: Backend): Promise<void> {
  if (await backend.head(STORE_CONFIG_KEY))
    throw storeError('STORE_EXISTS', 'there is a store on this backend already');
  if (await holdsPacks(backend))
    throw storeError('LOCATION_INVALID', 'the backend holds packs of a store; a new one needs a backend of its own');
}

async function start(
  parts: PlacedStore & { readonly metadata: Metadata },
  how: { readonly options: Omit<OpenOptions, 'keys'>; readonly space: Space },
): Promise<Store> {
  const { metadata, unlocking } = parts;
  const surroundings = surroundingsOf(parts.place);
  const { clock, random, life } = surroundings;
  const { options, space } = how;
  const telemetry = new Telemetry(options.logger);
  let connection: Connection | undefined;
  try {
    const remembered = await rememberedOf(unlocking.opened.config.storeId, options, surroundings);
    const store = { ...parts, onBackendState: telemetry.onBackendState };
    const connected = await connectStore(store, { readOnly: options.readOnly === true, remembered });
    const { keychain } = connected;
    connection = connected.connection;
    const engine = new Engine({
      ...connected,
      metadata: keychain ? followingMetadata(metadata, () => keychain.reload()) : metadata,
      telemetry,
      policy: options.placement && checkPolicy(options.placement),
      heal: checkAuto('heal', options.heal),
      gc: checkAuto('gc', options.gc),
      clock,
      random,
      life,
    });
    if (!options.readOnly) await engine.recover();
    if (remembered) await checkRemembered(engine, remembered);
    if (!options.readOnly) await engine.startWriting(space);
    if (options.rollbackGuard !== undefined)
      await engine.watchRollback({ folder: options.rollbackGuard, surroundings });
    engine.watchBackends();
    return new HoldfastStore(engine);
  } catch (error) {
    await metadata.close();
    await connection?.control.close();
    throw error;
  }
}

/** @throws TypeError, RangeError */
function checkPolicy(policy: PlacementPolicy): PlacementPolicy {
  if (typeof policy !== 'object' || policy === null) throw argumentTypeError('placement', 'an object', policy);
  for (const name of ['parityMin', 'hedgeMs', 'graceMs', 'timeoutMs'] as const) {
    const { [name]: value } = policy;
    if (value !== undefined) checkInteger(`placement.${name}`, value, { min: 0 });
  }
  return policy;
}

/** @throws RangeError */
function checkAuto(name: string, value: 'auto' | 'manual' | undefined): 'auto' | 'manual' | undefined {
  if (value === undefined || value === 'auto' || value === 'manual') return value;
  throw argumentRangeError(`options.${name}`, "'auto' or 'manual'", value);
}

function profileOf({ profile = 'fast' }: CreateOptions): StoreProfileSettings {
  if (Object.hasOwn(STORE_PROFILES, profile)) return STORE_PROFILES[profile];
  throw argumentRangeError('options.profile', Object.keys(STORE_PROFILES).join(' or '), profile);
}

function newConfig(place: Place, options: CreateOptions): StoreConfigBase {
  if (typeof options !== 'object' || options === null || options.keys === undefined) {
    const expected = "a passphrase or key that seals the store, or 'none' for a plain one";
    throw argumentTypeError('options.keys', expected, options?.keys);
  }
  const chunking = parseChunking(options.chunking ?? 'default');
  if (chunking.kind === 'given')
    throw storeError('CHUNKING_INVALID', 'chunking "given" is for single puts, not the default of a store');
  const { compressionLevel } = profileOf(options);
  const level = checkInteger('compressionLevel', options.compressionLevel ?? compressionLevel, {
    min: 1,
    max: COMPRESSION_LEVEL_MAX,
  });
  const { random, clock } = surroundingsOf(place);
  return {
    features: {
      ...{ compatible: [], readOnlyCompatible: [] },
      incompatible: hasSharedMetadata(place) ? [SHARED_METADATA_FEATURE] : [],
    },
    storeId: toHex(random(STORE_ID_BYTES)),
    created: new Date(clock.now()).toISOString(),
    digest: 'blake3',
    chunking: formatChunking(chunking),
    compression: { codec: 'zstd', level },
    redundancy: formatSetting(options.redundancy ?? 'none'),
    generation: 1,
  };
}

/** Metadata of a place; with `create`, made when the file is absent. That of a sealed store is locked. */
export async function openMetadata(
  place: Place,
  config: StoreConfig,
  options: {
    /** That of a file holds the metadata, too. */
    readonly backend: Backend;
    readonly create: boolean;
    readonly readOnly: boolean;
    /** Where to make those of a rebuild. Default: those of the place. */
    readonly path?: string;
  },
): Promise<Metadata> {
  const identity = { storeId: storeIdOf(config), sealed: config.keys !== 'none' };
  const { backend, create, readOnly } = options;
  if (place.kind === 'file') return await openFileMetadata(backend, { ...identity, create, readOnly });
  const { fileSystem, metadata } = surroundingsOf(place);
  const path = options.path ?? metadataPathOf(place, config);
  if (options.create && place.kind === 'folder' && !hasSharedMetadata(place)) {
    await fileSystem.mkdir(dirname(path));
    await fileSystem.syncDirectory(place.folder);
  }
  return await metadata.open({ path, ...identity, create, readOnly });
}

/** A store that was created and never written to may lack its metadata; any other that lacks it has lost it. */
async function openExistingMetadata(
  place: Place,
  parts: { readonly backend: Backend; readonly config: StoreConfig; readonly readOnly: boolean },
): Promise<Metadata> {
  const { backend, config, readOnly } = parts;
  try {
    return await openMetadata(place, config, { backend, create: false, readOnly });
  } catch (error) {
    if (!isStoreError(error, 'METADATA_MISSING') || readOnly) throw error;
    const { control, backends } = await connectBackends({ place, backend }, config, { readOnly });
    const isReached = backends.links.every((link) => link.backend !== undefined);
    const isNew = isReached && !(await holdsPacks(control));
    for (const link of backends.links) if (link.backend !== backend) await link.backend?.close();
    if (!isNew) throw error;
    return await openMetadata(place, config, { backend, create: true, readOnly });
  }
}

async function holdsPacks(backend: Backend): Promise<boolean> {
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX]) {
    for await (const _ of listAll(backend, { prefix })) return true;
  }
  return false;
}
