import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { exists, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { fromSqliteError } from './sqlite-errors.ts';
import { LOG_INDEX_SUFFIX, LOG_SUFFIX, SET_ASIDE_VERSION } from './sqlite-file.ts';

/**
 * Takes the file for itself, marks it and writes the log back. Every connection in write-ahead mode holds a shared lock
 * for as long as it is open, so the exclusive one that this mode of locking starts with tells whether there are others;
 * see https://sqlite.org/wal.html section 6.
 */
function markSetAside(connection: DatabaseSync): void {
  connection.exec('PRAGMA locking_mode = EXCLUSIVE');
  connection.exec('BEGIN IMMEDIATE');
  connection.exec(`PRAGMA user_version = ${SET_ASIDE_VERSION}`);
  connection.exec('COMMIT');
  connection.exec('PRAGMA journal_mode = DELETE');
}

/** @returns false when the file is no database or too damaged to be marked */
function closeForOthers(file: string): boolean {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    markSetAside(connection);
    return true;
  } catch (cause) {
    const error = fromSqliteError(cause);
    if (isStoreError(error, 'METADATA_CORRUPT')) return false;
    if (!isStoreError(error, 'METADATA_BUSY')) throw error;
    throw inUse(file, cause);
  } finally {
    connection?.close();
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await nodeFileSystem.rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Takes the file for itself and lets it go again; see `checkSqliteUnused`. */
export async function checkUnused(file: string): Promise<void> {
  if (!(await exists(file))) return;
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    connection.exec('BEGIN IMMEDIATE');
    connection.exec('ROLLBACK');
  } catch (cause) {
    const error = fromSqliteError(cause);
    if (isStoreError(error, 'METADATA_BUSY')) throw inUse(file, cause);
    if (!isStoreError(error, 'METADATA_CORRUPT')) throw error;
  } finally {
    connection?.close();
  }
}

function inUse(file: string, cause: unknown): Error {
  return storeError('STORE_IN_USE', 'another process has the metadata open', { cause, details: { path: file } });
}

/** Blocks the calling thread while SQLite works; see `setAsideSqliteMetadata`. */
export async function setAside(file: string, to: string): Promise<void> {
  if (await exists(to)) {
    throw storeError('PRECONDITION_FAILED', `there is a file at ${to} already`, { details: { path: to } });
  }
  if (!(await exists(file))) return;
  closeForOthers(file);
  // Of a sound database both are gone by now. A log must not stay, or it would be taken for the next database's.
  await renameIfThere(file + LOG_SUFFIX, to + LOG_SUFFIX);
  await renameIfThere(file + LOG_INDEX_SUFFIX, to + LOG_INDEX_SUFFIX);
  await renameIfThere(file, to);
  await nodeFileSystem.syncDirectory(path.dirname(file));
}
