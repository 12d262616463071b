import type { SqliteDatabase } from '../metadata/sqlite-database.ts';
import { loadPageUse, type PageUse } from './file-tables.ts';

/**
 * Moves pages from the end of the file into free ones before it and cuts the end off, up to so many
 * (https://sqlite.org/pragma.html#pragma_incremental_vacuum). One short transaction: readers go on, writers wait that long.
 * @returns what is left
 */
export async function compactStep(database: SqliteDatabase, pagesMax: number): Promise<PageUse> {
  return await database.write(async (transaction) => {
    await transaction.all(`PRAGMA incremental_vacuum(${pagesMax})`, []);
    return await loadPageUse(transaction);
  });
}
