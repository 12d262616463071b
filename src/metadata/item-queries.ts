import { invariant, storeError } from '../errors/store-error.ts';
import type { ItemLocation, Metadata, PackRow } from './contract.ts';
import type { Database, Reader, SqlParameters, Transaction } from './database.ts';
import {
  IN_OUTBOX,
  type ItemKind,
  type ItemRow,
  itemKey,
  itemsTable,
  outboxRecordsTable,
  packsTable,
  type StoredPack,
} from './rows.ts';

const ID_BYTES = 32;
/** Parameters of one statement. */
const PACKS_PER_SCAN = 500;

/** A pack as callers see it. */
export function packRow({ number, descriptor, items }: StoredPack): PackRow {
  return { ...descriptor, number, items };
}

async function loadPacks(
  reader: Reader,
  rows: readonly (ItemRow | undefined)[],
): Promise<ReadonlyMap<number, StoredPack>> {
  const numbers = new Set(rows.map((row) => row?.pack ?? IN_OUTBOX));
  numbers.delete(IN_OUTBOX);
  const keys = [...numbers].map((number) => [number]);
  const packs = new Map<number, StoredPack>();
  for (const found of await packsTable.load(reader, keys)) if (found) packs.set(found.row.number, found.row);
  return packs;
}

function outboxKey(row: ItemRow): string {
  return `${row.commit}/${row.ordinal}`;
}

async function loadOutbox(
  reader: Reader,
  rows: readonly (ItemRow | undefined)[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = new Map<string, SqlParameters>();
  for (const row of rows) if (row?.pack === IN_OUTBOX) wanted.set(outboxKey(row), [row.commit, row.ordinal]);
  const records = await outboxRecordsTable.load(reader, [...wanted.values()]);
  const stored = new Map<string, Uint8Array>();
  let index = 0;
  for (const key of wanted.keys()) {
    const record = records[index++];
    if (record) stored.set(key, record.row.stored);
  }
  return stored;
}

/** Turns rows into locations; the packs and outbox records they share are shared objects. */
async function toLocations(
  reader: Reader,
  rows: readonly (ItemRow | undefined)[],
): Promise<readonly (ItemLocation | undefined)[]> {
  const outbox = await loadOutbox(reader, rows);
  const packs = new Map<number, { readonly row: PackRow; readonly dropped: boolean }>();
  for (const [number, pack] of await loadPacks(reader, rows))
    packs.set(number, { row: packRow(pack), dropped: pack.dropped });
  return rows.map((row) => {
    if (!row) return undefined;
    const { kind, ordinal, offset, storedLength, plainLength, codec, inner, length, suspect } = row;
    const position = { kind, ordinal, offset, storedLength, plainLength, codec, inner, length };
    const bytes = row.pack === IN_OUTBOX ? outbox.get(outboxKey(row)) : undefined;
    if (bytes) return { ...position, outbox: { commit: row.commit, bytes }, suspect };
    const pack = packs.get(row.pack);
    if (!pack) {
      const where = row.pack === IN_OUTBOX ? `outbox record ${outboxKey(row)}` : `pack ${row.pack}`;
      throw storeError('METADATA_CORRUPT', `metadata table items: a row points to ${where}, which is not there`, {
        details: { table: 'items' },
      });
    }
    // Only an incomplete rebuild leaves items in a dropped pack: worth trying to read, nothing to rely on.
    return { ...position, pack: pack.row, suspect: suspect || pack.dropped };
  });
}

/** See `Metadata.locate`. */
export async function locateItems(
  database: Database,
  kind: ItemKind,
  ids: Uint8Array,
): Promise<readonly (ItemLocation | undefined)[]> {
  invariant(ids.length % ID_BYTES === 0, 'ids have 32 bytes each');
  const keys: SqlParameters[] = [];
  for (let start = 0; start < ids.length; start += ID_BYTES)
    keys.push(itemKey(kind, ids.subarray(start, start + ID_BYTES)));
  return database.read(async (reader) => {
    const rows = await itemsTable.load(reader, keys);
    return toLocations(
      reader,
      rows.map((found) => found?.row),
    );
  });
}

/** See `Metadata.markSuspect`. The flag is local and outside of the row digest, so no sum changes. */
export async function markItemsSuspect(
  transaction: Transaction,
  items: Parameters<Metadata['markSuspect']>[0],
): Promise<void> {
  await transaction.run(
    'UPDATE items SET suspect = 1 WHERE kind = ? AND id = ? AND pack = ? AND pack <> 0',
    items.map(({ kind, id, packNumber }) => [...itemKey(kind, id), packNumber]),
  );
}

/** See `Metadata.markPacksSuspect`. Reads all items once for a batch of packs: no index serves what hardly ever happens. */
export async function markPacksSuspect(transaction: Transaction, numbers: readonly number[]): Promise<void> {
  const packs = numbers.filter((number) => number !== IN_OUTBOX);
  for (let start = 0; start < packs.length; start += PACKS_PER_SCAN) {
    const batch = packs.slice(start, start + PACKS_PER_SCAN);
    const marks = batch.map(() => '?').join(', ');
    await transaction.run(`UPDATE items SET suspect = 1 WHERE pack IN (${marks})`, [batch]);
  }
}

/** See `Metadata.scanItems`. */
export async function scanItems(
  database: Database,
  kind: ItemKind,
  page: { readonly after: Uint8Array | undefined; readonly limit: number },
): ReturnType<Metadata['scanItems']> {
  const after = page.after ?? new Uint8Array(0);
  const tail = 'WHERE kind = ? AND id > ? ORDER BY id LIMIT ?';
  const rows = await database.read((reader) => itemsTable.select(reader, tail, [...itemKey(kind, after), page.limit]));
  return rows.map(({ row }) => ({ id: row.id, packNumber: row.pack, length: row.length, suspect: row.suspect }));
}
