import type { ErrorCode } from '../errors/codes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';

/**
 * Whether a handle may still write. A write whose outcome is unknown (a failed fsync, an I/O error in the database)
 * poisons it: what is on disk may no longer be what this process believes, and only opening again finds out.
 * A failure known to have changed nothing (disk full before the rename, quota, busy) does not.
 */
export class Health {
  #poisonedBy: unknown;

  get poisoned(): boolean {
    return this.#poisonedBy !== undefined;
  }

  /** Poisons the handle unless the failure is a definite one. @returns the error as it was */
  judge<E>(error: E): E {
    if (!isDefinite(error)) this.#poisonedBy ??= error;
    return error;
  }

  /** @throws `closed/STORE_POISONED`; `closed/SESSION_FENCED` where that is what happened */
  assertWritable(): void {
    if (isStoreError(this.#poisonedBy, 'SESSION_FENCED')) throw this.#poisonedBy;
    if (this.#poisonedBy !== undefined) {
      throw storeError(
        'STORE_POISONED',
        'an earlier write failed with an unknown outcome; close the store and open it again',
        {
          cause: this.#poisonedBy,
        },
      );
    }
  }
}

const DEFINITE_KINDS: ReadonlySet<StoreError['kind']> = new Set([
  'exhausted',
  'conflict',
  'denied',
  'invalid',
  'not-found',
  'unsupported',
]);

/** Nothing was done that counts; it is known what was; or what was may be done again as it is. */
const DEFINITE_CODES = [
  ...['METADATA_BUSY', 'COMMIT_PENDING', 'CONFIG_PENDING'],
  ...['REDUNDANCY_UNMET', 'BACKEND_UNREACHABLE'],
] as const satisfies readonly ErrorCode[];

/** Whether an error of a write leaves no doubt. */
export function isDefinite(error: unknown): boolean {
  return isStoreError(error, ...DEFINITE_CODES) || (isStoreError(error) && DEFINITE_KINDS.has(error.kind));
}
