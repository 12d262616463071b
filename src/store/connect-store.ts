/** From a place and its keys to everything a store works with: the newest config, the backends, the keychain. */
import type { Backend } from '../backend/contract.ts';
import { encodeStoreConfig, STORE_CONFIG_KEY, type StoreConfig } from '../format/index.ts';
import { checkGuardedKeys, guardedKeys, type KeyState } from '../keys/index.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { BackendStateListener } from '../placement/backend-link.ts';
import { type Connection, connect } from './backends/connect.ts';
import { Keychain } from './keychain.ts';
import { type Place, surroundingsOf } from './location.ts';
import { newestConfig, spreadConfig } from './newest-config.ts';
import { newerPlain } from './settings.ts';
import { type OpenedConfig, type Unlocking, type UnlockOptions, unlockMetadata, untilNewest } from './unlock.ts';

/** A store whose place was opened. */
export interface PlacedStore {
  readonly place: Place;
  /** The backend at the place. */
  readonly backend: Backend;
  readonly unlocking: Unlocking;
  /** Told when a backend goes down, and when it is back. */
  readonly onBackendState?: BackendStateListener;
}

/** A store about to work. */
export interface ConnectedStore {
  /** The newest there is. */
  readonly config: StoreConfig;
  /** Absent in a plain store. */
  readonly keychain: Keychain | undefined;
  readonly connection: Connection;
}

/**
 * Finds the newest config, unlocks the metadata of a sealed store with it, and connects to the backends it names.
 * @throws as `unlockMetadata` and `connect`; the backend at the place is left open then
 */
export async function connectStore(
  store: PlacedStore & { readonly metadata: Metadata },
  options: UnlockOptions,
): Promise<ConnectedStore> {
  const known = await newestOf(store, options);
  const connection = await connectBackends(store, known.config, options);
  try {
    const newest = await newestAnywhere(store, { known, connection }, options);
    if (!options.readOnly) await spreadConfig(connection, encodeStoreConfig(newest.config));
    return { config: newest.config, connection, keychain: keychainOf(newest, store, connection.control) };
  } catch (error) {
    for (const { backend } of connection.backends.links) if (backend !== store.backend) await backend?.close();
    throw error;
  }
}

/**
 * The place and the metadata may both be of yesterday: put back from a copy. What the other backends say is newer then,
 * and holds keys that nothing else does.
 */
async function newestAnywhere(
  store: PlacedStore & { readonly metadata: Metadata },
  { known, connection }: { readonly known: Newest; readonly connection: Connection },
  options: UnlockOptions,
): Promise<Newest> {
  if (connection.backends.links.length === 1) return known;
  const opened = await newestConfig(connection, { ...store.unlocking, opened: known as OpenedConfig });
  if (opened.config.generation <= known.config.generation) return known;
  await connection.follow(opened.config);
  return await newestOf({ ...store, unlocking: { ...store.unlocking, opened } }, options);
}

/** A store over a connection that stands already. @throws as `unlockMetadata` */
export async function connectedStore(
  store: PlacedStore & { readonly metadata: Metadata },
  connection: Connection,
  options: UnlockOptions,
): Promise<ConnectedStore> {
  const newest = await newestOf(store, options);
  return { config: newest.config, connection, keychain: keychainOf(newest, store, connection.control) };
}

type Newest = KeyState | { readonly config: StoreConfig; readonly keyring?: undefined };

async function newestOf(store: PlacedStore & { readonly metadata: Metadata }, options: UnlockOptions): Promise<Newest> {
  if (store.unlocking.opened.keyring) return await unlockMetadata(store, options);
  return await untilNewest(store.metadata, async () => ({ config: await settlePlain(store, options) }));
}

function keychainOf(
  newest: Newest,
  { place, metadata, unlocking }: Pick<PlacedStore, 'place' | 'unlocking'> & { readonly metadata: Metadata },
  backend: Backend,
): Keychain | undefined {
  if (newest.keyring === undefined) return undefined;
  const { random } = surroundingsOf(place);
  return new Keychain({ backend, metadata, unlocking, random, unlocked: newest });
}

/** Connects to the backends that a config names. @throws as `connect` */
export function connectBackends(
  { place, backend, onBackendState }: Pick<PlacedStore, 'place' | 'backend' | 'onBackendState'>,
  config: StoreConfig,
  { readOnly }: Pick<UnlockOptions, 'readOnly'>,
): Promise<Connection> {
  return connect({ place, home: backend, config, readOnly, onBackendState });
}

/**
 * The newest config of a plain store. A change is made in the metadata first, so what is older on the backend is
 * repaired; metadata that is older, restored or made anew, learns what the config says by now.
 */
async function settlePlain(
  { backend, unlocking, metadata }: PlacedStore & { readonly metadata: Metadata },
  { readOnly, remembered }: UnlockOptions,
): Promise<StoreConfig> {
  const { config } = unlocking.opened;
  if (remembered) checkGuardedKeys(remembered, guardedKeys(config));
  const stored = await metadata.config();
  const newer = newerPlain(config, stored);
  if (newer && stored && !readOnly) await backend.put(STORE_CONFIG_KEY, stored.bytes);
  if (newer || readOnly) return newer ?? config;
  // The first config of a store stands in no metadata: most never get another one.
  const known = stored?.generation ?? 1;
  if (config.generation > known) {
    await metadata.setConfig(stored?.generation ?? 0, {
      generation: config.generation,
      bytes: encodeStoreConfig(config),
    });
  }
  return config;
}
