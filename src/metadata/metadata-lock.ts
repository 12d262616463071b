import { storeError } from '../errors/store-error.ts';
import { KeySchedule, type RingSecrets } from '../format/key-schedule.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { loadHead } from './books.ts';
import type { Reader, Transaction } from './database.ts';
import type { KeyedDatabase } from './keyed-database.ts';
import type { RowSealer } from './row-sealer.ts';
import { keysChanged, loadGeneration } from './store-config.ts';
import { allSummedTables, type StoreTables, writeFirstRows } from './store-tables.ts';
import { settingsTable } from './tables.ts';

/** A setting that is there once the first sealed rows are: they cannot be written before there are keys. */
const BEGUN = 'begun';

async function isBegun(reader: Reader): Promise<boolean> {
  const [begun] = await settingsTable.load(reader, [[BEGUN]]);
  return begun !== undefined;
}

/** Keys, and the generation of the config they come from. */
interface MetadataKeys {
  readonly schedule: KeySchedule;
  readonly generation: number;
}

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

  /**
   * See `Metadata.unlock`. When it fails, everything is as it was. Keys change in a turn of the database, so that no
   * transaction writes a part of its rows under keys that prove to be wrong.
   */
  async unlock(keys: RingSecrets, generation: number): Promise<void> {
    const next = { schedule: new KeySchedule(keys), generation };
    const replaced: Partial<MetadataKeys>[] = [];
    try {
      await this.#use(next, (before) => replaced.push(before));
    } catch (error) {
      // It may be the end of the transaction that failed, after the keys were taken.
      for (const before of replaced) this.#giveBack(next, before);
      next.schedule.wipe();
      throw error;
    }
    for (const before of replaced) before.schedule?.wipe();
  }

  /** @param onTaken told what was used before */
  async #use(next: MetadataKeys, onTaken: (before: Partial<MetadataKeys>) => void): Promise<void> {
    const { database, store, readOnly } = this.#parts;
    const { unguarded } = database;
    const open = async (reader: Reader): Promise<void> => {
      await loadHead(reader, store.tables);
    };
    if (await unguarded.read(isBegun)) {
      await unguarded.read(async (reader) => onTaken(await this.#take(next, reader, open)));
      return;
    }
    if (readOnly) throw storeError('METADATA_MISSING', 'the metadata was made and never used: it holds nothing yet');
    await unguarded.write(async (transaction) => {
      const begin = async (): Promise<void> => {
        if (!(await isBegun(transaction))) await this.#writeFirstRows(transaction);
        await open(transaction);
      };
      onTaken(await this.#take(next, transaction, begin));
    });
  }

  /** Overwrites the keys. The database must be closed. */
  close(): void {
    const { sealer } = this.#parts;
    if (!sealer.isUnlocked) return;
    sealer.schedule.wipe();
    sealer.lock();
  }

  /** Uses other keys from now on, unless `work` fails with them. @returns what was used before */
  async #take(
    next: MetadataKeys,
    reader: Reader,
    work: (reader: Reader) => Promise<void>,
  ): Promise<Partial<MetadataKeys>> {
    const { database, sealer } = this.#parts;
    const stored = await loadGeneration(reader);
    if (stored > next.generation) throw keysChanged(next.generation, stored);
    const { generation } = database;
    const before = {
      ...(sealer.isUnlocked && { schedule: sealer.schedule }),
      ...(generation !== undefined && { generation }),
    };
    sealer.unlock(next.schedule);
    database.generation = next.generation;
    try {
      await work(reader);
    } catch (error) {
      this.#giveBack(next, before);
      throw error;
    }
    return before;
  }

  /** Uses what was used before, unless others have replaced these keys by now. */
  #giveBack(next: MetadataKeys, before: Partial<MetadataKeys>): void {
    const { database, sealer } = this.#parts;
    if (!sealer.isUnlocked || sealer.schedule !== next.schedule) return;
    if (before.schedule) sealer.unlock(before.schedule);
    else sealer.lock();
    database.generation = before.generation;
  }

  async #writeFirstRows(transaction: Transaction): Promise<void> {
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
