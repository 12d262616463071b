/**
 * The entry index of a sealed store, where the database knows entries by keyed digests and can order nothing. Names lie
 * in three sealed trees, one for each order, whose nodes point to each other inside their seals: the file shows neither
 * names nor the order of nodes. A commit appends to a sealed log and touches no tree; listings lay the log over the trees;
 * `fold` moves the oldest changes of the log into the trees, in steps that are transactions of their own.
 *
 * Invariant: trees and log together name every entry once in each order. A fold takes changes out of the log in the
 * transaction that brings them into the trees, so one cut off at any point loses none.
 *
 * What it does not hide: how many entries there are, roughly, and which nodes a fold touches.
 */
import { NAMES_LOG_CHANGES_TARGET } from '../../limits.ts';
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database } from '../database.ts';
import { EMPTY_SUM } from '../row-digest.ts';
import { RowSet } from '../row-set.ts';
import type { Table } from '../table.ts';
import type { EntryIndex, EntryIndexCheck, EntryRowChange, IndexTransaction } from './contract.ts';
import { IndexWriter } from './index-writer.ts';
import { loggedChangeOf } from './item-changes.ts';
import { NamesCheck } from './names-check.ts';
import { NamesReader } from './names-reader.ts';
import { EMPTY_ROOTS, type NamesTables } from './names-tables.ts';
import { listSealed } from './sealed-list.ts';

/** One of these per connection: it keeps the opened log in memory. */
export class SealedEntryIndex implements EntryIndex {
  readonly tables: readonly Table<unknown>[];
  readonly #entries: Table<EntryRow>;
  readonly #names: NamesTables;
  readonly #reader: NamesReader;
  #logChanges = 0;

  constructor(entries: Table<EntryRow>, names: NamesTables) {
    this.tables = [names.nodes, names.log, names.roots];
    this.#entries = entries;
    this.#names = names;
    this.#reader = new NamesReader(names);
  }

  async create({ transaction, sums }: IndexTransaction): Promise<void> {
    const roots = new RowSet(this.#names.roots);
    roots.add(EMPTY_ROOTS);
    const { name } = roots;
    sums.set(name, await roots.save(transaction, sums.get(name) ?? EMPTY_SUM));
  }

  list(database: Database, query: EntryQuery, signal?: AbortSignal): Promise<readonly EntryRow[]> {
    return listSealed(database, { source: { names: this.#reader, entries: this.#entries }, query, signal });
  }

  async apply(context: IndexTransaction, changes: readonly EntryRowChange[]): Promise<void> {
    const logged = changes.flatMap((change) => loggedChangeOf(change) ?? []);
    if (logged.length === 0) return;
    const writer = await IndexWriter.begin(context, this.#names);
    await writer.append(logged);
    await writer.save();
    this.#logChanges = writer.logChanges;
  }

  get foldDue(): boolean {
    return this.#logChanges > NAMES_LOG_CHANGES_TARGET;
  }

  async fold(context: IndexTransaction): Promise<void> {
    const writer = await IndexWriter.begin(context, this.#names);
    await writer.fold();
    this.#logChanges = writer.logChanges;
  }

  check(): EntryIndexCheck {
    return new NamesCheck(this.#names);
  }
}
