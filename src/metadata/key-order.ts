import { compareBytes } from '../bytes/bytes.ts';
import type { SqlParameters, SqlValue } from './database.ts';

function compareValues(a: SqlValue, b: SqlValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Number(a > b) - Number(a < b);
  // Keys of one table differ in type only through damage; then none counts as the later one.
  return -1;
}

/** Order of primary keys in the database: column by column, numbers by value and bytes lexicographically. */
export function compareKeys(a: SqlParameters, b: SqlParameters): number {
  for (const [index, value] of a.entries()) {
    const order = compareValues(value, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}
