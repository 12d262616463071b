import type { EntryRow } from './contract.ts';
import type { Database } from './database.ts';
import type { Table } from './table.ts';

/** See `Metadata.getEntries`. */
export async function getEntries(
  database: Database,
  entries: Table<EntryRow>,
  keys: readonly Uint8Array[],
): Promise<readonly (EntryRow | undefined)[]> {
  const rows = await database.read((reader) =>
    entries.load(
      reader,
      keys.map((key) => [key]),
    ),
  );
  return rows.map((found) => found?.row);
}
