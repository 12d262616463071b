import { invariant, storeError } from '../errors/store-error.ts';
import type { ItemLocation, Metadata, PackRow } from './contract.ts';
import type { Database, Reader, SqlParameters } from './database.ts';
import { GatheredLookups } from './gathered-lookups.ts';
import { IN_OUTBOX, type ItemKind, type ItemRow, itemKey, type StoredPack } from './rows.ts';
import type { Tables } from './tables.ts';

const ID_BYTES = 32;

/** A pack as callers see it. */
export function packRow({ number, descriptor, items, liveBytes, condemned, verified }: StoredPack): PackRow {
  return { ...descriptor, number, items, liveBytes, condemned, ...(verified && { verified }) };
}

/** A transaction that reads, and the tables it reads. */
interface Source {
  readonly reader: Reader;
  readonly tables: Tables;
}

async function loadPacks(
  { reader, tables }: Source,
  rows: readonly (ItemRow | undefined)[],
): Promise<ReadonlyMap<number, StoredPack>> {
  const numbers = new Set(rows.map((row) => row?.pack ?? IN_OUTBOX));
  numbers.delete(IN_OUTBOX);
  const keys = [...numbers].map((number) => [number]);
  const packs = new Map<number, StoredPack>();
  for (const found of await tables.packs.load(reader, keys)) if (found) packs.set(found.row.number, found.row);
  return packs;
}

function outboxKey(row: ItemRow): string {
  return `${row.commit}/${row.ordinal}`;
}

async function loadOutbox(
  { reader, tables }: Source,
  rows: readonly (ItemRow | undefined)[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = new Map<string, SqlParameters>();
  for (const row of rows) if (row?.pack === IN_OUTBOX) wanted.set(outboxKey(row), [row.commit, row.ordinal]);
  const records = await tables.outboxRecords.load(reader, [...wanted.values()]);
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
  source: Source,
  rows: readonly (ItemRow | undefined)[],
): Promise<readonly (ItemLocation | undefined)[]> {
  const outbox = await loadOutbox(source, rows);
  const packs = new Map<number, { readonly row: PackRow; readonly dropped: boolean }>();
  for (const [number, pack] of await loadPacks(source, rows))
    packs.set(number, { row: packRow(pack), dropped: pack.dropped });
  return rows.map((row) => {
    if (!row) return undefined;
    const { kind, ordinal, offset, storedLength, plainLength, codec, inner, length, suspect } = row;
    const condemned = row.condemned > 0;
    const position = { kind, ordinal, offset, storedLength, plainLength, codec, inner, length, condemned };
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

/** See `Metadata.locate`; by kind. */
export function itemLookups(
  database: Database,
  tables: Tables,
): Readonly<Record<ItemKind, GatheredLookups<ItemLocation | undefined>>> {
  const lookups = (kind: ItemKind) =>
    new GatheredLookups((ids) =>
      database.read(async (reader) => {
        const rows = await tables.items.load(reader, itemKeys({ kind, ids }));
        return await toLocations(
          { reader, tables },
          rows.map((found) => found?.row),
        );
      }),
    );
  return { chunk: lookups('chunk'), manifest: lookups('manifest') };
}

/** See `Metadata.knownItems`. Reads what is in the clear in every kind of store. */
export async function knownItems(
  database: Database,
  wanted: { readonly kind: ItemKind; readonly ids: Uint8Array },
): Promise<readonly boolean[]> {
  const sql = 'SELECT suspect, condemned FROM items WHERE kind = ? AND id = ?';
  const rows = await database.read((reader) => reader.lookup(sql, itemKeys(wanted)));
  return rows.map((row) => row?.suspect === 0 && row.condemned === null);
}

function itemKeys({ kind, ids }: { readonly kind: ItemKind; readonly ids: Uint8Array }): readonly SqlParameters[] {
  invariant(ids.length % ID_BYTES === 0, 'ids have 32 bytes each');
  const keys: SqlParameters[] = [];
  for (let start = 0; start < ids.length; start += ID_BYTES)
    keys.push(itemKey(kind, ids.subarray(start, start + ID_BYTES)));
  return keys;
}

/** See `Metadata.scanItems`. */
export async function scanItems(
  database: Database,
  tables: Tables,
  page: { readonly kind: ItemKind; readonly after: Uint8Array | undefined; readonly limit: number },
): ReturnType<Metadata['scanItems']> {
  const after = page.after ?? new Uint8Array(0);
  const tail = 'WHERE kind = ? AND id > ? ORDER BY id LIMIT ?';
  const parameters = [...itemKey(page.kind, after), page.limit];
  const rows = await database.read((reader) => tables.items.select(reader, tail, parameters));
  return rows.map(({ row }) => ({ id: row.id, packNumber: row.pack, length: row.length, suspect: row.suspect }));
}
