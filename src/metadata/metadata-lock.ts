import { storeError } from '../errors/store-error.ts';
import { KeySchedule, type RingSecrets } from '../format/key-schedule.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { loadHead } from './books.ts';
import type { Transaction } from './database.ts';
import type { KeyedDatabase } from './keyed-database.ts';
import type { RowSealer } from './row-sealer.ts';
import { keysChanged, loadGeneration } from './store-config.ts';
import { allSummedTables, type StoreTables, writeFirstRows } from './store-tables.ts';
import { settingsTable } from './tables.ts';

/** A setting that is there once the first sealed rows are: they cannot be written before there are keys. */
const BEGUN = 'begun';

export interface MetadataLockParts {
  readonly database: KeyedDatabase;
  readonly sealer: RowSealer;
  readonly store: StoreTables;
  readonly random: RandomBytes;
  readonly readOnly: boolean;
}

/** What stands between the metadata of a sealed store and who has no keys. */
export class MetadataLock {
  readonly #parts: MetadataLockParts;

  constructor(parts: MetadataLockParts) {
    this.#parts = parts;
  }

  /** See `Metadata.unlock`. When it fails, everything is as it was. */
  async unlock(keys: RingSecrets, generation: number): Promise<void> {
    const { database, sealer } = this.#parts;
    const stored = await database.unguarded.read(loadGeneration);
    if (stored > generation) throw keysChanged(generation, stored);
    const before = { schedule: sealer.isUnlocked ? sealer.schedule : undefined, generation: database.generation };
    sealer.unlock(new KeySchedule(keys));
    database.generation = generation;
    try {
      await this.#begin();
      await database.read((reader) => loadHead(reader, this.#parts.store.tables));
    } catch (error) {
      if (before.schedule) sealer.unlock(before.schedule);
      else sealer.lock();
      database.generation = before.generation;
      throw error;
    }
  }

  /** Writes what every metadata begins with, once. */
  async #begin(): Promise<void> {
    const { database, readOnly } = this.#parts;
    const [begun] = await database.read((reader) => settingsTable.load(reader, [[BEGUN]]));
    if (begun) return;
    if (readOnly) throw storeError('METADATA_MISSING', 'the metadata was made and never used: it holds nothing yet');
    await database.write((transaction) => this.#writeFirstRows(transaction));
  }

  async #writeFirstRows(transaction: Transaction): Promise<void> {
    const [begun] = await settingsTable.load(transaction, [[BEGUN]]);
    if (begun) return;
    const { store, random } = this.#parts;
    const { tables } = store;
    for (const { shape } of [tables.head, tables.sums, ...allSummedTables(store)]) {
      const found = await transaction.all(`SELECT 1 AS found FROM ${shape.name} LIMIT 1`, []);
      if (found.length === 0) continue;
      throw storeError('METADATA_CORRUPT', 'metadata table settings: the row that says it was begun is gone', {
        details: { table: 'settings', key: BEGUN },
      });
    }
    await writeFirstRows(transaction, store, random);
    await settingsTable.put(transaction, { name: BEGUN, value: new Uint8Array([1]) });
  }
}
