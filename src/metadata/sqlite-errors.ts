import { type StoreError, storeError } from '../errors/store-error.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that callers can act on. */
const SQLITE_ERROR = 1;
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

/** The low byte of an extended code is its primary code. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function mapped(primary: number, cause: Error): StoreError | undefined {
  const details = { system: cause.message };
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return storeError('METADATA_BUSY', 'another process held the metadata for too long', { cause, details });
    case SQLITE_FULL:
      return storeError('DISK_FULL', 'the metadata cannot grow: no space left', { cause, details });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // Only when an index and its table say different things: what is written was looked up before.
    case SQLITE_CONSTRAINT:
      return storeError('METADATA_CORRUPT', `the metadata is damaged: ${cause.message}`, { cause, details });
    case SQLITE_READONLY:
      return storeError('READ_ONLY', 'the metadata cannot be written', { cause, details });
    case SQLITE_PERM:
      return storeError('PERMISSION_DENIED', 'no permission for the metadata', { cause, details });
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      // A failed write or sync leaves open what is on the disk, so trying the same again proves nothing.
      return storeError('BACKEND_IO', `reading or writing the metadata failed: ${cause.message}`, {
        cause,
        details,
        retry: false,
      });
    case SQLITE_ERROR:
      // Our statements are fixed, so a table or column that they do not find has gone.
      if (!cause.message.startsWith('no such ')) return undefined;
      return storeError('METADATA_CORRUPT', `the metadata is damaged: ${cause.message}`, { cause, details });
    default:
      return undefined;
  }
}

/** The `StoreError` for an error of `node:sqlite`; every other error as it is. */
export function fromSqliteError(error: unknown): unknown {
  const primary = primaryCode(error);
  return primary === undefined ? error : (mapped(primary, error as Error) ?? error);
}
