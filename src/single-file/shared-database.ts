import { storeError } from '../errors/store-error.ts';
import type { Database, Dialect, Reader, Snapshot, Transaction } from '../metadata/database.ts';

/** A database that somebody else closes: of a single file, whose metadata is closed before its blobs. */
export class SharedDatabase implements Database {
  readonly #database: Database;
  #closed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  get dialect(): Dialect {
    return this.#database.dialect;
  }

  #open(): Database {
    if (this.#closed) throw storeError('STORE_CLOSED', 'the metadata is closed');
    return this.#database;
  }

  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return await this.#open().read(work);
  }

  async write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return await this.#open().write(work);
  }

  async snapshot(): Promise<Snapshot> {
    return await this.#open().snapshot();
  }

  async scrub(): Promise<boolean> {
    return await this.#open().scrub();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
