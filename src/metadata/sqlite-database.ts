import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { storeError } from '../errors/store-error.ts';
import { METADATA_CACHE_BYTES, METADATA_SCRUB_TIMEOUT_MS } from '../limits.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import type { Database, Dialect, Reader, Snapshot, SqlParameters, SqlRow, SqlValue, Transaction } from './database.ts';
import { fromSqliteError } from './sqlite-errors.ts';

export interface SqliteDatabaseOptions {
  /** A file, or `:memory:`. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Milliseconds to wait for another process. The thread is blocked meanwhile. */
  readonly busyTimeoutMs: number;
  /** Overwrites what is deleted with zeros (https://sqlite.org/pragma.html#pragma_secure_delete). Default false. */
  readonly secureDelete?: boolean;
}

const DIALECT: Dialect = { bytes: 'BLOB', integer: 'INTEGER', keyedTable: 'WITHOUT ROWID' };

/**
 * `synchronous = FULL` syncs the write-ahead log at every commit: a commit that resolved survives a power cut.
 * https://sqlite.org/pragma.html
 */
const CONNECTION_SETTINGS = [
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = OFF',
  'PRAGMA trusted_schema = OFF',
  'PRAGMA temp_store = MEMORY',
];
/** Not of a snapshot, which mostly reads each page once, in order: the 2 MiB that SQLite takes by itself do for that. */
const CACHE_SETTING = `PRAGMA cache_size = -${METADATA_CACHE_BYTES / 1024}`;

function openConnection(options: SqliteDatabaseOptions, others: readonly string[]): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(options.path, { readOnly: options.readOnly, timeout: options.busyTimeoutMs });
    for (const statement of [...CONNECTION_SETTINGS, ...others]) connection.exec(statement);
    if (options.secureDelete) connection.exec('PRAGMA secure_delete = ON');
    return connection;
  } catch (error) {
    connection?.close();
    throw fromSqliteError(error);
  }
}

/** Only a damaged row holds such a number, and it must be seen as a row that is wrong, not as a failed query. */
function isNumberTooLarge(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE';
}

function withPlainNumbers(row: Record<string, SqlValue>): SqlRow {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[column] = Number(value);
  }
  return row;
}

/**
 * Statements of one connection, each prepared once. Asynchronous only in form: SQLite answers in the calling thread.
 */
class SqliteStatements implements Transaction {
  readonly #connection: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#connection.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Like `query`, for rows with integers beyond 2^53-1. */
  #largeNumbers(statement: StatementSync, parameters: SqlParameters): readonly SqlRow[] {
    statement.setReadBigInts(true);
    try {
      return (statement.all(...(parameters as SQLInputValue[])) as Record<string, SqlValue>[]).map(withPlainNumbers);
    } finally {
      statement.setReadBigInts(false);
    }
  }

  #first(statement: StatementSync, parameters: SqlParameters): SqlRow | undefined {
    try {
      return statement.get(...(parameters as SQLInputValue[])) as SqlRow | undefined;
    } catch (error) {
      if (isNumberTooLarge(error)) return this.#largeNumbers(statement, parameters)[0];
      throw error;
    }
  }

  async all(sql: string, parameters: SqlParameters): Promise<readonly SqlRow[]> {
    try {
      const statement = this.#prepare(sql);
      try {
        return statement.all(...(parameters as SQLInputValue[])) as SqlRow[];
      } catch (error) {
        if (isNumberTooLarge(error)) return this.#largeNumbers(statement, parameters);
        throw error;
      }
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  async lookup(sql: string, sets: readonly SqlParameters[]): Promise<readonly (SqlRow | undefined)[]> {
    try {
      const statement = this.#prepare(sql);
      return sets.map((parameters) => this.#first(statement, parameters));
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  async run(sql: string, sets: readonly SqlParameters[]): Promise<void> {
    try {
      const statement = this.#prepare(sql);
      for (const parameters of sets) statement.run(...(parameters as SQLInputValue[]));
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  /** Runs `work` between `begin` and COMMIT, or ROLLBACK when it throws. */
  async within<T>(begin: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await this.run(begin, [[]]);
    try {
      const result = await work(this);
      await this.run('COMMIT', [[]]);
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (full disk, failed write); a second ROLLBACK would hide
      // them.
      if (this.#connection.isTransaction) await this.run('ROLLBACK', [[]]);
      throw error;
    }
  }
}

/**
 * One SQLite file in write-ahead mode behind the seam. Blocks its thread while it works: give it a thread of its own.
 */
export class SqliteDatabase implements Database {
  readonly dialect = DIALECT;
  readonly #options: SqliteDatabaseOptions;
  readonly #connection: DatabaseSync;
  readonly #statements: SqliteStatements;
  /** Work may await, so without this a second transaction could begin inside the first. */
  readonly #turn = new Semaphore(1);
  readonly #snapshots = new Set<Snapshot>();
  #views: readonly string[] = [];
  #closed = false;

  /** Opens or creates the file; does not look at what is in it. */
  constructor(options: SqliteDatabaseOptions) {
    this.#options = options;
    this.#connection = openConnection(options, [CACHE_SETTING]);
    this.#statements = new SqliteStatements(this.#connection);
  }

  /** A number that SQLite keeps in the file header, such as `user_version`; the name is never input. */
  pragma(name: 'user_version' | 'application_id' | 'page_size'): number {
    try {
      return Number(this.#connection.prepare(`PRAGMA ${name}`).get()?.[name]);
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  /** Whether nothing was ever written to the file. */
  get empty(): boolean {
    try {
      return this.#connection.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  /** Statements without parameters and without result, outside of any transaction of the seam. */
  execute(...statements: readonly string[]): void {
    try {
      for (const statement of statements) this.#connection.exec(statement);
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  /** Puts temporary views before the tables, for this connection and those of snapshots. To be called once. */
  addViews(views: readonly string[]): void {
    this.execute(...views);
    this.#views = views;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.#turn.acquire();
    try {
      if (this.#closed) throw storeError('STORE_CLOSED', 'the metadata is closed');
      return await work();
    } finally {
      this.#turn.release();
    }
  }

  read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#statements.within('BEGIN', work));
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#options.readOnly) {
      return Promise.reject(storeError('READ_ONLY', 'the metadata was opened for reading only'));
    }
    // IMMEDIATE takes the write lock first: a transaction that read and then wants to write could not be retried.
    return this.#inTurn(() => this.#statements.within('BEGIN IMMEDIATE', work));
  }

  /** Deleting overwrites pages by itself (`secureDelete`); the write-ahead log keeps old ones until it is truncated. */
  scrub(): Promise<boolean> {
    return this.#inTurn(async () => {
      try {
        this.#connection.exec(`PRAGMA busy_timeout = ${METADATA_SCRUB_TIMEOUT_MS}`);
        return this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0;
      } catch (error) {
        throw fromSqliteError(error);
      } finally {
        this.#connection.exec(`PRAGMA busy_timeout = ${this.#options.busyTimeoutMs}`);
      }
    });
  }

  async snapshot(): Promise<Snapshot> {
    // A database in memory has one connection only: its snapshot is a turn that lasts.
    const own = this.#options.path !== ':memory:';
    await this.#turn.acquire();
    try {
      if (this.#closed) throw storeError('STORE_CLOSED', 'the metadata is closed');
      return await this.#openSnapshot(own);
    } catch (error) {
      if (!own) this.#turn.release();
      throw error;
    } finally {
      if (own) this.#turn.release();
    }
  }

  async #openSnapshot(own: boolean): Promise<Snapshot> {
    const connection = own ? openConnection({ ...this.#options, readOnly: true }, this.#views) : this.#connection;
    const statements = own ? new SqliteStatements(connection) : this.#statements;
    await statements.run('BEGIN', [[]]);
    // BEGIN alone is lazy: the state to see is fixed by the first read.
    await statements.all('SELECT count(*) AS tables FROM sqlite_schema', []);
    let open = true;
    const close = async (): Promise<void> => {
      if (!open) return;
      open = false;
      this.#snapshots.delete(snapshot);
      if (own) connection.close();
      else {
        await statements.run('ROLLBACK', [[]]);
        this.#turn.release();
      }
    };
    const live = (): SqliteStatements => {
      if (open) return statements;
      throw storeError('STORE_CLOSED', 'the metadata is closed');
    };
    const snapshot: Snapshot = {
      holdsWriters: !own,
      all: async (sql, parameters) => live().all(sql, parameters),
      lookup: async (sql, sets) => live().lookup(sql, sets),
      close,
    };
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  async close(): Promise<void> {
    for (const snapshot of [...this.#snapshots]) await snapshot.close();
    await this.#turn.acquire();
    try {
      if (this.#closed) return;
      this.#closed = true;
      // The last connection to close writes the log back into the file and removes it.
      this.#connection.close();
    } catch (error) {
      throw fromSqliteError(error);
    } finally {
      this.#turn.release();
    }
  }
}
