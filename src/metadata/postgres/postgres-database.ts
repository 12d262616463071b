import type { ClientConfig, Pool, PoolClient } from 'pg';
import { invariant, storeError } from '../../errors/store-error.ts';
import { GatheringSocket } from '../../runtime/gathering-socket.ts';
import { Semaphore } from '../../runtime/semaphore.ts';
import { sleep } from '../../runtime/timers.ts';
import type { Database, DatabaseRequests, Dialect, Reader, Snapshot, SqlValue, Transaction } from '../database.ts';
import { fromPostgresError, isConnectionLost } from './postgres-errors.ts';
import { PostgresStatements, type RequestCounts } from './postgres-statements.ts';
import { NAME_LENGTH_MAX, type PostgresPlace } from './postgres-url.ts';

export interface PostgresDatabaseOptions extends PostgresPlace {
  readonly readOnly: boolean;
  /** Milliseconds to wait for another writer. */
  readonly busyTimeoutMs: number;
}

const DIALECT: Dialect = {
  ...{ bytes: 'BYTEA', integer: 'BIGINT', keyedTable: '' },
  time: 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)',
};
/** Those of transactions, the others for snapshots. */
const CONNECTIONS_MAX = 16;
/** Transactions that only read, side by side: whoever waits for an answer is in nobody's way. */
const READERS_MAX = 4;
const CONNECT_MS = 10_000;
/** How long a server is asked what became of a commit whose answer was lost. */
const RESOLVE_MS = 30_000;
const RESOLVE_PAUSE_MS = 200;

const BYTES_TYPE = 17;
/** Of eight bytes, and what a sum is. */
const INTEGER_TYPES: ReadonlySet<number> = new Set([20, 1700]);

function parseInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Bytes as such: what the caller gets is no view of a pool. */
function parseBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

const TYPES: NonNullable<ClientConfig['types']> = {
  getTypeParser: (type: number) => {
    if (type === BYTES_TYPE) return parseBytes;
    return INTEGER_TYPES.has(type) ? parseInteger : (text: string) => text;
  },
};

const ignore = (): void => undefined;

/** By which a server knows the connections of those that have the metadata in a schema open. */
export function connectionName(schema: string): string {
  return `holdfast ${schema}`.slice(0, NAME_LENGTH_MAX);
}

async function connect({ url, schema }: PostgresPlace): Promise<Pool> {
  // Loaded for those alone who have metadata there.
  const { Pool } = (await import('pg')).default;
  const pool = new Pool({
    ...{ connectionString: url, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_MS, keepAlive: true },
    // Statements are sent without waiting for the answers to those before, and those of one step together.
    ...{ pipeline: true, stream: () => new GatheringSocket() },
    ...{ types: TYPES, application_name: connectionName(schema) },
    // A commit that resolved survives a power cut of the server (its manual, section 30.4).
    options: `-c search_path=${schema} -c synchronous_commit=on`,
  });
  // An idle connection that ends is no loss: the next one who needs it gets another.
  pool.on('error', ignore);
  // Whoever waits for an answer is told by it. For as long as the connection lives: a server may end it in the very bytes
  // that make it, before anybody has it, and without a listener its end would end the process.
  pool.on('connect', (connection) => {
    connection.on('error', ignore);
  });
  return pool;
}

/**
 * A schema of a PostgreSQL database behind the seam. Writers of all processes take turns by an advisory lock that the server
 * gives back when a transaction or its connection ends; so every statement sees what those before have committed, and
 * transactions are as serial as those of SQLite. Readers see one snapshot each.
 */
export class PostgresDatabase implements Database {
  readonly dialect = DIALECT;
  readonly #options: PostgresDatabaseOptions;
  readonly #pool: Pool;
  /** A reader takes one part of it, a writer all. */
  readonly #turn = new Semaphore(READERS_MAX);
  readonly #snapshots = new Set<Snapshot>();
  readonly #counts: RequestCounts = { statements: 0, roundTrips: 0, connections: 0 };
  #closed = false;

  private constructor(options: PostgresDatabaseOptions, pool: Pool) {
    this.#options = options;
    this.#pool = pool;
    pool.on('connect', () => {
      this.#counts.connections += 1;
    });
  }

  get requests(): DatabaseRequests {
    return Object.freeze({ ...this.#counts });
  }

  /** Connects when it is used, and not before. */
  static async open(options: PostgresDatabaseOptions): Promise<PostgresDatabase> {
    return new PostgresDatabase(options, await connect(options));
  }

  /** In the order asked: whoever reads sees what was to be written before. */
  async #inTurn<T>(parts: number, work: () => Promise<T>): Promise<T> {
    await this.#turn.acquire(parts);
    try {
      if (this.#closed) throw storeError('STORE_CLOSED', 'the metadata is closed');
      return await work();
    } finally {
      this.#turn.release(parts);
    }
  }

  async #reserve(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw fromPostgresError(error);
    }
  }

  async #connected<T>(work: (statements: PostgresStatements) => Promise<T>): Promise<T> {
    const connection = await this.#reserve();
    let isLost = false;
    try {
      return await work(new PostgresStatements(connection, this.#counts));
    } catch (error) {
      isLost = isConnectionLost(error);
      throw error;
    } finally {
      connection.release(isLost);
    }
  }

  read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#inTurn(1, () =>
      this.#connected(async (statements) => {
        // Sent with the first query, whose state is the one to see.
        statements.ahead('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        try {
          return await work(statements);
        } finally {
          // Nothing was changed: how it ends is nobody's concern, and the next one finds out whether there is a connection.
          statements.ahead('ROLLBACK');
        }
      }),
    );
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#options.readOnly) {
      return Promise.reject(storeError('READ_ONLY', 'the metadata was opened for reading only'));
    }
    return this.#inTurn(READERS_MAX, () => this.#writing(work));
  }

  async #writing<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let transactionId: SqlValue | undefined;
    const outcome = await this.#connected(async (statements) => {
      transactionId = await this.#begin(statements);
      let result: T;
      try {
        result = await work(statements);
      } catch (error) {
        await statements.command('ROLLBACK').catch(() => undefined);
        throw error;
      }
      try {
        const done = await statements.command('COMMIT');
        invariant(done === 'COMMIT', 'a transaction in which a statement failed was to be committed');
        return { result, isKnown: true };
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        return { result, isKnown: false };
      }
    });
    if (!outcome.isKnown) await this.#resolve(transactionId);
    return outcome.result;
  }

  /** @returns the id of the transaction, which tells what became of it if its end goes unanswered */
  async #begin(statements: PostgresStatements): Promise<SqlValue | undefined> {
    const { busyTimeoutMs, schema } = this.#options;
    statements.ahead('BEGIN ISOLATION LEVEL READ COMMITTED');
    // 0 would be for ever.
    statements.ahead(`SET LOCAL lock_timeout = ${Math.max(1, busyTimeoutMs)}`);
    try {
      const turn = 'SELECT pg_advisory_xact_lock(hashtextextended(?, 0))::text, txid_current() AS id';
      const [row] = await statements.all(turn, [schema]);
      return row?.id;
    } catch (error) {
      await statements.command('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /**
   * Finds out what became of a transaction whose COMMIT was not answered.
   * @throws `unavailable/METADATA_BUSY` when it was undone; `unavailable/BACKEND_IO` when nobody can tell
   */
  async #resolve(transactionId: SqlValue | undefined): Promise<void> {
    for (let waitedMs = 0; waitedMs < RESOLVE_MS; waitedMs += RESOLVE_PAUSE_MS) {
      const status = await this.#statusOf(transactionId);
      if (status === 'committed') return;
      if (status === 'aborted') {
        throw storeError('METADATA_BUSY', 'PostgreSQL ended the connection before the commit; nothing was changed');
      }
      if (status === null) break;
      await sleep(RESOLVE_PAUSE_MS);
    }
    const message = 'PostgreSQL ended the connection during a commit, and nobody can tell whether it was made';
    throw storeError('BACKEND_IO', message, { retry: false });
  }

  /** @returns `undefined` while the server cannot be asked; `null` when it does not know */
  async #statusOf(transactionId: SqlValue | undefined): Promise<SqlValue | undefined> {
    try {
      return await this.#connected(async (statements) => {
        const [row] = await statements.all('SELECT txid_status(CAST(? AS BIGINT)) AS status', [transactionId ?? 0]);
        return row?.status ?? null;
      });
    } catch (error) {
      if (isConnectionLost(error)) return undefined;
      throw error;
    }
  }

  async snapshot(): Promise<Snapshot> {
    return await this.#inTurn(1, async () => {
      const connection = await this.#reserve();
      const statements = new PostgresStatements(connection, this.#counts);
      try {
        statements.ahead('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        // The state to see is that of the first query.
        await statements.command('SELECT 1');
      } catch (error) {
        connection.release(isConnectionLost(error));
        throw error;
      }
      let isOpen = true;
      const live = (): PostgresStatements => {
        if (isOpen) return statements;
        throw storeError('STORE_CLOSED', 'the metadata is closed');
      };
      const snapshot: Snapshot = {
        holdsWriters: false,
        all: async (sql, parameters) => live().all(sql, parameters),
        lookup: async (sql, sets) => live().lookup(sql, sets),
        close: async () => {
          if (!isOpen) return;
          isOpen = false;
          this.#snapshots.delete(snapshot);
          const ended = statements.command('ROLLBACK').then(() => false, isConnectionLost);
          connection.release(await ended);
        },
      };
      this.#snapshots.add(snapshot);
      return snapshot;
    });
  }

  /**
   * Takes rows that were changed or deleted out of the tables. Their bytes go when their pages are used again, and
   * remain in the log and in backups of the server as long as it keeps these.
   */
  async scrub(): Promise<boolean> {
    return await this.#inTurn(READERS_MAX, () =>
      this.#connected(async (statements) => {
        const tables = await statements.all('SELECT tablename FROM pg_tables WHERE schemaname = ?', [
          this.#options.schema,
        ]);
        for (const { tablename } of tables) await statements.command(`VACUUM "${tablename}"`);
        return true;
      }),
    );
  }

  async close(): Promise<void> {
    for (const snapshot of [...this.#snapshots]) await snapshot.close();
    await this.#turn.acquire(READERS_MAX);
    try {
      if (this.#closed) return;
      this.#closed = true;
      await this.#pool.end();
    } finally {
      this.#turn.release(READERS_MAX);
    }
  }
}
