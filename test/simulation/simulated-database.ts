import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { Database, Dialect, Snapshot, SqlParameters, SqlRow, Transaction } from '../../src/metadata/database.ts';
import { openSqlDatabase } from '../../src/metadata/open-sqlite.ts';
import { Semaphore } from '../../src/runtime/semaphore.ts';
import { makeTemporaryFolder } from '../../src/testing/index.ts';

const DIALECT: Dialect = { bytes: 'BLOB', integer: 'INTEGER', keyedTable: 'WITHOUT ROWID' };
/** `user_version` of a database that was set aside. */
const SET_ASIDE = -1;

/** Who uses a database. */
export interface CommitWatch {
  /** Whether nothing of it may go on just now. */
  readonly isHeld: boolean;
  look(): Promise<void>;
  beforeCommit(): Promise<void>;
  /** Does the work of a transaction, or lets it fail. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Throws when it is gone. */
  assertAlive(): void;
}

interface StoreOfMetadata {
  readonly storeId: Uint8Array;
  readonly sealed: boolean;
}

/** What new metadata is made of. */
interface Template {
  readonly statements: readonly string[];
  readonly rows: readonly { readonly insert: string; readonly values: SQLInputValue[] }[];
}

/** Takes new metadata apart: one in memory cannot be opened from a file and still show what was not committed yet. */
async function makeTemplate(store: StoreOfMetadata): Promise<Template> {
  const folder = await makeTemporaryFolder();
  try {
    const file = path.join(folder.path, 'metadata');
    await (await openSqlDatabase({ ...store, path: file, create: true, readOnly: false, busyTimeoutMs: 0 })).close();
    const connection = new DatabaseSync(file);
    const schema = connection.prepare('SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL').all();
    const rows = schema
      .filter(({ type }) => type === 'table')
      .flatMap(({ name }) =>
        connection
          .prepare(`SELECT * FROM ${name}`)
          .all()
          .map((row) => toInsert(`${name}`, row)),
      );
    connection.close();
    // Small pages, because states are compared by them.
    return { statements: ['PRAGMA page_size = 512', ...schema.map(({ sql }) => `${sql}`)], rows };
  } finally {
    await folder.remove();
  }
}

function toInsert(table: string, row: Record<string, SQLOutputValue>): Template['rows'][number] {
  const columns = Object.keys(row);
  const insert = `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`;
  return { insert, values: Object.values(row) };
}

const templates = new Map<string, Promise<Template>>();

function templateOf(store: StoreOfMetadata): Promise<Template> {
  const name = `${Buffer.from(store.storeId).toString('hex')} ${store.sealed}`;
  const template = templates.get(name) ?? makeTemplate(store);
  templates.set(name, template);
  return template;
}

/**
 * Metadata in memory, whose transactions are durable when they have ended: SQLite itself is not in question here.
 *
 * What is tried from one state on is undone afterwards. Transactions are savepoints within a savepoint, which costs
 * nothing, where a copy of all pages and statements prepared anew would cost more than what is tried.
 */
export class SimulatedDatabase {
  readonly #connection = new DatabaseSync(':memory:');
  readonly #prepared = new Map<string, StatementSync>();
  readonly #turn = new Semaphore(1);

  private constructor({ statements, rows }: Template) {
    for (const statement of statements) this.#connection.exec(statement);
    for (const { insert, values } of rows) this.#connection.prepare(insert).run(...values);
  }

  /** New metadata of a store. */
  static async create(store: StoreOfMetadata): Promise<SimulatedDatabase> {
    return new SimulatedDatabase(await templateOf(store));
  }

  /** Whether no process takes it for the metadata of its store any more. */
  get isSetAside(): boolean {
    return this.#connection.prepare('PRAGMA user_version').get()?.user_version === SET_ASIDE;
  }

  async setAside(): Promise<void> {
    await this.#inTurn(async () => this.#connection.exec(`PRAGMA user_version = ${SET_ASIDE}`));
  }

  /** All pages, when no transaction is under way: the same ones hold the same. */
  async pages(): Promise<Uint8Array> {
    let pages = new Uint8Array(0);
    await this.#inTurn(async () => {
      pages = this.#connection.serialize();
    });
    return pages;
  }

  /** From here on everything can be undone. */
  async enter(): Promise<void> {
    await this.#inTurn(async () => this.#connection.exec('SAVEPOINT tried'));
  }

  /** Undoes what was done since the last `enter`. */
  async leave(): Promise<void> {
    await this.#inTurn(async () => this.#connection.exec('ROLLBACK TO tried; RELEASE tried'));
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * What a process has of it.
   * @param flushFile makes the file durable that stands for it; called before the first commit
   */
  connect(process: CommitWatch, flushFile: () => Promise<void>): Database {
    let flushed: Promise<void> | undefined;
    return {
      dialect: DIALECT,
      read: (work) => process.transaction(() => this.#within(process, work)),
      write: async (work) => {
        flushed ??= flushFile();
        await flushed;
        await process.beforeCommit();
        return await process.transaction(() => this.#within(process, work));
      },
      snapshot: async () => {
        // One that is open already would stay so.
        await process.transaction(async () => undefined);
        return await this.#snapshot(process);
      },
      scrub: async () => true,
      close: async () => undefined,
    };
  }

  async #within<T>(process: CommitWatch, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await this.#turnOf(process);
    try {
      process.assertAlive();
      this.#connection.exec('SAVEPOINT work');
      try {
        const value = await work(this.#statements());
        this.#connection.exec('RELEASE work');
        return value;
      } catch (error) {
        this.#connection.exec('ROLLBACK TO work; RELEASE work');
        throw error;
      }
    } finally {
      this.#turn.release();
    }
  }

  async #snapshot(process: CommitWatch): Promise<Snapshot> {
    await this.#turnOf(process);
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (isOpen) this.#turn.release();
      isOpen = false;
    };
    return { ...this.#statements(), holdsWriters: true, close };
  }

  /** A process that is held must not see what others try meanwhile. */
  async #turnOf(process: CommitWatch): Promise<void> {
    for (;;) {
      await process.look();
      await this.#turn.acquire();
      if (!process.isHeld) return;
      this.#turn.release();
    }
  }

  async #inTurn(work: () => Promise<unknown>): Promise<void> {
    await this.#turn.acquire();
    try {
      await work();
    } finally {
      this.#turn.release();
    }
  }

  #statements(): Transaction {
    const prepared = (sql: string): StatementSync => {
      const known = this.#prepared.get(sql);
      if (known) return known;
      const statement = this.#connection.prepare(sql);
      this.#prepared.set(sql, statement);
      return statement;
    };
    const inputs = (parameters: SqlParameters) => parameters as SQLInputValue[];
    return {
      all: async (sql, parameters) => prepared(sql).all(...inputs(parameters)) as SqlRow[],
      lookup: async (sql, sets) => sets.map((set) => prepared(sql).get(...inputs(set)) as SqlRow | undefined),
      run: async (sql, sets) => {
        for (const set of sets) prepared(sql).run(...inputs(set));
      },
    };
  }
}
