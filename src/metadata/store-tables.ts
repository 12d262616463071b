import { storeError } from '../errors/store-error.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { Reader, Transaction } from './database.ts';
import { EMPTY_SUM } from './row-digest.ts';
import { type HeadRow, headTable, SUMMED_TABLES, settingsTable, sumsTable } from './rows.ts';

const STORE_ID = 'store';
const INCARNATION_BYTES = 16;
const DIGEST_BYTES = 32;

/** Writes the rows that every metadata has from the start: the store's id, an empty head and empty sums. */
export async function createTables(transaction: Transaction, storeId: Uint8Array, random: RandomBytes): Promise<void> {
  const head: HeadRow = {
    ...{ commit: 0, digest: new Uint8Array(DIGEST_BYTES), incarnation: random(INCARNATION_BYTES), flushed: 0 },
    ...{ recordIncarnation: undefined, nextPack: 1 },
    ...{ entries: 0, logicalBytes: 0, chunks: 0, uniqueBytes: 0, packs: 0, storedBytes: 0 },
  };
  const setting = { name: STORE_ID, value: storeId };
  await settingsTable.upsert(transaction, [{ row: setting, digest: settingsTable.digestOf(setting) }]);
  await headTable.upsert(transaction, [{ row: head, digest: headTable.digestOf(head) }]);
  const sums = SUMMED_TABLES.map((name) => ({ name, ...EMPTY_SUM }));
  await sumsTable.upsert(
    transaction,
    sums.map((row) => ({ row, digest: sumsTable.digestOf(row) })),
  );
}

/** The id of the store that the metadata belongs to. */
export async function loadStoreId(reader: Reader): Promise<Uint8Array> {
  const [setting] = await settingsTable.load(reader, [[STORE_ID]]);
  if (setting) return setting.row.value;
  const details = { table: 'settings', key: STORE_ID };
  throw storeError('METADATA_CORRUPT', 'metadata table settings: the row of the store is gone', { details });
}
