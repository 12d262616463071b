import { type StoreError, storeError } from '../errors/store-error.ts';

/** Rows that match their digests and cannot both be right. */
export function rowsDisagree(table: string, problem: string): StoreError {
  return storeError('METADATA_CORRUPT', `metadata table ${table}: ${problem}`, { details: { table } });
}

/** A record that no commit ever wrote. */
export function neverWritten(problem: string): StoreError {
  return storeError('JOURNAL_CORRUPT', `the journal ${problem}`);
}
