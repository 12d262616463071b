import { isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';

/** SQLSTATE of PostgreSQL (appendix A of its manual), codes of sockets, and what the client says in words alone. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return CLIENT_ENDED.test(error.message) ? 'CONNECTION_ENDED' : undefined;
}

const CLIENT_ENDED =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client (?:has encountered|was closed))/;
/** Ways in which a connection ends, or is not made: whatever was under way on it. */
const CONNECTION = /^(?:08...|57P0[123]|CONNECT(?:ION)?_\w+|E(?:CONN\w+|PIPE|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH))$/;
/** Somebody else had the lock, or won. */
const BUSY: ReadonlySet<string> = new Set(['55P03', '40001', '40P01', '53300', '57014']);
const DENIED = /^(?:28...|42501)$/;
const DAMAGED = /^(?:XX00[12]|42P01|42703|23505)$/;

/** Whether an error says that there is no connection any more. */
export function isConnectionLost(error: unknown): boolean {
  return CONNECTION.test(codeOf(isStoreError(error) ? error.cause : error) ?? '');
}

function mapped(code: string, cause: Error): StoreError | undefined {
  const details = { system: code };
  if (CONNECTION.test(code)) {
    const message = `PostgreSQL cannot be reached, or ended the connection: ${cause.message}; nothing was changed`;
    return storeError('METADATA_BUSY', message, { cause, details });
  }
  if (BUSY.has(code)) {
    return storeError('METADATA_BUSY', 'another process held the metadata for too long', { cause, details });
  }
  if (code === '53100') return storeError('DISK_FULL', 'the metadata cannot grow: no space left', { cause, details });
  if (code === '25006') {
    const message = 'the metadata cannot be written: this PostgreSQL is a replica, or was made read-only';
    return storeError('READ_ONLY', message, { cause, details });
  }
  if (DENIED.test(code)) {
    const message = `PostgreSQL does not let this user in, or not do this: ${cause.message}`;
    return storeError('PERMISSION_DENIED', message, { cause, details });
  }
  if (DAMAGED.test(code)) {
    return storeError('METADATA_CORRUPT', `the metadata is damaged: ${cause.message}`, { cause, details });
  }
  // A database that does not exist, resources that are spent, a failing disk: what the server says is what helps.
  if (/^[0-9A-Z]{5}$/.test(code)) {
    return storeError('BACKEND_IO', `PostgreSQL failed: ${cause.message} (${code})`, { cause, details, retry: false });
  }
  return undefined;
}

/** The `StoreError` for an error of PostgreSQL or of the way there; every other error as it is. */
export function fromPostgresError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || isStoreError(error)) return error;
  return mapped(code, error as Error) ?? error;
}
