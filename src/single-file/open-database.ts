import { stat } from 'node:fs/promises';
import { storeError } from '../errors/store-error.ts';
import { openForReading } from '../metadata/reading-sqlite.ts';
import { SqliteDatabase } from '../metadata/sqlite-database.ts';
import { SINGLE_FILE_APPLICATION_IDS } from '../metadata/sqlite-file.ts';
import { systemCode } from '../runtime/file-system.ts';
import { BlobTable } from './blob-table.ts';
import {
  createTables,
  FILE_SET_ASIDE_VERSION,
  FILE_VERSION,
  type FileSettings,
  type FileState,
  loadState,
  setVersion,
} from './file-tables.ts';

/** How the database of a single file is opened. */
export interface OpenFileOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
  /** Makes the file when it is absent or empty; one that is there keeps what it was made with. */
  readonly create?: FileSettings | undefined;
  /** Opens it for this connection alone, and also when it was set aside, which it is not afterwards. Default false. */
  readonly alone?: boolean | undefined;
}

/** An open file. */
export interface OpenedFile {
  readonly database: SqliteDatabase;
  readonly blobs: BlobTable;
  readonly state: FileState;
}

const MARKS: ReadonlySet<number> = new Set(Object.values(SINGLE_FILE_APPLICATION_IDS));

/** Whether a mark in the header of a SQLite file is that of a single-file store. */
export function isFileMark(applicationId: number): boolean {
  return MARKS.has(applicationId);
}

function notAFile(path: string): Error {
  return storeError('NOT_A_STORE', `${path} is a file, but not a store`, { details: { path } });
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws `unsupported/FORMAT_UNSUPPORTED`, `unavailable/METADATA_BUSY`, `invalid/NOT_A_STORE` */
async function checkFile(database: SqliteDatabase, { path, alone = false }: OpenFileOptions): Promise<FileState> {
  if (!isFileMark(database.pragma('application_id'))) throw notAFile(path);
  const state = await database.read(loadState);
  if (state.version === FILE_VERSION) return state;
  if (state.version === FILE_SET_ASIDE_VERSION) {
    if (alone) return await setVersion(database, FILE_VERSION);
    const message = `${path} is being replaced by a rebuild; if that was interrupted, run it again`;
    throw storeError('METADATA_BUSY', message, { details: { path } });
  }
  const message = `the file has version ${state.version}, this release knows ${FILE_VERSION}`;
  const details = { path, expected: FILE_VERSION, actual: state.version };
  throw storeError('FORMAT_UNSUPPORTED', message, { details });
}

async function openConnection(options: OpenFileOptions): Promise<SqliteDatabase> {
  const { path, readOnly, busyTimeoutMs } = options;
  return readOnly ? await openForReading(path, busyTimeoutMs) : new SqliteDatabase({ path, readOnly, busyTimeoutMs });
}

/**
 * Opens the database of a single file in the calling thread, which blocks while SQLite works.
 * @throws `not-found/STORE_NOT_FOUND` when there is no file and none is to be made, `invalid/NOT_A_STORE`,
 *   `unsupported/FORMAT_UNSUPPORTED`, `unavailable/METADATA_BUSY`, `corrupt/METADATA_CORRUPT`
 */
export async function openFileDatabase(options: OpenFileOptions): Promise<OpenedFile> {
  const { path, readOnly, create } = options;
  const before = await inodeOf(path);
  if (before === undefined && create === undefined) {
    throw storeError('STORE_NOT_FOUND', `there is no store at ${path}`, { details: { path } });
  }
  const database = await openConnection(options);
  try {
    // Taken by the first look at the file: https://sqlite.org/pragma.html#pragma_locking_mode
    if (options.alone) database.execute('PRAGMA locking_mode = EXCLUSIVE', 'BEGIN IMMEDIATE', 'COMMIT');
    if (create && database.empty) createTables(database, create);
    const state = await checkFile(database, options);
    if (!readOnly) database.execute('PRAGMA journal_mode = WAL');
    // A rebuild put another file here while this one waited for its lock. From now on none can: it needs the file alone.
    if (before !== undefined && before !== (await inodeOf(path))) {
      throw storeError('METADATA_BUSY', `${path} was replaced by a rebuild: open it again`, { details: { path } });
    }
    const pageBytes = database.pragma('page_size');
    const rowPages = Math.max(1, Math.floor(state.blockBytes / pageBytes));
    if (!readOnly && state.capacityBytes > 0) {
      database.execute(`PRAGMA max_page_count = ${Math.floor(state.capacityBytes / pageBytes)}`);
    }
    return { database, state, blobs: new BlobTable(database, { pageBytes, rowPages }) };
  } catch (error) {
    await database.close();
    throw error;
  }
}
