/**
 * The entry index of a sealed store, where the database knows entries by keyed digests and can order nothing. Names lie
 * in three sealed trees, one for each order, whose nodes point to each other inside their seals: the file shows neither
 * names nor the order of nodes. A commit appends to a sealed log and touches no tree; listings lay the log over the
 * trees; `fold` moves the log into the trees, in steps that are transactions of their own.
 *
 * Invariant: trees with the log laid over them name every entry once in each order. What is laid over a tree may be in
 * it already, and rows of the log go only when all trees have their changes: a fold cut off at any point loses none.
 *
 * What it does not hide: how many entries there are, roughly, and which nodes a fold touches.
 */

import { Semaphore } from '../../runtime/semaphore.ts';
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database } from '../database.ts';
import { EMPTY_SUM } from '../row-digest.ts';
import { RowSet } from '../row-set.ts';
import type { Table } from '../table.ts';
import type { EntryIndex, EntryIndexCheck, EntryRowChange, IndexTransaction } from './contract.ts';
import type { FoldPlan } from './fold-plan.ts';
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
  /** PostgreSQL reads side by side. */
  readonly #turn = new Semaphore(1);
  #plan: FoldPlan | undefined;
  foldDue = false;

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
    return listSealed(database, {
      source: { names: this.#reader, entries: this.#entries, turn: this.#turn },
      query,
      signal,
    });
  }

  async apply(context: IndexTransaction, changes: readonly EntryRowChange[]): Promise<void> {
    const logged = changes.flatMap((change) => loggedChangeOf(change) ?? []);
    if (logged.length === 0) return;
    // A plan made here may be of rows that are never committed: it is used, not kept.
    const writer = await IndexWriter.begin(context, this.#names, this.#plan);
    await writer.append(logged);
    await writer.save();
    this.foldDue = writer.foldDue;
  }

  async fold(context: IndexTransaction): Promise<void> {
    const writer = await IndexWriter.begin(context, this.#names, this.#plan);
    await writer.fold();
    this.#plan = writer.foldDue ? writer.plan : undefined;
    this.foldDue = writer.foldDue;
  }

  check(): EntryIndexCheck {
    return new NamesCheck(this.#names);
  }
}
