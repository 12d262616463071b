import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import type { Reader, SqlParameters, SqlRow, SqlValue, Transaction } from './database.ts';
import type { RowCodec, RowForm } from './row-codec.ts';

/** Where the codec of a table takes the values of a row from. Wrong types are `corrupt/METADATA_CORRUPT`. */
export interface Columns {
  /** Not negative, at most 2^53-1. */
  integer(column: string): number;
  bytes(column: string): Uint8Array;
  text(column: string): string;
  /** `undefined` for NULL and for a column that this store does not have. */
  optionalBytes(column: string): Uint8Array | undefined;
  optionalInteger(column: string): number | undefined;
  /** As it lies there, for local columns: no digest covers them, and what is wrong with one must not fail a read. */
  unchecked(column: string): SqlValue;
}

/** What makes a table: its columns and how its rows read as values. How they are stored is the codec's. */
export interface TableShape<Row> {
  readonly name: string;
  /** The columns of the primary key, then the others. */
  readonly keyColumns: readonly string[];
  readonly valueColumns: readonly string[];
  /**
   * The last of the value columns, where a later version of the schema brought them. Those that are NULL at the end
   * count for nothing: a row that has none of them is, digest and seal included, what an older version wrote.
   */
  readonly laterColumns?: readonly string[];
  /** Columns that the row digest leaves out: facts of this machine only. */
  readonly localColumns?: readonly string[];
  /** Columns that only sealed stores have. */
  readonly sealedColumns?: readonly string[];
  /** Of the value and sealed columns, those that queries of a sealed store need: they stay outside of the seal. */
  readonly clearColumns?: readonly string[];
  /** In a sealed store the primary key is one column `lookup`, a keyed digest; the key columns are sealed. */
  readonly hiddenKey?: boolean;
  /** What is sealed is padded to a multiple of this, so that its length tells little. Default `ROW_PAD_BYTES`. */
  readonly padBytes?: number;
  /** Values in the order of key, value, local and sealed columns. */
  encode(row: Row): readonly SqlValue[];
  decode(columns: Columns): Row;
  /** The values of the key columns, where encoding all of a row to know them would be dear. */
  keyOf?(row: Row): SqlParameters;
}

/** A row that matches its digest. */
export interface CheckedRow<Row> {
  readonly row: Row;
  /** Made when it is asked for, each time. */
  readonly digest: Uint8Array;
}

/** A row ready to be written. */
export interface StoredRow<Row> extends CheckedRow<Row> {
  readonly stored: readonly SqlValue[];
}

/** A class, since an accessor in an object literal costs more than checking a row. */
class CheckedColumns implements Columns {
  readonly #values: SqlRow;
  readonly #corrupt: (problem: string) => StoreError;

  constructor(values: SqlRow, corrupt: (problem: string) => StoreError) {
    this.#values = values;
    this.#corrupt = corrupt;
  }

  integer(column: string): number {
    const value = this.#values[column];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : this.#wrong(column);
  }

  bytes(column: string): Uint8Array {
    const value = this.#values[column];
    return value instanceof Uint8Array ? value : this.#wrong(column);
  }

  text(column: string): string {
    const value = this.#values[column];
    return typeof value === 'string' ? value : this.#wrong(column);
  }

  optionalBytes(column: string): Uint8Array | undefined {
    return this.#isAbsent(column) ? undefined : this.bytes(column);
  }

  optionalInteger(column: string): number | undefined {
    return this.#isAbsent(column) ? undefined : this.integer(column);
  }

  unchecked(column: string): SqlValue {
    return this.#values[column] ?? null;
  }

  #isAbsent(column: string): boolean {
    return this.unchecked(column) === null;
  }

  #wrong(column: string): never {
    throw this.#corrupt(`column ${column} holds a value of the wrong kind`);
  }
}

class DecodedCheckedRow<Row> implements CheckedRow<Row> {
  readonly row: Row;
  readonly #decoded: { readonly digest: Uint8Array };

  constructor(row: Row, decoded: { readonly digest: Uint8Array }) {
    this.row = row;
    this.#decoded = decoded;
  }

  get digest(): Uint8Array {
    return this.#decoded.digest;
  }
}

function formatValue(value: SqlValue | undefined): string {
  return value instanceof Uint8Array ? toHex(value.subarray(0, 64)) : String(value);
}

/** One table: reads rows and checks each against its digest, writes rows with theirs. Knows nothing of sums. */
export class Table<Row> {
  readonly shape: TableShape<Row>;
  /** Columns of the primary key as stored. */
  readonly keyColumns: readonly string[];
  /** Columns of every query. */
  readonly columnList: string;
  readonly #form: RowForm;
  readonly #select: string;
  readonly #upsert: string;
  readonly #delete: string;

  constructor(shape: TableShape<Row>, codec: RowCodec) {
    this.shape = shape;
    this.#form = codec.formOf(shape);
    const { name } = shape;
    const { keyColumns, columns } = this.#form;
    const byKey = keyColumns.map((column) => `${column} = ?`).join(' AND ');
    const updates = columns.slice(keyColumns.length).map((column) => `${column} = excluded.${column}`);
    this.keyColumns = keyColumns;
    this.columnList = columns.join(', ');
    this.#select = `SELECT ${this.columnList} FROM ${name} WHERE ${byKey}`;
    this.#upsert = `INSERT INTO ${name} (${this.columnList}) VALUES (${columns.map(() => '?').join(', ')})
      ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
    this.#delete = `DELETE FROM ${name} WHERE ${byKey}`;
  }

  #corrupt(row: SqlRow, problem: string, cause?: unknown): StoreError {
    const { name } = this.shape;
    const key = this.keyColumns.map((column) => formatValue(row[column])).join('/');
    return storeError('METADATA_CORRUPT', `metadata table ${name}, row ${key}: ${problem}`, {
      details: { table: name, key },
      cause,
    });
  }

  /**
   * A row as the database returned it, checked.
   * @throws `corrupt/METADATA_CORRUPT` when it does not match its digest
   */
  check(row: SqlRow): CheckedRow<Row> {
    const decoded = this.#form.decode(row);
    if (decoded.problem !== undefined) throw this.#corrupt(row, decoded.problem, decoded.cause);
    const corrupt = (problem: string): StoreError => this.#corrupt(row, problem);
    return new DecodedCheckedRow(this.shape.decode(new CheckedColumns(decoded.values, corrupt)), decoded);
  }

  /** Like `check`; the error of a damaged row is the answer. */
  inspect(row: SqlRow): CheckedRow<Row> | StoreError {
    try {
      return this.check(row);
    } catch (error) {
      if (isStoreError(error, 'METADATA_CORRUPT')) return error;
      throw error;
    }
  }

  /** The rows with these primary keys, in their order. */
  async load(reader: Reader, keys: readonly SqlParameters[]): Promise<readonly (CheckedRow<Row> | undefined)[]> {
    const rows = await this.find(reader, keys);
    return rows.map((row) => row && this.check(row));
  }

  /** The rows with these primary keys as the database returns them, unchecked, in their order. */
  async find(reader: Reader, keys: readonly SqlParameters[]): Promise<readonly (SqlRow | undefined)[]> {
    if (keys.length === 0) return [];
    return reader.lookup(
      this.#select,
      keys.map((key) => this.#form.storedKey(key)),
    );
  }

  /** The rows of a query: `tail` is what follows `SELECT columns FROM table`, in columns as stored. */
  async select(reader: Reader, tail: string, parameters: SqlParameters = []): Promise<readonly CheckedRow<Row>[]> {
    const rows = await reader.all(`SELECT ${this.columnList} FROM ${this.shape.name} ${tail}`, parameters);
    return rows.map((row) => this.check(row));
  }

  /** The primary key of a row, in the key columns of its shape. */
  keyOf(row: Row): SqlParameters {
    return this.shape.keyOf?.(row) ?? this.shape.encode(row).slice(0, this.shape.keyColumns.length);
  }

  /** A primary key as it is stored: digested where it is hidden. */
  storedKey(key: SqlParameters): SqlParameters {
    return this.#form.storedKey(key);
  }

  /** The row as it will be stored. In a sealed store it is sealed anew each time: to be called once per write. */
  encode(row: Row): StoredRow<Row> {
    const { stored, digest } = this.#form.encode(this.shape.encode(row));
    return { row, stored, digest };
  }

  /** Writes rows whether or not there is one with the same key. */
  async upsert(transaction: Transaction, rows: readonly StoredRow<Row>[]): Promise<void> {
    if (rows.length === 0) return;
    await transaction.run(
      this.#upsert,
      rows.map(({ stored }) => stored),
    );
  }

  /** `upsert` for tables without a sum. */
  async put(transaction: Transaction, ...rows: readonly Row[]): Promise<void> {
    await this.upsert(
      transaction,
      rows.map((row) => this.encode(row)),
    );
  }

  async delete(transaction: Transaction, keys: readonly SqlParameters[]): Promise<void> {
    if (keys.length === 0) return;
    await transaction.run(
      this.#delete,
      keys.map((key) => this.#form.storedKey(key)),
    );
  }
}
