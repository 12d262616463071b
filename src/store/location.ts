/** Where a store lies: its blobs and its metadata. */
import { join, resolve } from 'node:path';
import { type BackendModules, checkBackendModules, moduleOf } from '../backend/backend-module.ts';
import type { Backend } from '../backend/contract.ts';
import { FsBackend } from '../backend/fs-backend.ts';
import { fsError } from '../backend/fs-error.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { openFsBackend } from '../backend/open-fs-backend.ts';
import { readOnlyBackend } from '../backend/read-only-backend.ts';
import { fromHex } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import {
  decodeStoreConfig,
  MOVED_KEY,
  SHARED_METADATA_FEATURE,
  STORE_CONFIG_KEY,
  type StoreConfig,
  unknownReadOnlyFeatures,
} from '../format/index.ts';
import { isPostgresUrl } from '../metadata/index.ts';
import { type FileSystem, systemCode } from '../runtime/file-system.ts';
import { isPathText } from '../runtime/file-url.ts';
import { backendUrl, isObjectStoreUrl, openBackendUrl } from './backends/backend-url.ts';
import type { Reserve, Space } from './committer.ts';
import {
  checkExistingFilePlace,
  checkNewFilePlace,
  checkWritableFilePlace,
  type FilePlace,
  isFilePath,
  openFilePlace,
  refuseFileOptions,
} from './file-place.ts';

import { type Surroundings, SYSTEM_SURROUNDINGS } from './surroundings.ts';
import type { CreateOptions, OpenOptions, StoreLocation } from './types.ts';

/** A location with its kinds told apart. */
export type Place = (
  | { readonly kind: 'memory' }
  | FilePlace
  | { readonly kind: 'folder'; readonly folder: string; readonly metadataPath: string }
  | {
      readonly kind: 'bucket';
      /** `s3://…`, or one of a module's. */
      readonly url: string;
      /** Absent where nobody said which database has the metadata. */
      readonly metadataPath?: string;
    }
  | {
      readonly kind: 'backend';
      readonly backend: Backend;
      /** The other backends of the store. */
      readonly backends?: readonly Backend[];
      readonly metadataPath: string;
    }
) & {
  /** Default: this machine. */
  readonly surroundings?: Surroundings;
};

/** What the store at a place has of its machine. */
export function surroundingsOf({ surroundings = SYSTEM_SURROUNDINGS }: Place): Surroundings {
  return surroundings;
}

/** Metadata and its write-ahead log, inside the folder of a store under a name the backend leaves alone. */
const METADATA_FOLDER = '.metadata';
const METADATA_FILE = 'store.sqlite';
/** What an interrupted `createStore` may have left in a folder. */
const OWN_NAMES: ReadonlySet<string> = new Set(['.tmp', '.reserve', METADATA_FOLDER]);

/** A location as its opener means it. @throws `TypeError`, `RangeError`, `invalid/LOCATION_INVALID` */
export function toPlace(location: StoreLocation, options?: Pick<OpenOptions, 'backendModules'>): Place {
  const modules = options?.backendModules;
  if (modules === undefined) return placeOf(location, {});
  const backendModules = checkBackendModules(modules);
  return { ...placeOf(location, modules), surroundings: { ...SYSTEM_SURROUNDINGS, backendModules } };
}

function placeOf(location: StoreLocation, modules: BackendModules): Place {
  if (typeof location === 'string') return toNamedPlace(location, modules);
  if (typeof location !== 'object' || location === null || typeof location.metadata !== 'string')
    throw argumentTypeError('location', 'a folder, a file, memory:, or { backend, metadata }', location);
  const { backend, backends, metadata: metadataPath } = location;
  if (typeof backend === 'string') return sharedPlace(toNamedPlace(backend, modules), metadataPath);
  if (typeof backend !== 'object' || backend === null)
    throw argumentTypeError('location', 'one whose backend is a backend, a folder, or s3://bucket', location);
  return { kind: 'backend', backend, ...(backends && { backends }), metadataPath };
}

function toNamedPlace(location: string, modules: BackendModules): Place {
  if (location === 'memory:') return { kind: 'memory' };
  if (location === '') throw storeError('LOCATION_INVALID', 'the location of a store is a folder, a file, or memory:');
  if (isObjectStoreUrl(location) || moduleOf(location, modules)) return { kind: 'bucket', url: backendUrl(location) };
  if (/^[a-z][a-z0-9+.-]+:/i.test(location) && !/^[a-z]:[\\/]/i.test(location)) {
    const message = `${location} is no location that this version knows: pass a folder, a file, s3://bucket, or memory:`;
    throw storeError('LOCATION_INVALID', message, { details: { path: location } });
  }
  if (!isPathText(location)) {
    throw storeError('LOCATION_INVALID', 'the location of a store is a path, and this text is none', {
      details: { path: location.toWellFormed() },
    });
  }
  const folder = resolve(location);
  if (isFilePath(folder)) return { kind: 'file', file: folder };
  return { kind: 'folder', folder, metadataPath: join(folder, METADATA_FOLDER, METADATA_FILE) };
}

/** A place whose metadata is not at hand there: only what all its openers see alike is shared by them. */
function sharedPlace(place: Place, metadataPath: string): Place {
  if (!isPostgresUrl(metadataPath)) {
    const message =
      'the metadata of a folder lies in it, or is in PostgreSQL: pass postgres://host/database?schema=name';
    throw storeError('LOCATION_INVALID', message);
  }
  if (place.kind === 'folder' || place.kind === 'bucket') return { ...place, metadataPath };
  throw storeError('LOCATION_INVALID', 'a store in one file or in memory has its metadata in it');
}

/** There is no place for metadata in a bucket. @throws `invalid/LOCATION_INVALID` when no database is named */
export function checkMetadataNamed(place: Place): void {
  if (place.kind !== 'bucket' || place.metadataPath !== undefined) return;
  const message = 'a store in a bucket has its metadata in PostgreSQL: say in which database';
  throw storeError('LOCATION_INVALID', message, { details: { path: place.url } });
}

/** Whether the metadata at a place is that of any number of machines. */
export function hasSharedMetadata(place: Place): boolean {
  return 'metadataPath' in place && place.metadataPath !== undefined && isPostgresUrl(place.metadataPath);
}

/** Whether a config says of the metadata what an opener of the place says. */
export function hasConfiguredMetadata(place: Place, { features }: StoreConfig): boolean {
  return features.incompatible.includes(SHARED_METADATA_FEATURE) === hasSharedMetadata(place);
}

/**
 * Where the metadata of a store is: where its config and its opener both say.
 * @throws `invalid/METADATA_ELSEWHERE` when they do not say the same
 */
export function metadataPathOf(place: Exclude<Place, FilePlace>, config: StoreConfig): string {
  if (place.kind === 'memory') return ':memory:';
  const { metadataPath: path } = place;
  const isNamed = hasSharedMetadata(place);
  if (path !== undefined && hasConfiguredMetadata(place, config)) return path;
  if (!isNamed && !hasConfiguredMetadata(place, config))
    throw storeError('METADATA_ELSEWHERE', 'the metadata of this store is in PostgreSQL: say in which database');
  const message = isNamed
    ? 'the metadata of this store lies with it, or with who made it, and not in the database that was named'
    : 'the metadata of this store is a file of the machine that made it: a store in a bucket needs a database to be shared';
  throw storeError('METADATA_ELSEWHERE', message);
}

function pathOf(place: Place): string {
  if (place.kind === 'folder') return place.folder;
  if (place.kind === 'file') return place.file;
  if (place.kind === 'memory') return 'memory:';
  if (place.kind === 'bucket') return place.url;
  // The URL of a database may hold a password.
  return isPostgresUrl(place.metadataPath) ? 'PostgreSQL' : place.metadataPath;
}

/**
 * Does what opens, makes or rebuilds a store: that touches files beside those of a backend, whose errors have no codes
 * of ours.
 * @throws what work throws; an error of the system as the one of a store that it is (`unavailable/BACKEND_IO`,
 *   `exhausted/DISK_FULL`, `denied/PERMISSION_DENIED`)
 */
export async function withCodes<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fsError(error, { action: 'open', root: pathOf(place) });
  }
}

async function namesIn(folder: string, fileSystem: FileSystem): Promise<readonly string[] | 'absent' | 'no folder'> {
  try {
    return (await fileSystem.readdir(folder)).map((item) => item.name);
  } catch (error) {
    const system = systemCode(error);
    if (system === 'ENOENT') return 'absent';
    if (system === 'ENOTDIR') return 'no folder';
    if (system !== 'EACCES' && system !== 'EPERM') throw fsError(error, { action: 'open', root: folder });
    throw storeError('PERMISSION_DENIED', `${folder} may not be read by this user`, {
      details: { path: folder, system },
      cause: error,
    });
  }
}

/**
 * A new store needs a place of its own.
 * @throws `conflict/STORE_EXISTS`, `invalid/LOCATION_INVALID` for a file or a folder that holds something else, and for a
 *   bucket without a database
 */
export async function checkNewPlace(place: Place): Promise<void> {
  if (place.kind === 'file') return await checkNewFilePlace(place);
  checkMetadataNamed(place);
  if (place.kind !== 'folder') return;
  const names = await namesIn(place.folder, surroundingsOf(place).fileSystem);
  const details = { path: place.folder };
  if (names === 'no folder')
    throw storeError('LOCATION_INVALID', `${place.folder} is a file, not a folder`, { details });
  if (names === 'absent') return;
  if (names.includes(STORE_CONFIG_KEY))
    throw storeError('STORE_EXISTS', `there is a store in ${place.folder} already`, { details });
  if (names.some((name) => !OWN_NAMES.has(name))) {
    throw storeError('LOCATION_INVALID', `${place.folder} holds other files; a store needs a folder of its own`, {
      details,
    });
  }
}

/**
 * Looks before anything is written: a folder that is no store stays untouched.
 * @throws `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE`
 */
export async function checkExistingPlace(place: Place): Promise<void> {
  if (place.kind === 'memory')
    throw storeError('STORE_NOT_FOUND', 'a store in memory ends with its handle; create one');
  if (place.kind === 'file') return await checkExistingFilePlace(place);
  if (place.kind !== 'folder') return;
  const names = await namesIn(place.folder, surroundingsOf(place).fileSystem);
  const details = { path: place.folder };
  if (names === 'absent') throw storeError('STORE_NOT_FOUND', `there is no store at ${place.folder}`, { details });
  if (names === 'no folder') throw storeError('NOT_A_STORE', `${place.folder} is a file, not a store`, { details });
  if (names.includes(MOVED_KEY) && !names.includes(STORE_CONFIG_KEY))
    throw storeError('NOT_A_STORE', `the store that was in ${place.folder} has moved: ${MOVED_KEY} says where to`, {
      details,
    });
  if (!names.includes(STORE_CONFIG_KEY))
    throw storeError('NOT_A_STORE', `${place.folder} is a folder but not a store: it has no ${STORE_CONFIG_KEY}`, {
      details,
    });
}

/**
 * A store is opened for writing only where its folder may be written: otherwise SQLite, or the first put, would fail in
 * words of its own.
 * @throws `denied/READ_ONLY` on a read-only medium, `denied/PERMISSION_DENIED`
 */
export async function checkWritablePlace(place: Place): Promise<void> {
  if (place.kind === 'file') return await checkWritableFilePlace(place);
  if (place.kind !== 'folder') return;
  const path = place.folder;
  try {
    await surroundingsOf(place).fileSystem.checkWritable(path);
  } catch (cause) {
    const system = systemCode(cause);
    const options = { details: { path, ...(system && { system }) }, cause };
    if (system === 'EROFS') throw storeError('READ_ONLY', `${path} lies on a medium that cannot be written`, options);
    if (system !== 'EACCES' && system !== 'EPERM') throw fsError(cause, { action: 'open', root: path });
    throw storeError('PERMISSION_DENIED', `${path} may not be written by this user`, options);
  }
}

/** The backend of a place, and what it keeps of its space. The caller closes it. */
export async function openPlace(
  place: Place,
  options: OpenOptions & Pick<CreateOptions, 'capacityBytes' | 'blockBytes'> & { readonly create: boolean },
): Promise<{ readonly backend: Backend; readonly space: Space }> {
  if (place.kind === 'file') return await openFilePlace(place, options);
  refuseFileOptions(options);
  const { quotaBytes, freeBytesMin, reserveBytes, readOnly = false, create } = options;
  const { fileSystem, clock, random, backendModules: modules } = surroundingsOf(place);
  if (place.kind === 'bucket') {
    const backend = await openBackendUrl(place.url, { readOnly, create, fileSystem, modules });
    return { backend, space: await spaceOf(backend) };
  }
  if (place.kind !== 'folder') {
    const backend =
      place.kind === 'memory' ? new MemoryBackend({ ...(quotaBytes !== undefined && { quotaBytes }) }) : place.backend;
    return { backend: readOnly ? readOnlyBackend(backend) : backend, space: await spaceOf(backend) };
  }
  const backend = await openFsBackend(place.folder, {
    ...{ create, readOnly, fileSystem, clock, random },
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(freeBytesMin !== undefined && { freeBytesMin }),
    ...(reserveBytes !== undefined && { reserveBytes }),
  });
  return { backend, space: await spaceOf(backend) };
}

async function spaceOf(backend: Backend): Promise<Space> {
  const bounded = backend instanceof FsBackend || backend instanceof MemoryBackend;
  return {
    reserve: await reserveOf(backend),
    checkRoom: bounded ? (bytes) => backend.checkRoom(bytes) : undefined,
  };
}

/**
 * A reserve that was never set aside, on a disk too small for it, is none: nothing is refused for its sake. It becomes
 * one as soon as a put has set it aside in passing.
 */
async function reserveOf(backend: Backend): Promise<Reserve | undefined> {
  if (!(backend instanceof FsBackend)) return undefined;
  const isHeld = async (): Promise<boolean> => {
    const { wantedBytes, heldBytes } = await backend.reserveState();
    return heldBytes >= wantedBytes;
  };
  if ((await backend.reserveState()).wantedBytes === 0) return undefined;
  let wasHeld = await isHeld();
  return {
    release: () => backend.releaseReserve(),
    restore: async () => {
      if (wasHeld) return await backend.restoreReserve();
      wasHeld = await isHeld();
      return true;
    },
  };
}

/**
 * Reads the config of a store.
 * @throws `not-found/STORE_NOT_FOUND`, `corrupt/CONFIG_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`,
 *   `unsupported/SETTING_UNSUPPORTED`
 */
export async function readConfig(
  backend: Backend,
  options: { readonly readOnly: boolean; readonly signal?: AbortSignal | undefined },
): Promise<StoreConfig> {
  const bytes = await backend.get(STORE_CONFIG_KEY, options.signal && { signal: options.signal });
  if (bytes === undefined)
    throw storeError('STORE_NOT_FOUND', `the backend has no ${STORE_CONFIG_KEY}: it holds no store`);
  const config = decodeStoreConfig(bytes);
  const unknown = unknownReadOnlyFeatures(config);
  if (unknown.length > 0 && !options.readOnly) {
    throw storeError('FORMAT_UNSUPPORTED', `the store uses ${unknown.join(', ')}: this version can open it read-only`);
  }
  return config;
}

/** The id of a store as bytes. */
export function storeIdOf(config: StoreConfig): Uint8Array {
  const storeId = fromHex(config.storeId);
  invariant(storeId, 'a decoded config has an id in hex');
  return storeId;
}
