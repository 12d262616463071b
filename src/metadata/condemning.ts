/** What condemns items and objects, and what must be so before they are doomed. */

import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import { loadHead } from './books.ts';
import { CENSUS_DONE } from './census-place.ts';
import type { Collecting, CollectionState, LooseObject } from './collection-contract.ts';
import type { Database, Reader, Transaction } from './database.ts';
import { type ItemRow, itemKey, liveShareOf } from './rows.ts';
import { listSessions } from './sessions.ts';
import type { Tables } from './tables.ts';
import { isLocated, type WorkingState } from './working-state.ts';

type NamedItem = Parameters<Collecting['condemnItems']>[1][number];

/** See `Collecting.advanceEpoch`. */
export async function advanceEpoch(state: WorkingState): Promise<number> {
  state.head = { ...state.head, epoch: state.head.epoch + 1 };
  await state.save();
  return state.head.epoch;
}

/** Stored bytes that go with an item when nothing refers to it. */
function shareOf(row: ItemRow): number {
  return liveShareOf({ ...row, refs: 1 });
}

/** See `Collecting.condemnItems`. */
export async function condemnItems(
  state: WorkingState,
  packNumber: number,
  items: readonly NamedItem[],
): Promise<{ readonly items: number; readonly bytes: number }> {
  const epoch = state.head.epoch + 1;
  const located = items.flatMap((item) =>
    isLocated(item as never) ? [item as { kind: 'chunk'; id: Uint8Array }] : [],
  );
  await state.loadItems(located);
  let [count, bytes, isNew] = [0, 0, false];
  for (const { kind, id } of located) {
    const row = state.items.get(itemKey(kind, id));
    if (row?.pack !== packNumber || row.refs > 0) continue;
    count += 1;
    bytes += shareOf(row);
    if (row.condemned > 0) continue;
    isNew = true;
    state.putItem({ ...row, condemned: epoch });
  }
  if (isNew) state.head = { ...state.head, epoch };
  const pack = count > 0 ? state.packByNumber(packNumber) : undefined;
  // Whoever looks for what is condemned looks at packs.
  if (pack && (isNew || pack.condemned === 0)) state.packs.put({ ...pack, condemned: state.head.epoch });
  await state.save();
  return { items: count, bytes };
}

/** See `Collecting.clearCondemned`. Whether a pack is looked at is a local column, which no digest covers. */
export async function clearCondemned(transaction: Transaction, packNumbers: readonly number[]): Promise<void> {
  const numbers = packNumbers.map((number) => [number]);
  await transaction.run('UPDATE packs SET condemned = 0 WHERE number = ?', numbers);
}

/** See `Collecting.condemnObjects`. */
export async function condemnObjects(state: WorkingState, keys: readonly Uint8Array[]): Promise<number> {
  const epoch = state.head.epoch + 1;
  await state.objects.load(
    state.transaction,
    keys.map((key) => [key]),
  );
  let condemned = 0;
  for (const key of keys) {
    const row = state.objects.get([key]);
    if (!row || row.refs > 0 || row.condemned > 0) continue;
    state.objects.put({ ...row, condemned: epoch });
    condemned += 1;
  }
  if (condemned > 0) {
    state.head = { ...state.head, epoch };
    state.epoch = epoch;
  }
  await state.save();
  return condemned;
}

/** See `Collecting.judgeItems`. */
export async function judgeItems(
  database: Database,
  tables: Tables,
  { packNumber, items }: { readonly packNumber: number; readonly items: readonly NamedItem[] },
): ReturnType<Collecting['judgeItems']> {
  const keys = items.map(({ kind, id }) => itemKey(kind as 'chunk' | 'manifest', id));
  const rows = await database.read((reader) => tables.items.load(reader, keys));
  return rows.map((found) => {
    if (found?.row.pack !== packNumber) return 'elsewhere';
    if (found.row.refs === 0 && found.row.condemned > 0) return 'condemned';
    return found.row.suspect ? 'doubtful' : 'sound';
  });
}

/** See `Collecting.looseObjects`. Whether something refers to an object may be sealed, so every row is looked at. */
export async function looseObjects(
  database: Database,
  tables: Tables,
  { after = new Uint8Array(0), limit }: Parameters<Collecting['looseObjects']>[0],
): ReturnType<Collecting['looseObjects']> {
  const { objects } = tables;
  const [column = ''] = objects.keyColumns;
  return await database.read(async (reader) => {
    const sql = `SELECT ${objects.columnList} FROM objects WHERE ${column} > ? ORDER BY ${column} LIMIT ?`;
    const found = await reader.all(sql, [after, limit]);
    const rows: LooseObject[] = found.map((row) => objects.check(row).row).filter(({ refs }) => refs === 0);
    const last = found.length < limit ? undefined : found.at(-1)?.[column];
    return { rows, ...(last instanceof Uint8Array && { next: last }) };
  });
}

async function numberOf(reader: Reader, sql: string): Promise<number | undefined> {
  const [row] = await reader.all(sql, []);
  return typeof row?.found === 'number' ? row.found : undefined;
}

/** See `Collecting.collectionState`. */
export async function collectionState(reader: Reader, tables: Tables): Promise<CollectionState> {
  const head = await loadHead(reader, tables);
  const live = (await listSessions(reader, tables)).filter(({ ended }) => !ended);
  const blocked = await reader.all(
    `SELECT DISTINCT namespace AS found FROM uncounted WHERE parked = 1 ORDER BY namespace LIMIT ${METADATA_SCAN_ROWS}`,
    [],
  );
  return {
    epoch: head.epoch,
    oldestEpoch: Math.min(head.epoch, ...live.map(({ epoch }) => epoch)),
    uncounted: (await numberOf(reader, 'SELECT count(*) AS found FROM uncounted WHERE parked = 0')) ?? 0,
    uncountedEpoch: await numberOf(reader, 'SELECT min(epoch) AS found FROM uncounted WHERE parked = 0'),
    censusDone: equalBytes(head.census ?? new Uint8Array(0), CENSUS_DONE),
    blocked: blocked.map(({ found }) => Number(found)),
    nextPack: head.nextPack,
  };
}

/**
 * Lets what was condemned up to an epoch be doomed: every operation that may count on it has ended, and what it came to
 * refer to is counted. To be asked in the transaction that dooms.
 * @throws `conflict/PRECONDITION_FAILED`
 */
export async function checkDoom(
  { transaction }: WorkingState,
  tables: Tables,
  doomed: { readonly condemned: number; readonly namespaces: Iterable<number> },
): Promise<void> {
  const state = await collectionState(transaction, tables);
  const { condemned } = doomed;
  const isCounted = state.censusDone && (state.uncountedEpoch ?? state.epoch) >= condemned;
  const blocked = [...doomed.namespaces].some((namespace) => state.blocked.includes(namespace));
  if (state.oldestEpoch >= condemned && isCounted && !blocked) return;
  const why = blocked ? 'something that cannot be read may need it' : 'somebody may still count on it';
  throw storeError('PRECONDITION_FAILED', `what was condemned in epoch ${condemned} cannot be doomed yet: ${why}`);
}
