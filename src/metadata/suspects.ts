/**
 * Suspicion: what a reader found wrong, and none has proven since. A flag of this machine, outside of row digests and seals, so no sum changes.
 * Where an item is found may be sealed, so rows are opened to compare; a damaged one is not believed anyway and left
 * alone.
 */
import { isStoreError } from '../errors/store-error.ts';
import type { Metadata } from './contract.ts';
import type { Database, Reader, SqlRow, Transaction } from './database.ts';
import { IN_OUTBOX, type ItemRow, itemKey } from './rows.ts';
import { scanTable } from './table-scan.ts';
import type { Tables } from './tables.ts';

const FLAG = 'UPDATE items SET suspect = ? WHERE kind = ? AND id = ?';

async function flag(
  transaction: Transaction,
  tables: Tables,
  found: {
    readonly rows: readonly (SqlRow | undefined)[];
    readonly isSuspect: boolean;
    isMeant(item: ItemRow, index: number): boolean;
  },
): Promise<void> {
  const flags = found.rows.flatMap((row, index) => {
    const checked = row && tables.items.inspect(row);
    if (!checked || isStoreError(checked)) return [];
    const { kind, id } = checked.row;
    return found.isMeant(checked.row, index) ? [[found.isSuspect ? 1 : 0, ...itemKey(kind, id)]] : [];
  });
  if (flags.length > 0) await transaction.run(FLAG, flags);
}

/** See `Metadata.markSuspect`. */
export async function markItemsSuspect(
  database: Database,
  tables: Tables,
  marks: { readonly items: Parameters<Metadata['markSuspect']>[0]; readonly isSuspect: boolean },
): Promise<void> {
  const { items, isSuspect } = marks;
  await database.write(async (transaction) => {
    const keys = items.map(({ kind, id }) => itemKey(kind, id));
    const rows = await tables.items.find(transaction, keys);
    const isMeant = ({ pack }: ItemRow, index: number): boolean =>
      pack !== IN_OUTBOX && pack === items[index]?.packNumber;
    await flag(transaction, tables, { rows, isSuspect, isMeant });
  });
}

/** Each query in a transaction of its own, so that other calls run between two. */
function pagewise(database: Database): Reader {
  return {
    all: (sql, parameters) => database.read((reader) => reader.all(sql, parameters)),
    lookup: (sql, sets) => database.read((reader) => reader.lookup(sql, sets)),
  };
}

/** See `Metadata.markPacksSuspect`. Reads all items once, in steps: no index serves what hardly ever happens. */
export async function markPacksSuspect(database: Database, tables: Tables, numbers: readonly number[]): Promise<void> {
  const packs = new Set(numbers);
  for await (const page of scanTable(pagewise(database), tables.items)) {
    const found = page.flatMap((row) => {
      const checked = tables.items.inspect(row);
      if (isStoreError(checked) || !packs.has(checked.row.pack)) return [];
      const { kind, id, pack } = checked.row;
      return [{ kind, id, packNumber: pack }];
    });
    if (found.length > 0) await markItemsSuspect(database, tables, { items: found, isSuspect: true });
  }
}
