import { invariant, isStoreError } from '../errors/store-error.ts';
import type { Database, Dialect, Reader, Snapshot, Transaction } from './database.ts';
import { keysChanged, loadGeneration } from './store-config.ts';

/**
 * The database of a sealed store as a process uses it that knows one generation of its keys. Transactions that write
 * begin only while no later one was set; reads go on, as long as they meet nothing that is sealed under later keys.
 */
export class KeyedDatabase implements Database {
  readonly #database: Database;
  /** Of the keys that rows are opened with now; `undefined` while locked. */
  generation: number | undefined;

  /** @param database closed with this one */
  constructor(database: Database) {
    this.#database = database;
  }

  get dialect(): Dialect {
    return this.#database.dialect;
  }

  /** The database without the guard, for what is there before the keys. */
  get unguarded(): Database {
    return this.#database;
  }

  /** @throws `conflict/KEYS_CHANGED` */
  async #checkCurrent(reader: Reader): Promise<void> {
    invariant(this.generation !== undefined, 'sealed metadata is unlocked before it is used');
    const stored = await loadGeneration(reader);
    if (stored > this.generation) throw keysChanged(this.generation, stored);
  }

  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#database.read(async (reader) => {
      invariant(this.generation !== undefined, 'sealed metadata is unlocked before it is used');
      try {
        return await work(reader);
      } catch (error) {
        // Of an epoch that these keys do not have: damage, unless there are later keys in this very state.
        if (isStoreError(error, 'METADATA_CORRUPT') && isStoreError(error.cause, 'EPOCH_UNKNOWN')) {
          await this.#checkCurrent(reader);
        }
        throw error;
      }
    });
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#database.write(async (transaction) => {
      await this.#checkCurrent(transaction);
      return work(transaction);
    });
  }

  async snapshot(): Promise<Snapshot> {
    const snapshot = await this.#database.snapshot();
    try {
      await this.#checkCurrent(snapshot);
      return snapshot;
    } catch (error) {
      await snapshot.close();
      throw error;
    }
  }

  scrub(): Promise<boolean> {
    return this.#database.scrub();
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
