/** A store in one file, as a place: what is looked at before it is made or opened, and how. */
import { statSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { STORE_CONFIG_KEY } from '../format/index.ts';
import { METADATA_BUSY_TIMEOUT_MS } from '../limits.ts';
import type { Metadata } from '../metadata/contract.ts';
import { systemCode } from '../runtime/file-system.ts';
import { isForeign, openSingleFile, SingleFileBackend, sniffFile } from '../single-file/index.ts';
import type { Reserve, Space } from './committer.ts';
import type { CreateOptions, OpenOptions } from './types.ts';

/** How the name of a file ends that a new store is made in. */
export const FILE_ENDING = '.hold';

/** A store in one file. */
export interface FilePlace {
  readonly kind: 'file';
  readonly file: string;
}

/** Whether a path means a file: because there is one, or because it is named like one and no folder stands there. */
export function isFilePath(path: string): boolean {
  let found: ReturnType<typeof statSync> | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // What may not be looked at is told when it is opened.
    if (systemCode(error) === undefined) throw error;
  }
  return found ? found.isFile() : path.endsWith(FILE_ENDING);
}

/** @throws `conflict/STORE_EXISTS`, `invalid/LOCATION_INVALID` for a file that holds something else */
export async function checkNewFilePlace({ file }: FilePlace): Promise<void> {
  const found = await sniffFile(file);
  const details = { path: file };
  if (isForeign(found) || (found === 'empty' && !file.endsWith(FILE_ENDING))) {
    const message = `${file} is a file, not a folder; a store in one file has a name that ends in ${FILE_ENDING}`;
    throw storeError('LOCATION_INVALID', message, { details });
  }
  if (found !== 'single file') return;
  const backend = await openSingleFile(file, { readOnly: true });
  try {
    // Without a config it is what an interrupted creation left.
    if ((await backend.head(STORE_CONFIG_KEY)) === undefined) return;
    throw storeError('STORE_EXISTS', `there is a store in ${file} already`, { details });
  } finally {
    await backend.close();
  }
}

/** @throws `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE` */
export async function checkExistingFilePlace({ file }: FilePlace): Promise<void> {
  const found = await sniffFile(file);
  const details = { path: file };
  if (found === 'absent') throw storeError('STORE_NOT_FOUND', `there is no store at ${file}`, { details });
  if (found !== 'single file') throw storeError('NOT_A_STORE', `${file} is a file, not a store`, { details });
}

/** The log lies beside the file, so both must be writable. @throws `denied/READ_ONLY`, `denied/PERMISSION_DENIED` */
export async function checkWritableFilePlace({ file }: FilePlace): Promise<void> {
  for (const [path, mode] of [
    [dirname(file), constants.W_OK | constants.X_OK],
    [file, constants.W_OK],
  ] as const) {
    try {
      await access(path, mode);
    } catch (cause) {
      const system = systemCode(cause);
      const options = { details: { path, ...(system && { system }) }, cause };
      if (system === 'EROFS') throw storeError('READ_ONLY', `${path} lies on a medium that cannot be written`, options);
      if (system !== 'EACCES' && system !== 'EPERM') throw cause;
      throw storeError('PERMISSION_DENIED', `${path} may not be written by this user`, options);
    }
  }
}

/** Refuses what only a file can be made with. @throws `invalid/LOCATION_INVALID` */
export function refuseFileOptions(options: Pick<CreateOptions, 'capacityBytes' | 'blockBytes'>): void {
  const given = (['capacityBytes', 'blockBytes'] as const).find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const message = `${given} is for a store in one file: give a location that ends in ${FILE_ENDING}`;
  throw storeError('LOCATION_INVALID', message);
}

/** The blobs of the file. The caller closes them. */
export async function openFilePlace(
  { file }: FilePlace,
  options: OpenOptions & Pick<CreateOptions, 'capacityBytes' | 'blockBytes'> & { readonly create: boolean },
): Promise<{ readonly backend: SingleFileBackend; readonly space: Space }> {
  const { capacityBytes, blockBytes, quotaBytes, freeBytesMin, reserveBytes, readOnly = false, create } = options;
  const backend = await openSingleFile(file, {
    create,
    readOnly,
    ...(capacityBytes !== undefined && { capacityBytes }),
    ...(blockBytes !== undefined && { blockBytes }),
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(freeBytesMin !== undefined && { freeBytesMin }),
    ...(reserveBytes !== undefined && { reserveBytes }),
  });
  return { backend, space: { reserve: logReserve(backend), checkRoom: (bytes) => backend.checkRoom(bytes) } };
}

/**
 * What there is to be had when the disk under a file is full: its log, which is written back and cut off. Once, until
 * something has been put again.
 */
function logReserve(backend: SingleFileBackend): Reserve {
  let isSpent = false;
  return {
    release: async () => {
      if (isSpent) return false;
      isSpent = true;
      return await backend.truncateLog();
    },
    restore: async () => {
      isSpent = false;
      return true;
    },
  };
}

/** The metadata in the file that holds the blobs. */
export async function openFileMetadata(
  backend: Backend,
  options: {
    readonly storeId: Uint8Array;
    readonly sealed: boolean;
    readonly create: boolean;
    readonly readOnly: boolean;
  },
): Promise<Metadata> {
  invariant(backend instanceof SingleFileBackend, 'the metadata of a file is opened through its blobs');
  return await backend.openMetadata({ ...options, busyTimeoutMs: METADATA_BUSY_TIMEOUT_MS });
}
