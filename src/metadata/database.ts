/**
 * The seam between the metadata and a database: the little of SQL engines that the metadata uses. Statements are
 * batched, because a round trip for every row is what makes a database across a network slow.
 *
 * SQL text is the common part of SQLite and PostgreSQL, with `?` for every parameter in order of appearance.
 */

export type SqlValue = null | number | bigint | string | Uint8Array;

/** One result row by column name. Integers beyond 2^53-1 come as `bigint`; byte arrays belong to the caller. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

export type SqlParameters = readonly SqlValue[];

/** Words that differ between the engines; everything else is said in the same SQL. */
export interface Dialect {
  /** Column types of byte strings, and of integers of 64 bits. */
  readonly bytes: string;
  readonly integer: string;
  /**
   * What follows the columns of a table that is stored in the order of its primary key, where the engine knows such.
   */
  readonly keyedTable: string;
  /** The time by the clock of a server, milliseconds since 1970; absent where there is none but that of the machine. */
  readonly time?: string;
}

/** Queries of one transaction. Not to be used after the work it was given to has ended. */
export interface Reader {
  /** All rows of one query. */
  all(sql: string, parameters: SqlParameters): Promise<readonly SqlRow[]>;
  /** The first row for each set of parameters, in their order. */
  lookup(sql: string, sets: readonly SqlParameters[]): Promise<readonly (SqlRow | undefined)[]>;
}

/** Queries and changes of one transaction that writes. */
export interface Transaction extends Reader {
  /**
   * Executes once for each set of parameters, in their order. Sets of one call insert, or delete, different rows: an engine may do
   * them all as one statement.
   */
  run(sql: string, sets: readonly SqlParameters[]): Promise<void>;
}

/** Whoever makes changes, each in a transaction. */
export interface Writer {
  /** `work` runs alone among the writers of all processes; its writes are durable together when this resolves. */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** Queries that all see one state for as long as it is open, whatever is committed meanwhile. */
export interface Snapshot extends Reader {
  /** Whether commits wait until it is closed. */
  readonly holdsWriters: boolean;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What was asked of a database server since it was opened. */
export interface DatabaseRequests {
  readonly statements: number;
  /** Times that answers were waited for: statements of one step go out together. */
  readonly roundTrips: number;
  /** That were made, those that ended since included. */
  readonly connections: number;
}

/**
 * Transactions of one connection: one at a time, in the order they were asked for.
 *
 * Errors are `StoreError`s: `unavailable/METADATA_BUSY` and `exhausted/DISK_FULL` (both: nothing was changed),
 * `corrupt/METADATA_CORRUPT`, `denied/READ_ONLY`, `unavailable/BACKEND_IO` without retry (the outcome of a write is
 * uncertain), `closed/STORE_CLOSED`. What `work` throws undoes its writes and is passed on.
 */
export interface Database extends Writer {
  readonly dialect: Dialect;
  /** Absent where there is no server: a file is asked at no price. */
  readonly requests?: DatabaseRequests | undefined;
  /** `work` sees one state of the database. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /** Commits go on beside a snapshot, but for a database in memory, where they wait until it is closed. */
  snapshot(): Promise<Snapshot>;
  /**
   * Overwrites what changed and deleted rows have left in the files of the database: pages, and the log of changes.
   * @returns false when somebody reads an older state just now, or another process is at it: not done, ask again
   */
  scrub(): Promise<boolean>;
  /** Waits for the transactions under way. Idempotent. */
  close(): Promise<void>;
}
