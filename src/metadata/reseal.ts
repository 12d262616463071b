import { isStoreError } from '../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import type { Database, SqlRow, SqlValue } from './database.ts';
import { RowSealer } from './row-sealer.ts';
import { SEALED_COLUMN } from './sealed-codec.ts';
import { allSummedTables, type StoreTables } from './store-tables.ts';
import type { StoredRow, Table } from './table.ts';
import { WorkingState } from './working-state.ts';

interface ResealOptions {
  readonly lastEpoch: number;
  readonly signal?: AbortSignal;
}

function isOld(row: SqlRow, lastEpoch: number): boolean {
  const sealed = row[SEALED_COLUMN];
  return sealed instanceof Uint8Array && RowSealer.epochOf(sealed) <= lastEpoch;
}

/**
 * The rows of a page that are of old epochs, sealed anew, with what they were; damaged ones stay for `check` to find.
 */
function resealPage<Row>(
  table: Table<Row>,
  page: readonly SqlRow[],
  lastEpoch: number,
): readonly { readonly before: Uint8Array; readonly after: StoredRow<Row> }[] {
  return page.flatMap((row) => {
    if (!isOld(row, lastEpoch)) return [];
    const checked = table.inspect(row);
    return isStoreError(checked) ? [] : [{ before: checked.digest, after: table.encode(checked.row) }];
  });
}

async function resealTable<Row>(
  database: Database,
  table: Table<Row>,
  { store, lastEpoch, signal }: ResealOptions & { readonly store: StoreTables },
): Promise<void> {
  const keys = table.keyColumns.join(', ');
  const marks = table.keyColumns.map(() => '?').join(', ');
  const from = `SELECT ${table.columnList} FROM ${table.shape.name}`;
  const tail = `ORDER BY ${keys} LIMIT ${METADATA_SCAN_ROWS}`;
  let after: readonly SqlValue[] | undefined;
  do {
    signal?.throwIfAborted();
    const start = after;
    after = await database.write(async (transaction) => {
      const where = start ? `WHERE (${keys}) > (${marks})` : '';
      const page = await transaction.all(`${from} ${where} ${tail}`, start ?? []);
      const resealed = resealPage(table, page, lastEpoch);
      if (resealed.length > 0) {
        const state = await WorkingState.begin(transaction, store);
        await state.replaceRows(table, resealed);
      }
      const last = page.length < METADATA_SCAN_ROWS ? undefined : page.at(-1);
      return last && table.keyColumns.map((column) => last[column] ?? null);
    });
    await yieldToEventLoop();
  } while (after);
}

/** See `Metadata.reseal`. Head and sums come last: the changes before have sealed some of them anew. */
export async function resealRows(database: Database, store: StoreTables, options: ResealOptions): Promise<void> {
  for (const table of allSummedTables(store)) await resealTable(database, table, { ...options, store });
  await database.write(async (transaction) => (await WorkingState.begin(transaction, store)).resealBooks());
}
