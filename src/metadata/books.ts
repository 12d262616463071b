/** The books of the metadata: its head, and what is kept of every table to compare its rows with. */
import { storeError } from '../errors/store-error.ts';
import { COLLECTION_TABLES } from './collection-schema.ts';
import type { Reader } from './database.ts';
import { OBJECT_TABLES } from './object-schema.ts';
import { EMPTY_SUM, type TableSum } from './row-digest.ts';
import { HEAD_KEY, type HeadRow } from './rows.ts';
import { allSummedTables, type StoreTables } from './store-tables.ts';
import type { Tables } from './tables.ts';

export interface Books {
  readonly head: HeadRow;
  /** By name of the table. */
  readonly sums: Map<string, TableSum>;
  /** Those that have a row: all, but for tables that came with a later version of the schema. */
  readonly stored: ReadonlyMap<string, TableSum>;
}

/** @throws `corrupt/METADATA_CORRUPT` when the row of the head is gone or damaged */
export async function loadHead(reader: Reader, tables: Tables): Promise<HeadRow> {
  const [head] = await tables.head.load(reader, [HEAD_KEY]);
  if (!head)
    throw storeError('METADATA_CORRUPT', 'metadata table head: its row is gone', { details: { table: 'head' } });
  return head.row;
}

/** Tables that came with one later version of the schema, by version. */
const LATER_TABLES: readonly (readonly string[])[] = [OBJECT_TABLES, COLLECTION_TABLES];

/** The kept count and sum of every table, by name. */
export async function loadSums(reader: Reader, store: StoreTables): Promise<Pick<Books, 'sums' | 'stored'>> {
  const names = allSummedTables(store).map(({ shape }) => shape.name);
  const rows = await store.tables.sums.load(
    reader,
    names.map((name) => [name]),
  );
  // Of a metadata that was made before there were such tables; the next change writes their rows, all of them at once.
  const missing = new Set(names.filter((_, index) => rows[index] === undefined));
  const older = new Set(LATER_TABLES.filter((tables) => tables.every((name) => missing.has(name))).flat());
  const sums = new Map<string, TableSum>();
  for (const [index, name] of names.entries()) {
    const found = rows[index];
    if (!found) {
      if (older.has(name)) {
        sums.set(name, EMPTY_SUM);
        continue;
      }
      const details = { table: 'table_sums', key: name };
      throw storeError('METADATA_CORRUPT', `metadata table table_sums: the row of ${name} is gone`, { details });
    }
    const { rows: count, sum } = found.row;
    sums.set(name, { rows: count, sum });
  }
  return { sums, stored: new Map([...sums].filter(([name]) => !missing.has(name))) };
}

export async function loadBooks(reader: Reader, parts: StoreTables): Promise<Books> {
  return { head: await loadHead(reader, parts.tables), ...(await loadSums(reader, parts)) };
}
