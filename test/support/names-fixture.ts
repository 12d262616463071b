import { EMPTY_BYTES, utf8Encode } from '../../src/bytes/bytes.ts';
import { KeySchedule } from '../../src/format/key-schedule.ts';
import { loadSums } from '../../src/metadata/books.ts';
import type { EntryQuery, EntryRow } from '../../src/metadata/contract.ts';
import type { EntryRowChange, IndexTransaction } from '../../src/metadata/entry-index/contract.ts';
import { createNamesTables, type NamesTables, type RootsRow } from '../../src/metadata/entry-index/names-tables.ts';
import { SealedEntryIndex } from '../../src/metadata/entry-index/sealed-entry-index.ts';
import { addToSum, EMPTY_SUM } from '../../src/metadata/row-digest.ts';
import { RowSealer } from '../../src/metadata/row-sealer.ts';
import { RowSet } from '../../src/metadata/row-set.ts';
import { createSealedCodec } from '../../src/metadata/sealed-codec.ts';
import { SqliteDatabase } from '../../src/metadata/sqlite-database.ts';
import { type StoreTables, writeFirstRows } from '../../src/metadata/store-tables.ts';
import type { Table } from '../../src/metadata/table.ts';
import { createSealedTables, type Tables } from '../../src/metadata/tables.ts';
import { systemRandom } from '../../src/runtime/random.ts';

/** An entry row with the places that matter to an index; the rest means nothing. */
export function rowAt(key: string | Uint8Array, modified: number, size: number): EntryRow {
  const bytes = typeof key === 'string' ? utf8Encode(key) : key;
  return { key: bytes, modified, size, created: 0, version: new Uint8Array(32), entry: EMPTY_BYTES };
}

export interface NamesChange {
  readonly put?: readonly EntryRow[];
  readonly remove?: readonly Uint8Array[];
}

/** Cuts a transaction off before it is committed. */
class Crash extends Error {}

/**
 * One connection to a sealed entry index and the table of entries that it is about. Another one of the same path is
 * what another process has.
 */
export class NamesFixture {
  readonly database: SqliteDatabase;
  readonly names: NamesTables;
  readonly index: SealedEntryIndex;
  readonly #tables: Tables;

  constructor(path = ':memory:') {
    const sealer = new RowSealer(systemRandom);
    const secret = new Uint8Array(32).fill(7);
    const [epochs, namespaces] = [[{ number: 1, secret }], [{ number: 0, secret }]];
    sealer.unlock(new KeySchedule({ store: secret, epochs, namespaces }));
    const codec = createSealedCodec(sealer);
    this.#tables = createSealedTables(codec);
    this.names = createNamesTables(codec);
    this.index = new SealedEntryIndex(this.#tables.entries, this.names);
    this.database = new SqliteDatabase({ path, readOnly: false, busyTimeoutMs: 5000 });
  }

  get #parts(): StoreTables {
    return { tables: this.#tables, index: this.index };
  }

  async create(): Promise<this> {
    this.database.execute('PRAGMA journal_mode = WAL', 'PRAGMA synchronous = OFF');
    const { entries, head, sums } = this.#tables;
    const tables = [entries, head, sums, ...this.index.tables] as readonly Table<unknown>[];
    await this.database.write(async (transaction) => {
      for (const { shape, columnList, keyColumns } of tables) {
        await transaction.run(`CREATE TABLE ${shape.name} (${columnList}, PRIMARY KEY (${keyColumns}))`, [[]]);
      }
      await writeFirstRows(transaction, this.#parts, systemRandom);
    });
    return this;
  }

  async #write(work: (context: IndexTransaction) => Promise<void>, isCut: boolean): Promise<void> {
    try {
      await this.database.write(async (transaction) => {
        const { sums } = await loadSums(transaction, this.#parts);
        await work({ transaction, sums });
        await this.#tables.sums.put(transaction, ...[...sums].map(([name, sum]) => ({ name, ...sum })));
        if (isCut) throw new Crash();
      });
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }

  /** One commit; `isCut`: that never comes to its end. */
  commit({ put = [], remove = [] }: NamesChange, isCut = false): Promise<void> {
    return this.#write(async (context) => {
      const { transaction, sums } = context;
      const entries = new RowSet(this.#tables.entries);
      const keys = [...put.map(({ key }) => key), ...remove];
      await entries.load(
        transaction,
        keys.map((key) => [key]),
      );
      for (const key of remove) entries.remove([key]);
      for (const row of put) entries.put(row);
      const changes: EntryRowChange[] = [];
      const before = sums.get(entries.name);
      if (!before) throw new Error('the table of entries has a sum');
      const after = await entries.save(transaction, before, (was, is) => changes.push({ before: was, after: is }));
      sums.set(entries.name, after);
      await this.index.apply(context, changes);
    }, isCut);
  }

  /** One step. */
  fold(isCut = false): Promise<void> {
    return this.#write((context) => this.index.fold(context), isCut);
  }

  async foldAll(): Promise<void> {
    while ((await this.roots()).logChanges > 0) await this.fold();
  }

  async roots(): Promise<RootsRow> {
    const [found] = await this.database.read((reader) => this.names.roots.select(reader, ''));
    if (!found) throw new Error('the roots are there');
    return found.row;
  }

  list(query: Partial<EntryQuery> = {}): Promise<readonly EntryRow[]> {
    return this.index.list(this.database, { limit: 1_000_000, ...query });
  }

  /** What `check` finds. */
  problems(): Promise<readonly string[]> {
    const check = this.index.check();
    return this.database.read(async (reader) => {
      for (const { row } of await this.#tables.entries.select(reader, '')) check.addEntry(row);
      return check.finish(reader);
    });
  }

  /** Whether count and sum of every table of the index are those of its rows. */
  async sumsMatch(): Promise<boolean> {
    return this.database.read(async (reader) => {
      const { sums } = await loadSums(reader, this.#parts);
      for (const table of this.index.tables) {
        const rows = await table.select(reader, '');
        const kept = sums.get(table.shape.name);
        const sum = rows.reduce((total, { digest }) => addToSum(total, digest, 1), EMPTY_SUM);
        if (kept?.rows !== sum.rows || kept.sum !== sum.sum) return false;
      }
      return true;
    });
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
