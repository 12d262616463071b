import { backup, DatabaseSync } from 'node:sqlite';
import { fromSqliteError } from '../metadata/sqlite-errors.ts';
import type { ServedCall } from '../runtime/worker-rpc.ts';

/** Pages copied in one step; between steps the thread can be told to stop. */
const STEP_PAGES = 512;

/**
 * Copies the state that a file has now, while others read and change it, with the backup interface of SQLite
 * (https://sqlite.org/c3ref/backup_finish.html). One read transaction around all steps keeps the state: without it every
 * change by another process would begin the copy anew. Blocks no writer; the log cannot be emptied meanwhile.
 * @param to a file that does not exist; what is left of it after a failure is the caller's to remove
 */
export async function copyFile(path: string, to: string, { signal, progress }: ServedCall): Promise<void> {
  let source: DatabaseSync | undefined;
  try {
    source = new DatabaseSync(path, { readOnly: true });
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await backup(source, to, {
      rate: STEP_PAGES,
      progress: ({ totalPages, remainingPages }) => {
        signal?.throwIfAborted();
        progress(totalPages - remainingPages, totalPages);
      },
    });
  } catch (error) {
    throw fromSqliteError(error);
  } finally {
    source?.close();
  }
}
