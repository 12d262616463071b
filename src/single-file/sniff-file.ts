import { access, constants, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { fromSqliteError } from '../metadata/sqlite-errors.ts';
import { LOG_SUFFIX } from '../metadata/sqlite-file.ts';
import { exists, systemCode } from '../runtime/file-system.ts';
import { fileUrlOf } from '../runtime/file-url.ts';
import { isFileMark } from './open-database.ts';

/** What there is at a path, as far as its first page tells. */
export type FoundFile = 'absent' | 'empty' | 'single file' | 'other database' | 'something else';

/** Whether a file holds something that no store in one file has made. */
export function isForeign(found: FoundFile): boolean {
  return found === 'something else' || found === 'other database';
}

/**
 * Looks at the mark of a file, and at nothing else of it. SQLite reads it, and not this process by itself: closing a
 * file gives up all locks that a process has on it (https://sqlite.org/howtocorrupt.html section 2.2), those of a store
 * that is open included, and SQLite alone knows when to wait with that. `immutable` reads without lock or log; the mark
 * stands in the first page before there is a log, so that one is asked only where the file alone gives no answer.
 * @throws `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO`
 */
export async function sniffFile(path: string): Promise<FoundFile> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'something else';
    if (found.size === 0) return 'empty';
    await access(path, constants.R_OK);
  } catch (cause) {
    const system = systemCode(cause);
    if (system === 'ENOENT') return 'absent';
    if (system === 'ENOTDIR') return 'something else';
    if (system !== 'EACCES' && system !== 'EPERM') throw cause;
    const details = { path, system };
    throw storeError('PERMISSION_DENIED', `${path} may not be read by this user`, { details, cause });
  }
  // In the middle of writing a log back the file alone says that it has more pages than there are.
  const found = markOf(immutable(path));
  if (found === 'single file' || !(await exists(path + LOG_SUFFIX))) return found;
  const logged = markOf(path);
  return logged === 'something else' ? found : logged;
}

function immutable(path: string): string {
  const url = fileUrlOf(path);
  url.searchParams.set('immutable', '1');
  return url.href;
}

function markOf(path: string): 'single file' | 'other database' | 'something else' {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { readOnly: true });
    const isOurs = isFileMark(Number(connection.prepare('PRAGMA application_id').get()?.application_id));
    return isOurs ? 'single file' : 'other database';
  } catch (cause) {
    const error = fromSqliteError(cause);
    if (isStoreError(error, 'METADATA_CORRUPT')) return 'something else';
    throw error;
  } finally {
    connection?.close();
  }
}
