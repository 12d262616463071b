import { storeError } from '../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import type { Reader, SqlRow, SqlValue } from './database.ts';
import { compareKeys } from './key-order.ts';
import type { Table } from './table.ts';

/**
 * Pages through a table in key order, rows as they are and unchecked, giving way to other work after every page.
 * @throws `corrupt/METADATA_CORRUPT` when the keys do not rise: a damaged key must not send the scan in a circle
 */
export async function* scanTable<Row>(
  reader: Reader,
  table: Table<Row>,
  signal?: AbortSignal,
): AsyncGenerator<readonly SqlRow[]> {
  const { keyColumns } = table;
  const { name } = table.shape;
  const keys = keyColumns.join(', ');
  const tail = `ORDER BY ${keys} LIMIT ${METADATA_SCAN_ROWS}`;
  const from = `SELECT ${table.columnList} FROM ${name}`;
  const next = `${from} WHERE (${keys}) > (${keyColumns.map(() => '?').join(', ')}) ${tail}`;
  let rows = await reader.all(`${from} ${tail}`, []);
  let after: readonly SqlValue[] | undefined;
  while (rows.length > 0) {
    yield rows;
    signal?.throwIfAborted();
    await yieldToEventLoop();
    const last = rows.at(-1);
    const key = keyColumns.map((column) => last?.[column] ?? null);
    if (after && compareKeys(key, after) <= 0) {
      throw storeError('METADATA_CORRUPT', `metadata table ${name}: keys are out of order`, {
        details: { table: name },
      });
    }
    if (rows.length < METADATA_SCAN_ROWS) return;
    after = key;
    rows = await reader.all(next, key);
  }
}
