import { decodeEntryRow } from '../../format/isolated-entry.ts';
import type { EntryValue } from '../../format/types.ts';
import type { EntryFilter, EntryQuery, EntryRow } from '../contract.ts';

/** Whether a filter asks for what only the encoded entry tells, so that rows must be read to be left out. */
export function readsContent(where: EntryFilter): boolean {
  return where.contentType !== undefined || where.attributes !== undefined;
}

/**
 * Whether content type and attributes of an entry are those asked for. An isolated entry passes: only who has its key
 * can tell, and looks again.
 * @throws `corrupt/ENTRY_CORRUPT`
 */
export function matchesContent(row: EntryRow, where: EntryFilter): boolean {
  if (!readsContent(where)) return true;
  const decoded = decodeEntryRow(row.entry);
  return !('value' in decoded) || matchesValue(decoded.value, where);
}

/** Whether content type and attributes are those asked for. */
export function matchesValue(value: EntryValue, where: EntryFilter): boolean {
  if (where.contentType !== undefined && value.contentType !== where.contentType) return false;
  return Object.entries(where.attributes ?? {}).every(
    ([name, wanted]) => Object.hasOwn(value.attributes, name) && value.attributes[name] === wanted,
  );
}

/** Whether an entry was modified in the time asked for. */
export function matchesTime(row: EntryRow, where: EntryFilter): boolean {
  const { modifiedFrom = 0, modifiedBefore = Number.POSITIVE_INFINITY } = where;
  return row.modified >= modifiedFrom && row.modified < modifiedBefore;
}

/** Where a row stands in an order: what the query for the rows after it names. */
export function placeOf(row: EntryRow, sort: EntryQuery['sort']): NonNullable<EntryQuery['after']> {
  if (sort === 'modified') return { key: row.key, value: row.modified };
  return sort === 'size' ? { key: row.key, value: row.size } : { key: row.key };
}
