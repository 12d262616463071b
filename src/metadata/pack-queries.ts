import { packClassCode } from '../format/type-codes.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import type { Metadata, OutboxRow, PackRow } from './contract.ts';
import type { Database, Reader, SqlValue } from './database.ts';
import { packRow } from './item-queries.ts';
import type { StoredPack } from './rows.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

async function selectPacks(
  database: Database,
  tables: Tables,
  query: { readonly tail: string; readonly parameters: readonly SqlValue[] },
): Promise<readonly StoredPack[]> {
  const packs = await database.read((reader) => tables.packs.select(reader, query.tail, query.parameters));
  return packs.map(({ row }) => row);
}

/** See `Metadata.listPacks`. */
export async function listPacks(
  database: Database,
  tables: Tables,
  query: Parameters<Metadata['listPacks']>[0],
): Promise<readonly PackRow[]> {
  const ofClass = query.class === undefined ? [] : [packClassCode(query.class)];
  const where = `WHERE dropped = 0 ${ofClass.length > 0 ? 'AND class = ? ' : ''}AND number > ?`;
  const parameters = [...ofClass, query.after ?? 0, query.limit];
  const packs = await selectPacks(database, tables, { tail: `${where} ORDER BY number LIMIT ?`, parameters });
  return packs.map(packRow);
}

/** See `Collecting.knownPacks`. */
export async function knownPacks(reader: Reader, ids: readonly Uint8Array[]): Promise<readonly boolean[]> {
  const rows = await reader.lookup(
    'SELECT number FROM packs WHERE id = ?',
    ids.map((id) => [id]),
  );
  return rows.map((row) => row !== undefined);
}

/** See `Metadata.smallPacks`. */
export async function smallPacks(
  database: Database,
  tables: Tables,
  query: Parameters<Metadata['smallPacks']>[0],
): Promise<readonly PackRow[]> {
  const order = query.class === 'journal' ? 'last_commit DESC, number' : 'pack_bytes, number';
  // A plain store has no such column, and no other namespace.
  const inNamespace = tables.namespaced ? [query.namespace ?? 0] : [];
  const where = `WHERE dropped = 0 ${tables.namespaced ? 'AND namespace = ? ' : ''}AND class = ? AND pack_bytes < ?`;
  const parameters = [...inNamespace, packClassCode(query.class), query.bytesBelow, query.limit];
  const packs = await selectPacks(database, tables, { tail: `${where} ORDER BY ${order} LIMIT ?`, parameters });
  return packs.map(packRow);
}

/**
 * See `Metadata.droppedPacks`. Items stay in a dropped pack only where a rebuild could not read the pack they were
 * merged into: then its blob is the last copy.
 */
export async function droppedPacks(database: Database, tables: Tables, limit: number): Promise<readonly PackRow[]> {
  const tail = `WHERE dropped = 1 AND number > ? ORDER BY number LIMIT ${METADATA_SCAN_ROWS}`;
  const found: PackRow[] = [];
  let after: number | undefined = 0;
  while (after !== undefined && found.length < limit) {
    const page: readonly StoredPack[] = await selectPacks(database, tables, { tail, parameters: [after] });
    // Their number may be sealed, so it is looked at here.
    for (const pack of page) if (pack.items === 0 && found.length < limit) found.push(packRow(pack));
    after = page.length < METADATA_SCAN_ROWS ? undefined : page.at(-1)?.number;
  }
  return found;
}

/** See `Metadata.forgetPacks`. Packs that are live, needed or unknown are left alone. */
export async function forgetPacks(state: WorkingState, numbers: readonly number[]): Promise<void> {
  const keys = numbers.map((number) => [number]);
  await state.packs.load(state.transaction, keys);
  for (const key of keys) {
    const pack = state.packs.get(key);
    if (pack?.dropped && pack.items === 0) state.packs.remove(key);
  }
  await state.save();
}

/**
 * The last commit of the page after `after` that holds about `bytesMax` and no gap; sizes are read without the records.
 */
async function pageEnd(reader: Reader, after: number, bytesMax: number): Promise<number> {
  const sql = 'SELECT commit_number, bytes FROM outbox WHERE commit_number > ? ORDER BY commit_number LIMIT ?';
  let end = after;
  let total = 0;
  for (const row of await reader.all(sql, [after, METADATA_SCAN_ROWS])) {
    const commit = Number(row.commit_number);
    total += Number(row.bytes);
    if (end > after && (total > bytesMax || commit !== end + 1)) break;
    end = commit;
  }
  return end;
}

/** See `Metadata.outbox`. */
export function outboxPage(
  database: Database,
  tables: Tables,
  page: { readonly after: number; readonly bytesMax: number },
): Promise<readonly OutboxRow[]> {
  const { after, bytesMax } = page;
  return database.read(async (reader) => {
    const end = await pageEnd(reader, after, bytesMax);
    const range = 'WHERE commit_number > ? AND commit_number <= ? ORDER BY commit_number';
    const records = await tables.outbox.select(reader, range, [after, end]);
    const rows = new Map(
      records.map(({ row }) => [
        row.commit,
        { commit: row.commit, record: row.record, inline: [] as OutboxRow['inline'][number][] },
      ]),
    );
    for (const { row } of await tables.outboxRecords.select(reader, `${range}, ordinal`, [after, end])) {
      const { codec, plainLength, stored, items } = row;
      rows.get(row.commit)?.inline.push({ codec, plainLength, stored, items });
    }
    return [...rows.values()];
  });
}
