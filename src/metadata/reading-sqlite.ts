/**
 * SQLite for somebody who only reads. In write-ahead mode every reader needs the log and the index over it, makes them
 * when they are absent, and may not remove them (https://sqlite.org/wal.html section 5). So they are removed for it, by
 * the one way that is safe beside other processes; and where nothing can be made, the file is read without them.
 */
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { exists, systemCode } from '../runtime/file-system.ts';
import { fileUrlOf } from '../runtime/file-url.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { fromSqliteError } from './sqlite-errors.ts';
import { LOG_INDEX_SUFFIX, LOG_SUFFIX } from './sqlite-file.ts';

/** Leaves no file behind that was not there before. */
class TidyReader extends SqliteDatabase {
  readonly #file: string;

  constructor(file: string, busyTimeoutMs: number) {
    super({ path: file, readOnly: true, busyTimeoutMs });
    this.#file = file;
  }

  override async close(): Promise<void> {
    await super.close();
    removeLog(this.#file);
  }
}

/** The last connection that may write removes an empty log as it closes; with others open it does nothing. */
function removeLog(file: string): void {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    connection.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
  } catch (cause) {
    // A log that has to stay is empty and harms nobody; what is wrong with the file was told to who read it.
    if (!isStoreError(fromSqliteError(cause))) throw cause;
  } finally {
    connection?.close();
  }
}

/**
 * Whether the folder of a file lies on a medium that nobody can write to.
 * @throws `denied/PERMISSION_DENIED` when others can write to it and this user cannot: what they would write cannot be
 *   noticed without a log
 */
async function isOnReadOnlyMedium(file: string): Promise<boolean> {
  const folder = path.dirname(file);
  try {
    await access(folder, constants.W_OK);
    return false;
  } catch (cause) {
    const system = systemCode(cause);
    if (system === undefined) throw cause;
    if (system !== 'EACCES' && system !== 'EPERM') return system === 'EROFS';
    throw storeError('PERMISSION_DENIED', `reading the metadata in ${folder} needs the permission to write there`, {
      details: { path: folder, system },
      cause,
    });
  }
}

/** Opens a file that is there for reading. */
export async function openForReading(file: string, busyTimeoutMs: number): Promise<SqliteDatabase> {
  const logged = (await exists(file + LOG_SUFFIX)) || (await exists(file + LOG_INDEX_SUFFIX));
  if (logged) return new SqliteDatabase({ path: file, readOnly: true, busyTimeoutMs });
  if (!(await isOnReadOnlyMedium(file))) return new TidyReader(file, busyTimeoutMs);
  const url = fileUrlOf(file);
  // Without locks, log and index: https://sqlite.org/uri.html section 3.3. Here no one can change the file.
  url.searchParams.set('immutable', '1');
  return new SqliteDatabase({ path: url.href, readOnly: true, busyTimeoutMs });
}
