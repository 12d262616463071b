import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fsError } from '../backend/fs-error.ts';
import { makeFolder } from '../backend/open-fs-backend.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  FILE_BLOCK_BYTES,
  FILE_BLOCK_BYTES_MAX,
  FILE_BLOCK_BYTES_MIN,
  FILE_CAPACITY_BYTES_MIN,
  METADATA_BUSY_TIMEOUT_MS,
  RESERVE_BYTES,
} from '../limits.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import type { FileSettings } from './file-tables.ts';
import { type FileThread, openFileThread } from './file-thread.ts';
import type { OpenFileOptions } from './open-database.ts';
import { SingleFileBackend } from './single-file-backend.ts';

/** What a single file is made with, and keeps. */
export interface NewFileOptions {
  /** Most bytes of the file, its log aside, from 4 MiB. Default: it grows. */
  readonly capacityBytes?: number;
  /** Bytes of one row of a blob, 8 KiB to 128 MiB; whole pages of it are used. Default 256 KiB. */
  readonly blockBytes?: number;
}

/** How to open a file as a backend. */
export interface SingleFileOptions extends NewFileOptions {
  /** Makes the file, and the folders above it, when it is absent or empty; ignored when read-only. Default true. */
  readonly create?: boolean;
  /** Writes nothing whatever. Default false. */
  readonly readOnly?: boolean;
  /** Most bytes of all blobs together; more is `exhausted/QUOTA_EXCEEDED`. Default: no bound. */
  readonly quotaBytes?: number;
  /** Bytes that ordinary puts leave free on the disk, else `exhausted/FREE_SPACE_LOW`. Default 0: no bound. */
  readonly freeBytesMin?: number;
  /**
   * Bytes kept for deletes: of the capacity, at most an eighth of it, or, when the file grows, of the disk. 0 for none.
   * Default 16 MiB.
   */
  readonly reserveBytes?: number;
  /**
   * Opens the file for this backend alone, also one that was set aside by a rebuild, which it is not afterwards; else
   * `conflict/STORE_IN_USE`. Default false.
   */
  readonly alone?: boolean;
}

/** @throws TypeError and RangeError */
export function checkNewFile({ capacityBytes, blockBytes }: NewFileOptions): FileSettings {
  const blockBounds = { min: FILE_BLOCK_BYTES_MIN, max: FILE_BLOCK_BYTES_MAX };
  return {
    blockBytes: checkInteger('blockBytes', blockBytes ?? FILE_BLOCK_BYTES, blockBounds),
    capacityBytes:
      capacityBytes === undefined ? 0 : checkInteger('capacityBytes', capacityBytes, { min: FILE_CAPACITY_BYTES_MIN }),
  };
}

/**
 * Opens a file as a backend, in a thread of its own.
 * @param file path, taken as it is when this is called
 * @throws `not-found/STORE_NOT_FOUND` when the file is absent and must not be made, `invalid/NOT_A_STORE` for a file of
 *   something else, `unsupported/FORMAT_UNSUPPORTED`, `corrupt/METADATA_CORRUPT`, `unavailable/METADATA_BUSY`,
 *   `unavailable/BACKEND_IO`, `denied/PERMISSION_DENIED`; TypeError and RangeError for options
 */
export async function openSingleFile(file: string, options: SingleFileOptions = {}): Promise<SingleFileBackend> {
  if (typeof file !== 'string' || file === '') throw argumentTypeError('file', 'a path', file);
  const { create = true, readOnly = false, alone = false, quotaBytes } = options;
  const settings = checkNewFile(options);
  if (quotaBytes !== undefined) checkInteger('quotaBytes', quotaBytes, { min: 0 });
  const freeBytesMin = checkInteger('freeBytesMin', options.freeBytesMin ?? 0, { min: 0 });
  const reserveBytes = checkInteger('reserveBytes', options.reserveBytes ?? RESERVE_BYTES, { min: 0 });
  const path = resolve(file);
  const makes = create && !readOnly;
  if (makes) await prepareFolder(path);
  const thread = await openThread(path, { readOnly, alone, create: makes ? settings : undefined });
  // SQLite flushes the folder when it makes a journal in it, and the file itself is older than its first journal.
  if (makes) await nodeFileSystem.syncDirectory(dirname(path));
  return new SingleFileBackend({ thread, path, readOnly, quotaBytes, freeBytesMin, reserveBytes });
}

/** @throws `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO` */
async function prepareFolder(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await makeFolder(nodeFileSystem, folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fsError(error, { action: 'open', root: folder });
  }
}

async function openThread(
  path: string,
  how: Pick<OpenFileOptions, 'readOnly' | 'alone' | 'create'>,
): Promise<FileThread> {
  try {
    return await openFileThread({ path, ...how, busyTimeoutMs: how.alone ? 0 : METADATA_BUSY_TIMEOUT_MS });
  } catch (cause) {
    if (!how.alone || !isStoreError(cause, 'METADATA_BUSY')) throw cause;
    throw storeError('STORE_IN_USE', 'another process has the store open', { cause, details: { path } });
  }
}
