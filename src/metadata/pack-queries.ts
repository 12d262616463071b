import { METADATA_SCAN_ROWS } from '../limits.ts';
import type { Metadata, OutboxRow, PackRow } from './contract.ts';
import type { Database, Reader, SqlValue } from './database.ts';
import { packRow } from './item-queries.ts';
import { classCode, outboxRecordsTable, outboxTable, packsTable } from './rows.ts';
import type { WorkingState } from './working-state.ts';

async function selectPacks(
  database: Database,
  tail: string,
  parameters: readonly SqlValue[],
): Promise<readonly PackRow[]> {
  const packs = await database.read((reader) => packsTable.select(reader, tail, parameters));
  return packs.map(({ row }) => packRow(row));
}

/** See `Metadata.listPacks`. */
export function listPacks(
  database: Database,
  query: Parameters<Metadata['listPacks']>[0],
): Promise<readonly PackRow[]> {
  const after = query.after ?? 0;
  if (query.class === undefined) {
    return selectPacks(database, 'WHERE dropped = 0 AND number > ? ORDER BY number LIMIT ?', [after, query.limit]);
  }
  const tail = 'WHERE dropped = 0 AND class = ? AND number > ? ORDER BY number LIMIT ?';
  return selectPacks(database, tail, [classCode(query.class), after, query.limit]);
}

/** See `Metadata.smallPacks`. */
export function smallPacks(
  database: Database,
  query: Parameters<Metadata['smallPacks']>[0],
): Promise<readonly PackRow[]> {
  const order = query.class === 'journal' ? 'last_commit DESC, number' : 'pack_bytes, number';
  const tail = `WHERE dropped = 0 AND class = ? AND pack_bytes < ? ORDER BY ${order} LIMIT ?`;
  return selectPacks(database, tail, [classCode(query.class), query.bytesBelow, query.limit]);
}

/**
 * See `Metadata.droppedPacks`. Items stay in a dropped pack only where a rebuild could not read the pack they were
 * merged into: then its blob is the last copy.
 */
export function droppedPacks(database: Database, limit: number): Promise<readonly PackRow[]> {
  return selectPacks(database, 'WHERE dropped = 1 AND items = 0 ORDER BY number LIMIT ?', [limit]);
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

/** The last commit of the page after `after` that holds about `bytesMax` and no gap; sizes are read without the records. */
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
export function outboxPage(database: Database, after: number, bytesMax: number): Promise<readonly OutboxRow[]> {
  return database.read(async (reader) => {
    const end = await pageEnd(reader, after, bytesMax);
    const range = 'WHERE commit_number > ? AND commit_number <= ? ORDER BY commit_number';
    const records = await outboxTable.select(reader, range, [after, end]);
    const rows = new Map(
      records.map(({ row }) => [
        row.commit,
        { commit: row.commit, record: row.record, inline: [] as OutboxRow['inline'][number][] },
      ]),
    );
    for (const { row } of await outboxRecordsTable.select(reader, `${range}, ordinal`, [after, end])) {
      const { codec, plainLength, stored, items } = row;
      rows.get(row.commit)?.inline.push({ codec, plainLength, stored, items });
    }
    return [...rows.values()];
  });
}
