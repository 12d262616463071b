import { compareBytes, prefixEnd } from '../../bytes/bytes.ts';
import { invariant } from '../../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../../limits.ts';
import { yieldToEventLoop } from '../../runtime/timers.ts';
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database, SqlValue } from '../database.ts';
import type { Table } from '../table.ts';
import type { EntryIndex, EntryIndexCheck } from './contract.ts';
import { matchesContent, placeOf, readsContent } from './entry-filter.ts';

/** Conditions joined with AND, each with its parameters. */
class Conditions {
  readonly #texts: string[] = [];
  readonly parameters: SqlValue[] = [];

  add(text: string, ...parameters: readonly SqlValue[]): void {
    this.#texts.push(text);
    this.parameters.push(...parameters);
  }

  /** Half-open range of a column; an undefined bound is no bound. */
  addRange(column: string, from: SqlValue | undefined, before: SqlValue | undefined): void {
    if (from !== undefined) this.add(`${column} >= ?`, from);
    if (before !== undefined) this.add(`${column} < ?`, before);
  }

  toString(): string {
    return this.#texts.length === 0 ? '' : `WHERE ${this.#texts.join(' AND ')}`;
  }
}

interface ListStatement {
  readonly tail: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * In key order. There is one bound on each side, the tighter one: with two the database starts its search at the first
 * of them, and a page would cost more the later it is.
 */
function byKey(query: EntryQuery, limit: number): ListStatement {
  const { prefix, after, where = {}, descending = false } = query;
  const conditions = new Conditions();
  const from = prefix;
  const before = prefix && prefixEnd(prefix);
  const bound = after?.key;
  const boundIsTighter =
    bound !== undefined &&
    (descending ? !before || compareBytes(bound, before) < 0 : !from || compareBytes(bound, from) >= 0);
  if (boundIsTighter) conditions.add(descending ? 'key < ?' : 'key > ?', bound);
  if (!boundIsTighter || descending) conditions.addRange('key', from, undefined);
  if (!boundIsTighter || !descending) conditions.addRange('key', undefined, before);
  // The plus keeps the index over modified times out: rows must come in key order without sorting.
  conditions.addRange('+modified', where.modifiedFrom, where.modifiedBefore);
  const direction = descending ? 'DESC' : 'ASC';
  return { tail: `${conditions} ORDER BY key ${direction} LIMIT ?`, parameters: [...conditions.parameters, limit] };
}

/** In order of another column, then of keys. */
function byColumn(column: 'modified' | 'size', query: EntryQuery, limit: number): ListStatement {
  const { prefix, after, where = {}, descending = false } = query;
  const conditions = new Conditions();
  if (after) {
    invariant(after.value !== undefined, 'a place in this order has a value');
    conditions.add(`(${column}, key) ${descending ? '<' : '>'} (?, ?)`, after.value, after.key);
  }
  conditions.addRange('modified', where.modifiedFrom, where.modifiedBefore);
  conditions.addRange('key', prefix, prefix && prefixEnd(prefix));
  const direction = descending ? 'DESC' : 'ASC';
  const order = `ORDER BY ${column} ${direction}, key ${direction}`;
  return { tail: `${conditions} ${order} LIMIT ?`, parameters: [...conditions.parameters, limit] };
}

const NOTHING_TO_COMPARE: EntryIndexCheck = { addEntry: () => undefined, finish: async () => [] };

/** The entry index of a plain store: indexes of the table `entries`, which the database keeps by itself. */
export class SqlEntryIndex implements EntryIndex {
  readonly tables = [];
  readonly foldDue = false;
  readonly #entries: Table<EntryRow>;

  constructor(entries: Table<EntryRow>) {
    this.#entries = entries;
  }

  async create(): Promise<void> {}

  async apply(): Promise<void> {}

  async fold(): Promise<void> {}

  check(): EntryIndexCheck {
    return NOTHING_TO_COMPARE;
  }

  /** Long answers and rare matches are gathered in steps that let other calls run between. */
  async list(database: Database, query: EntryQuery, signal?: AbortSignal): Promise<readonly EntryRow[]> {
    const { sort = 'key', where = {} } = query;
    const reads = readsContent(where);
    const found: EntryRow[] = [];
    let { after } = query;
    for (;;) {
      signal?.throwIfAborted();
      const step = reads ? METADATA_SCAN_ROWS : Math.min(METADATA_SCAN_ROWS, query.limit - found.length);
      const from = after ? { ...query, after } : query;
      const { tail, parameters } = sort === 'key' ? byKey(from, step) : byColumn(sort, from, step);
      const rows = await database.read((reader) => this.#entries.select(reader, tail, parameters));
      for (const { row } of rows) {
        if (found.length < query.limit && matchesContent(row, where)) found.push(row);
      }
      const last = rows.at(-1);
      if (!last || rows.length < step || found.length >= query.limit) return found;
      after = placeOf(last.row, sort);
      await yieldToEventLoop();
    }
  }
}
