import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { METADATA_BUSY_TIMEOUT_MS } from '../limits.ts';
import { takeThread } from '../runtime/warm-threads.ts';
import type { WorkerClient } from '../runtime/worker-rpc.ts';
import type { Metadata } from './contract.ts';
import type { OpenSqliteOptions } from './open-sqlite.ts';
import { SQLITE_THREAD } from './sqlite-thread.ts';
import { ThreadedMetadata } from './threaded-metadata.ts';

export interface SqliteMetadataOptions {
  /**
   * A file, or `:memory:` for one that is gone when closed. Beside the file lie its log (`-wal`) and its index
   * (`-shm`).
   */
  readonly path: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** Makes the metadata when the file is missing or empty; what is there is opened as it is. */
  readonly create: boolean;
  /** Default false. */
  readonly readOnly?: boolean;
  /** Whether the store is sealed: then it is opened locked, see `Metadata.unlock`. Default false. */
  readonly sealed?: boolean;
  /** How long a call waits for another process, milliseconds. Default `METADATA_BUSY_TIMEOUT_MS`. */
  readonly busyTimeoutMs?: number;
}

const STORE_ID_BYTES = 16;
const BUSY_TIMEOUT_MS_MAX = 3_600_000;

function startThread(): WorkerClient {
  return takeThread(SQLITE_THREAD);
}

function checkPath(parameter: string, value: unknown): string {
  if (typeof value !== 'string') throw argumentTypeError(parameter, 'a string', value);
  if (value === '' || value.includes('\0')) throw argumentRangeError(parameter, 'a path', value);
  return value;
}

function checkOptions(options: SqliteMetadataOptions): OpenSqliteOptions {
  const { storeId, create, readOnly = false, sealed = false, busyTimeoutMs = METADATA_BUSY_TIMEOUT_MS } = options;
  const path = checkPath('path', options.path);
  if (!(storeId instanceof Uint8Array)) throw argumentTypeError('storeId', 'a Uint8Array', storeId);
  if (storeId.length !== STORE_ID_BYTES) {
    throw argumentRangeError('storeId', `${STORE_ID_BYTES} bytes`, storeId.length);
  }
  checkInteger('busyTimeoutMs', busyTimeoutMs, { min: 0, max: BUSY_TIMEOUT_MS_MAX });
  return { path, storeId, create, readOnly, busyTimeoutMs, sealed };
}

/**
 * Opens the metadata in a SQLite file, in a thread of its own. Several processes may have it open; an idle one does not
 * keep its process alive. Close it when done.
 * @throws `corrupt/METADATA_MISSING` when there is none and `create` is false; `corrupt/METADATA_CORRUPT` when the file
 *   is damaged, no database, of another store or not sealed as asked; `unsupported/FORMAT_UNSUPPORTED` when a newer
 *   release wrote it; `unavailable/METADATA_BUSY`; `unavailable/BACKEND_IO` when the file cannot be opened;
 *   `denied/READ_ONLY` when it is empty and to be read only. One of an older version is brought to the present one,
 *   unless it is only read
 */
export async function openSqliteMetadata(options: SqliteMetadataOptions): Promise<Metadata> {
  const checked = checkOptions(options);
  const thread = startThread();
  try {
    await thread.call('open', [checked]);
    return new ThreadedMetadata(thread);
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

/**
 * Moves the metadata out of the way of a rebuild: writes its log back, marks it so that no process takes it for the
 * store's metadata any more, and renames it. A file that is no database or too damaged is renamed as it is, with its
 * log; a missing one is fine.
 * @param to a name in the same folder that is free
 * @throws `conflict/STORE_IN_USE` when any process has it open, this one included; `conflict/PRECONDITION_FAILED` when
 *   `to` is taken. Nothing has changed then
 */
export async function setAsideSqliteMetadata(path: string, to: string): Promise<void> {
  await callOnce('setAside', [checkPath('path', path), checkPath('to', to)]);
}

/**
 * Tells whether metadata could be set aside now, before long work that will end with it. A missing file is fine, and so
 * is one that is no database.
 * @throws `conflict/STORE_IN_USE` when any process has it open, this one included
 */
export async function checkSqliteUnused(path: string): Promise<void> {
  await callOnce('checkUnused', [checkPath('path', path)]);
}

/** A thread for one call. */
async function callOnce(method: string, args: readonly unknown[]): Promise<void> {
  const thread = startThread();
  try {
    await thread.call(method, args);
  } finally {
    await thread.terminate();
  }
}
