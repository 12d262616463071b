import { storeError } from '../errors/store-error.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { CENSUS_DONE } from './census-place.ts';
import type { Reader, Transaction } from './database.ts';
import type { EntryIndex } from './entry-index/contract.ts';
import { createNamesTables } from './entry-index/names-tables.ts';
import { SealedEntryIndex } from './entry-index/sealed-entry-index.ts';
import { SqlEntryIndex } from './entry-index/sql-entry-index.ts';
import type { RowCodec } from './row-codec.ts';
import { EMPTY_SUM } from './row-digest.ts';
import type { HeadRow } from './rows.ts';
import type { Table } from './table.ts';
import { createPlainTables, createSealedTables, settingsTable, summedTables, type Tables } from './tables.ts';

const STORE_ID = 'store';
const INCARNATION_BYTES = 16;
const DIGEST_BYTES = 32;

/** What a metadata is made of: its tables, and what finds its entries in order. */
export interface StoreTables {
  readonly tables: Tables;
  readonly index: EntryIndex;
}

/** Every table whose rows are counted and summed. */
export function allSummedTables({ tables, index }: StoreTables): readonly Table<unknown>[] {
  return [...summedTables(tables), ...index.tables];
}

/** Writes what is there before any keys: the id of the store. */
export async function writeStoreId(transaction: Transaction, storeId: Uint8Array): Promise<void> {
  await settingsTable.put(transaction, { name: STORE_ID, value: storeId });
}

/** Writes the rows that every metadata begins with: an empty head, an empty index and empty sums. */
export async function writeFirstRows(transaction: Transaction, store: StoreTables, random: RandomBytes): Promise<void> {
  const { tables, index } = store;
  const head: HeadRow = {
    ...{ commit: 0, digest: new Uint8Array(DIGEST_BYTES), incarnation: random(INCARNATION_BYTES), flushed: 0 },
    ...{ recordIncarnation: undefined, nextPack: 1 },
    // Of what is not there everything was met.
    ...{ epoch: 0, nextReference: 0, census: CENSUS_DONE },
    ...{ entries: 0, logicalBytes: 0, chunks: 0, uniqueBytes: 0, packs: 0, storedBytes: 0 },
  };
  await tables.head.put(transaction, head);
  const sums = new Map(allSummedTables(store).map(({ shape }) => [shape.name, EMPTY_SUM]));
  await index.create({ transaction, sums });
  const rows = [...sums].map(([name, sum]) => ({ name, ...sum }));
  await tables.sums.put(transaction, ...rows);
}

/** The id of the store that the metadata belongs to. */
export async function loadStoreId(reader: Reader): Promise<Uint8Array> {
  const [setting] = await settingsTable.load(reader, [[STORE_ID]]);
  if (setting) return setting.row.value;
  const details = { table: 'settings', key: STORE_ID };
  throw storeError('METADATA_CORRUPT', 'metadata table settings: the row of the store is gone', { details });
}

/** What the metadata of a plain store is made of. */
export function createPlainStore(): StoreTables {
  const tables = createPlainTables();
  return { tables, index: new SqlEntryIndex(tables.entries) };
}

/** What the metadata of a sealed store is made of, for one connection. */
export function createSealedStore(codec: RowCodec): StoreTables {
  const tables = createSealedTables(codec);
  return { tables, index: new SealedEntryIndex(tables.entries, createNamesTables(codec)) };
}
