import { equalBytes, toHex } from '../bytes/bytes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import type { Reader, SqlParameters, SqlRow, SqlValue, Transaction } from './database.ts';
import { digestColumns, digestValues, ROW_DIGEST_BYTES } from './row-digest.ts';

/** Where the codec of a table takes the values of a row from. Wrong types are `corrupt/METADATA_CORRUPT`. */
export interface Columns {
  /** Not negative, at most 2^53-1. */
  integer(column: string): number;
  bytes(column: string): Uint8Array;
  text(column: string): string;
  /** `undefined` for NULL. */
  optionalBytes(column: string): Uint8Array | undefined;
}

/** What makes a table: its columns and how its rows read as values. */
export interface TableShape<Row> {
  readonly name: string;
  /** The columns of the primary key, then the others. */
  readonly keyColumns: readonly string[];
  readonly valueColumns: readonly string[];
  /** Columns that the row digest leaves out: facts of this machine only. */
  readonly localColumns?: readonly string[];
  /** Values in the order of key, value and local columns. */
  encode(row: Row): readonly SqlValue[];
  decode(columns: Columns): Row;
}

/** A row that matches its digest. */
export interface CheckedRow<Row> {
  readonly row: Row;
  readonly digest: Uint8Array;
}

function formatValue(value: SqlValue | undefined): string {
  return value instanceof Uint8Array ? toHex(value.subarray(0, 64)) : String(value);
}

/** One table: reads rows and checks each against its digest, writes rows with theirs. Knows nothing of sums. */
export class Table<Row> {
  readonly shape: TableShape<Row>;
  /** Columns of every query, the digest last. */
  readonly columnList: string;
  readonly #digested: readonly string[];
  readonly #select: string;
  readonly #upsert: string;
  readonly #delete: string;

  constructor(shape: TableShape<Row>) {
    const { name, keyColumns, valueColumns, localColumns = [] } = shape;
    const columns = [...keyColumns, ...valueColumns, ...localColumns, 'digest'];
    const byKey = keyColumns.map((column) => `${column} = ?`).join(' AND ');
    const updates = columns.slice(keyColumns.length).map((column) => `${column} = excluded.${column}`);
    this.shape = shape;
    this.columnList = columns.join(', ');
    this.#digested = [...keyColumns, ...valueColumns];
    this.#select = `SELECT ${this.columnList} FROM ${name} WHERE ${byKey}`;
    this.#upsert = `INSERT INTO ${name} (${this.columnList}) VALUES (${columns.map(() => '?').join(', ')})
      ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
    this.#delete = `DELETE FROM ${name} WHERE ${byKey}`;
  }

  #corrupt(row: SqlRow, problem: string, cause?: unknown): StoreError {
    const { name, keyColumns } = this.shape;
    const key = keyColumns.map((column) => formatValue(row[column])).join('/');
    return storeError('METADATA_CORRUPT', `metadata table ${name}, row ${key}: ${problem}`, {
      details: { table: name, key },
      cause,
    });
  }

  #columns(row: SqlRow): Columns {
    const wrong = (column: string): never => {
      throw this.#corrupt(row, `column ${column} holds a value of the wrong kind`);
    };
    const bytes = (column: string): Uint8Array => {
      const value = row[column];
      return value instanceof Uint8Array ? value : wrong(column);
    };
    return {
      bytes,
      optionalBytes: (column) => (row[column] === null ? undefined : bytes(column)),
      text: (column) => {
        const value = row[column];
        return typeof value === 'string' ? value : wrong(column);
      },
      integer: (column) => {
        const value = row[column];
        return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(column);
      },
    };
  }

  /**
   * A row as the database returned it, checked.
   * @throws `corrupt/METADATA_CORRUPT` when it does not match its digest
   */
  check(row: SqlRow): CheckedRow<Row> {
    const { digest } = row;
    const sound =
      digest instanceof Uint8Array &&
      digest.length === ROW_DIGEST_BYTES &&
      equalBytes(digest, digestColumns(this.shape.name, row, this.#digested));
    if (!sound) throw this.#corrupt(row, 'does not match its digest');
    return { row: this.shape.decode(this.#columns(row)), digest };
  }

  /** The rows with these primary keys, in their order. */
  async load(reader: Reader, keys: readonly SqlParameters[]): Promise<readonly (CheckedRow<Row> | undefined)[]> {
    if (keys.length === 0) return [];
    const rows = await reader.lookup(this.#select, keys);
    return rows.map((row) => row && this.check(row));
  }

  /** The rows of a query: `tail` is what follows `SELECT columns FROM table`. */
  async select(reader: Reader, tail: string, parameters: SqlParameters = []): Promise<readonly CheckedRow<Row>[]> {
    const rows = await reader.all(`SELECT ${this.columnList} FROM ${this.shape.name} ${tail}`, parameters);
    return rows.map((row) => this.check(row));
  }

  /** The primary key of a row. */
  keyOf(row: Row): SqlParameters {
    return this.shape.encode(row).slice(0, this.shape.keyColumns.length);
  }

  /** The digest that a row gets when it is written. */
  digestOf(row: Row): Uint8Array {
    return digestValues(this.shape.name, this.shape.encode(row).slice(0, this.#digested.length));
  }

  /** Writes rows whether or not there is one with the same key. */
  async upsert(transaction: Transaction, rows: readonly CheckedRow<Row>[]): Promise<void> {
    if (rows.length === 0) return;
    const sets = rows.map(({ row, digest }) => [...this.shape.encode(row), digest]);
    await transaction.run(this.#upsert, sets);
  }

  async delete(transaction: Transaction, keys: readonly SqlParameters[]): Promise<void> {
    if (keys.length > 0) await transaction.run(this.#delete, keys);
  }
}
