/**
 * The tables of a single file's blobs, beside those of the metadata in the same database. Page size and the ability to
 * give pages back (`auto_vacuum`) are fixed before the first table, and so for ever.
 */
import { storeError } from '../errors/store-error.ts';
import type { Database, Reader, Transaction } from '../metadata/database.ts';
import type { SqliteDatabase } from '../metadata/sqlite-database.ts';
import { SINGLE_FILE_APPLICATION_IDS } from '../metadata/sqlite-file.ts';

/** Version of these tables and of the rows in them. The metadata has a version of its own. */
export const FILE_VERSION = 1;
/** Version of a file that a rebuild has replaced: nobody may use it any more. */
export const FILE_SET_ASIDE_VERSION = 0;

/**
 * Measured (docs/decisions/0018): larger pages write a pack faster, smaller ones a small commit, and reading is the same.
 */
export const PAGE_BYTES = 8192;

/** What a file is made with. */
export interface FileSettings {
  /** Bytes of one row in the file; whole pages of it are used. */
  readonly blockBytes: number;
  /** Most bytes of the file; 0 for one that grows. */
  readonly capacityBytes: number;
}

/** What a file says of itself: what it was made with, and what is counted with every change. */
export interface FileState extends FileSettings {
  readonly version: number;
  readonly nextNumber: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

const COLUMNS = 'version, block_bytes, capacity_bytes, next_number, blobs, blob_bytes';

const TABLES = [
  `CREATE TABLE file_state (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, block_bytes INTEGER NOT NULL,
    capacity_bytes INTEGER NOT NULL, next_number INTEGER NOT NULL, blobs INTEGER NOT NULL, blob_bytes INTEGER NOT NULL
  )`,
  'CREATE TABLE file_blobs (key TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID',
  // The one column must be the last: see `row-shape.ts`.
  'CREATE TABLE file_rows (id INTEGER PRIMARY KEY, data BLOB NOT NULL)',
];

/**
 * Makes the tables in an empty database. All of it happens before write-ahead mode, so that the mark of the file stands in
 * its first page whatever becomes of a log; and in one transaction, so that there is nothing or everything.
 */
export function createTables(database: SqliteDatabase, settings: FileSettings): void {
  const { blockBytes, capacityBytes } = settings;
  database.execute(`PRAGMA page_size = ${PAGE_BYTES}`, 'PRAGMA auto_vacuum = INCREMENTAL');
  database.execute('BEGIN EXCLUSIVE');
  try {
    // Another process may have made them since this one looked.
    if (database.empty) {
      database.execute(
        ...TABLES,
        `INSERT INTO file_state (id, ${COLUMNS}) VALUES (1, ${FILE_VERSION}, ${blockBytes}, ${capacityBytes}, 1, 0, 0)`,
        `PRAGMA application_id = ${SINGLE_FILE_APPLICATION_IDS.none}`,
      );
    }
    database.execute('COMMIT');
  } catch (error) {
    database.execute('ROLLBACK');
    throw error;
  }
}

/** @throws `corrupt/METADATA_CORRUPT` when the row is gone */
export async function loadState(reader: Reader): Promise<FileState> {
  const [row] = await reader.all(`SELECT ${COLUMNS} FROM file_state`, []);
  if (row === undefined)
    throw storeError('METADATA_CORRUPT', 'the file does not say what it is: its settings are gone');
  return {
    version: Number(row.version),
    blockBytes: Number(row.block_bytes),
    capacityBytes: Number(row.capacity_bytes),
    nextNumber: Number(row.next_number),
    blobs: Number(row.blobs),
    blobBytes: Number(row.blob_bytes),
  };
}

export async function countChange(
  transaction: Transaction,
  change: { readonly blobs: number; readonly bytes: number; readonly numbers: number },
): Promise<void> {
  const { blobs, bytes, numbers } = change;
  await transaction.run(
    'UPDATE file_state SET next_number = next_number + ?, blobs = blobs + ?, blob_bytes = blob_bytes + ?',
    [[numbers, blobs, bytes]],
  );
}

export async function setVersion(database: Database, version: number): Promise<FileState> {
  return await database.write(async (transaction) => {
    await transaction.run('UPDATE file_state SET version = ?', [[version]]);
    return await loadState(transaction);
  });
}

/** How the pages of the file are used, in the state that the reader sees. */
export interface PageUse {
  readonly pages: number;
  readonly freePages: number;
}

export async function loadPageUse(reader: Reader): Promise<PageUse> {
  const [[pages], [free]] = [await reader.all('PRAGMA page_count', []), await reader.all('PRAGMA freelist_count', [])];
  return { pages: Number(pages?.page_count), freePages: Number(free?.freelist_count) };
}
