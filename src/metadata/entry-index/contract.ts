/**
 * The entry index: what finds entries in order. In a plain store that is an index of the database; in a sealed one the
 * database can neither order nor compare what it holds, and the index keeps sealed lists of its own.
 *
 * Invariant: in every committed state the index names exactly the entries of the table `entries`, because it changes in
 * the transaction that changes them.
 */
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database, Reader, Transaction } from '../database.ts';
import type { TableSum } from '../row-digest.ts';
import type { Table } from '../table.ts';

/** What happened to one row of `entries`: it came (no `before`), went (no `after`) or changed. */
export interface EntryRowChange {
  readonly before: EntryRow | undefined;
  readonly after: EntryRow | undefined;
}

/** A transaction with the sums of its tables by name; whoever writes rows brings their sum up to date. */
export interface IndexTransaction {
  readonly transaction: Transaction;
  readonly sums: Map<string, TableSum>;
}

/** Compares the index with the rows of `entries`, in memory that does not grow with their number. */
export interface EntryIndexCheck {
  /** Every row of `entries` is shown once, in any order. */
  addEntry(row: EntryRow): void;
  /**
   * To be called after the last entry, with a reader that sees the same state.
   * @returns problems in words, without names; damage in the index's own tables is among them
   */
  finish(reader: Reader, signal?: AbortSignal): Promise<readonly string[]>;
}

export interface EntryIndex {
  /** Tables of the index itself: their rows are counted and summed like all others. None in a plain store. */
  readonly tables: readonly Table<unknown>[];
  /** Writes the rows that an empty index has, in the transaction that makes the metadata. */
  create(context: IndexTransaction): Promise<void>;
  /**
   * See `Metadata.listEntries`. A sealed index answers for one namespace: the one whose scope the prefix begins with,
   * the default namespace without one.
   * @throws `corrupt/METADATA_CORRUPT` when a row of the index is damaged or gone, or names an entry that is not there
   */
  list(database: Database, query: EntryQuery, signal?: AbortSignal): Promise<readonly EntryRow[]>;
  /** Takes over changes of `entries`, within the transaction that makes them. Each row at most once per call. */
  apply(context: IndexTransaction, changes: readonly EntryRowChange[]): Promise<void>;
  /** Whether changes have gathered that `fold` should move: a hint, cheap to ask after every commit. */
  readonly foldDue: boolean;
  /**
   * One bounded step of moving gathered changes to where lists find them without reading them all, in a transaction of
   * its own.
   */
  fold(context: IndexTransaction): Promise<void>;
  /** Begins a comparison with `entries`. */
  check(): EntryIndexCheck;
}
