import { storeError } from '../../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../../limits.ts';
import type { Semaphore } from '../../runtime/semaphore.ts';
import { yieldToEventLoop } from '../../runtime/timers.ts';
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database, Reader } from '../database.ts';
import type { Table } from '../table.ts';
import { matchesContent, matchesTime, readsContent } from './entry-filter.ts';
import type { NamesReader } from './names-reader.ts';
import { hasPrefix, type ItemRange, keyOfItem, rangeAfter, rangeOf } from './order-items.ts';

/** What a listing of a sealed store reads from. */
export interface SealedSource {
  readonly names: NamesReader;
  readonly entries: Table<EntryRow>;
  /** Of one: what `names` keeps in memory is of the state that was read last. */
  readonly turn: Semaphore;
}

interface Found {
  readonly keys: readonly Uint8Array[];
  /** The last item looked at; absent when the range has no more. */
  readonly last: Uint8Array | undefined;
}

/** Up to `count` keys of a range that have the prefix, looking at no more than a step's worth of items. */
async function findKeys(
  { names, reader }: { readonly names: NamesReader; readonly reader: Reader },
  { sort: order = 'key', prefix, descending = false }: EntryQuery,
  { range, count }: { readonly range: ItemRange; readonly count: number },
): Promise<Found> {
  const roots = await names.refresh(reader);
  const keys: Uint8Array[] = [];
  let looked = 0;
  for await (const items of names.scan(reader, roots, { order, range, descending })) {
    for (const item of items) {
      const key = keyOfItem(item, order);
      if (hasPrefix(key, prefix)) keys.push(key);
      looked += 1;
      if (keys.length === count || looked === METADATA_SCAN_ROWS) return { keys, last: item };
    }
  }
  return { keys, last: undefined };
}

async function loadEntries(
  reader: Reader,
  entries: Table<EntryRow>,
  keys: readonly Uint8Array[],
): Promise<readonly EntryRow[]> {
  const rows = await entries.load(
    reader,
    keys.map((key) => [key]),
  );
  return rows.map((found) => {
    if (found) return found.row;
    throw storeError('METADATA_CORRUPT', 'metadata table entries: a row that the lists of names name is gone', {
      details: { table: 'entries' },
    });
  });
}

/**
 * See `EntryIndex.list`. Goes in steps of bounded size, each of one state, that let other calls run between; memory is
 * that of a step, a few nodes and the answer.
 */
export async function listSealed(
  database: Database,
  {
    source,
    query,
    signal,
  }: { readonly source: SealedSource; readonly query: EntryQuery; readonly signal?: AbortSignal | undefined },
): Promise<readonly EntryRow[]> {
  const { where = {}, limit, descending = false, sort = 'key' } = query;
  // What items do not tell is seen only in the rows, of which then many are read for one that is wanted.
  const readsRows =
    readsContent(where) || (sort !== 'modified' && (where.modifiedFrom ?? where.modifiedBefore) !== undefined);
  const found: EntryRow[] = [];
  let range = rangeOf(query);
  for (;;) {
    signal?.throwIfAborted();
    const count = readsRows ? METADATA_SCAN_ROWS : Math.min(METADATA_SCAN_ROWS, limit - found.length);
    const { rows, last } = await inTurn(source.turn, () =>
      database.read(async (reader) => {
        const step = await findKeys({ names: source.names, reader }, query, { range, count });
        return { rows: await loadEntries(reader, source.entries, step.keys), last: step.last };
      }),
    );
    for (const row of rows) {
      if (found.length < limit && matchesTime(row, where) && matchesContent(row, where)) found.push(row);
    }
    if (!last || found.length >= limit) return found;
    range = rangeAfter(range, last, descending);
    await yieldToEventLoop();
  }
}

/** Waits before the state to read is chosen: so that none is older than the one read before it. */
async function inTurn<T>(turn: Semaphore, work: () => Promise<T>): Promise<T> {
  await turn.acquire();
  try {
    return await work();
  } finally {
    turn.release();
  }
}
