/** From a config and what a caller has to the keys of a store, before anything of the store is touched. */
import type { Backend } from '../backend/contract.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import {
  decodeStoreConfig,
  encodeStoreConfig,
  type PlainStoreConfig,
  type SealedStoreConfig,
  STORE_CONFIG_KEY,
  type StoreConfig,
  type StoreConfigBase,
} from '../format/index.ts';
import {
  checkGuardedKeys,
  createSealed,
  type GuardState,
  guardedKeys,
  isSameStore,
  type KeyContext,
  type KeySource,
  type KeyState,
  type OpenSecret,
  openSecret,
  unlock,
  unlockWith,
  wipeRingSecrets,
  wipeSecret,
} from '../keys/index.ts';
import type { Metadata, StoredConfig } from '../metadata/contract.ts';
import { KEY_CHANGES_MAX } from './following-metadata.ts';

/** A config, with its keys in a sealed store. */
export type OpenedConfig = { readonly config: PlainStoreConfig; readonly keyring?: undefined } | KeyState;

/** How the metadata of a store is unlocked. */
export interface UnlockOptions {
  readonly readOnly: boolean;
  /** What this client remembers of the store; nothing is compared when absent. */
  readonly remembered?: GuardState | undefined;
}

/** A config that was opened, and how to open a newer one of the same store. */
export interface Unlocking {
  readonly opened: OpenedConfig;
  /**
   * Opens a config that another process made since.
   * @throws `denied/WRONG_KEY` when the caller was shut out, `corrupt/CONFIG_CORRUPT` when it is not of the same store
   */
  newer(stored: StoredConfig): Promise<KeyState>;
  /**
   * Whether a config of any generation has the keys of another store; not told when the secret does not open it.
   * @throws `corrupt/CONFIG_CORRUPT` when it is none
   */
  isOfOther(stored: StoredConfig): Promise<boolean>;
  /** Overwrites what opened it; to be called once, when the store is closed or was not opened. */
  end(): void;
}

/**
 * @throws `denied/KEY_REQUIRED`, `denied/WRONG_KEY`, `denied/STORE_NOT_SEALED`; what getting at the keys throws
 */
export async function unlockConfig(config: StoreConfig, keys: KeySource | undefined): Promise<Unlocking> {
  if (config.keys === 'none') {
    if (keys === undefined) return plain(config);
    const message =
      'keys were given, but this store is plain: it is not the one that was meant, or was put in its place';
    throw storeError('STORE_NOT_SEALED', message);
  }
  if (keys === undefined) throw storeError('KEY_REQUIRED', 'the store is sealed: a passphrase or a key opens it');
  const secret = await openSecret(keys);
  try {
    return unlocking({ config, keyring: await unlock(config, secret) }, secret);
  } catch (error) {
    wipeSecret(secret);
    throw error;
  }
}

/** The config of a plain store. */
export function plain(config: PlainStoreConfig): Unlocking {
  const newer = async (): Promise<never> => {
    throw storeError('INVARIANT_BROKEN', 'the config of a plain store never changes');
  };
  return { opened: { config }, newer, isOfOther: async () => false, end: () => undefined };
}

/**
 * Makes the keys of a new store.
 * @throws what getting at the keys throws
 */
export async function createUnlocked(
  base: StoreConfigBase,
  keys: KeySource,
  { random, clock }: KeyContext,
): Promise<Unlocking> {
  const given = typeof keys === 'function' ? await keys() : keys;
  const opened = await createSealed(base, [given], { random, clock });
  const secret = await openSecret(given);
  return unlocking(opened, secret);
}

function unlocking(opened: KeyState, secret: OpenSecret): Unlocking {
  return {
    opened,
    newer: (stored) => unlockNewer(opened, stored, secret),
    isOfOther: (stored) => isOfOther(opened, stored, secret),
    end: () => wipeSecret(secret),
  };
}

async function unlockNewer(known: KeyState, stored: StoredConfig, secret: OpenSecret): Promise<KeyState> {
  const config = decodeNewer(known.config, stored);
  const keyring = await unlock(config, secret);
  // The slots are public, so anybody can make a config that they open: it would have everything sealed for its maker.
  if (isSameStore(keyring, known.keyring)) return { config, keyring };
  throw storeError('CONFIG_CORRUPT', 'the config that the metadata holds has the keys of another store');
}

async function isOfOther(known: KeyState, stored: StoredConfig, secret: OpenSecret): Promise<boolean> {
  const config = decodeNewer(known.config, stored);
  // Mostly it has the same master key, and then no passphrase needs to be tried again.
  if (unlockWith(known.keyring, config)) return false;
  try {
    return !isSameStore(await unlock(config, secret), known.keyring);
  } catch (error) {
    if (isStoreError(error, 'WRONG_KEY')) return false;
    throw error;
  }
}

/**
 * Decodes a config that the metadata holds, where anybody who can write there may have put an old one, or another
 * store's.
 * @throws `corrupt/CONFIG_CORRUPT`
 */
export function decodeNewer(known: StoreConfig, { generation, bytes }: StoredConfig): SealedStoreConfig {
  const config = decodeStoreConfig(bytes);
  if (config.keys !== 'none' && config.generation === generation && config.storeId === known.storeId) return config;
  throw storeError('CONFIG_CORRUPT', 'the config that the metadata holds is not the one it says');
}

/**
 * Unlocks the metadata of a sealed store with the newest config there is. A change is made in the metadata first, so a
 * config on the backend that is older was not written any more, or was put back by somebody: it is not used, and where
 * the store may be written it is repaired. Where it is remembered what the store was, that is compared before anything
 * is written.
 * @throws `denied/WRONG_KEY` when the newest one does not open any more; `corrupt/ROLLBACK_DETECTED`;
 *   `corrupt/METADATA_CORRUPT` when the metadata is of other keys
 */
export async function unlockMetadata(parts: UnlockParts, options: UnlockOptions): Promise<KeyState> {
  return await untilNewest(parts.metadata, () => unlockWithNewest(parts, options));
}

interface UnlockParts {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly unlocking: Unlocking;
}

/**
 * Finds the newest config, and does so again while others change it: who was overtaken may have written an older one over
 * theirs.
 * @throws what `find` throws; `conflict/KEYS_CHANGED` when that never ends
 */
export async function untilNewest<Found extends { readonly config: StoreConfig }>(
  metadata: Metadata,
  find: () => Promise<Found>,
): Promise<Found> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await find();
      const generation = (await metadata.config())?.generation ?? 0;
      if (generation <= found.config.generation || attempt === KEY_CHANGES_MAX) return found;
    } catch (error) {
      if (!isStoreError(error, 'KEYS_CHANGED') || attempt === KEY_CHANGES_MAX) throw error;
    }
  }
}

async function unlockWithNewest(parts: UnlockParts, options: UnlockOptions): Promise<KeyState> {
  const { backend, metadata, unlocking } = parts;
  const { opened } = unlocking;
  invariant(opened.keyring, 'a sealed store has keys');
  const kept = await metadata.config();
  const { generation } = opened.config;
  if (kept !== undefined && kept.generation > generation) {
    const newest = await unlocking.newer(kept);
    checkKeys(newest, options);
    await giveKeys(metadata, newest);
    if (!options.readOnly) await backend.put(STORE_CONFIG_KEY, kept.bytes);
    return newest;
  }
  checkKeys(opened, options);
  // Before anything is written: a config of somebody else's making opens, and its keys do not open what is there.
  await giveKeys(metadata, opened);
  // Older metadata, restored or rebuilt: it learns what the config says by now.
  if (!options.readOnly && (kept === undefined || kept.generation < generation)) {
    const bytes = encodeStoreConfig(opened.config);
    await metadata.setConfig(kept?.generation ?? 0, { generation, bytes });
  }
  return opened;
}

/** Unlocks the metadata with keys. @throws as `Metadata.unlock` */
export async function giveKeys(metadata: Metadata, { config, keyring }: KeyState): Promise<void> {
  const { secrets } = keyring;
  try {
    await metadata.unlock(secrets, config.generation);
  } finally {
    wipeRingSecrets(secrets);
  }
}

function checkKeys({ config, keyring }: KeyState, { remembered }: UnlockOptions): void {
  if (remembered) checkGuardedKeys(remembered, guardedKeys(config, keyring.schedule));
}
