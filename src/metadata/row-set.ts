import { toLatin1 } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { Reader, SqlParameters, Transaction } from './database.ts';
import { addToSum, type TableSum } from './row-digest.ts';
import type { CheckedRow, StoredRow, Table } from './table.ts';

/** What can be undone: for each change the place and what was there before. */
interface Undo<Row> {
  readonly list: { readonly place: RowPlace<Row>; readonly after: Row | undefined }[];
  /** What is behind it in the list can be undone. */
  mark: number;
}

/** Where a row is that was loaded, be there one or not: who reads and changes it several times looks it up once. */
export class RowPlace<Row> {
  readonly before: CheckedRow<Row> | undefined;
  #after: Row | undefined;
  readonly #undo: Undo<Row>;
  /** Where its last change stands in the list of what can be undone; -1 where it does not. */
  #undoAt = -1;

  constructor(before: CheckedRow<Row> | undefined, undo: Undo<Row>) {
    this.before = before;
    this.#after = before?.row;
    this.#undo = undo;
  }

  /** The row as it is now. */
  get row(): Row | undefined {
    return this.#after;
  }

  /** A pack's row changes once for each of its items: what it was at the mark is kept, and nothing in between. */
  put(row: Row | undefined): void {
    const { list, mark } = this.#undo;
    if (this.#undoAt < mark) this.#undoAt = list.push({ place: this, after: this.#after }) - 1;
    this.#after = row;
  }

  /** Gives it back what it was; for {@link RowSet} alone. */
  restore(row: Row | undefined): void {
    this.#after = row;
    this.#undoAt = -1;
  }
}

/** Each value says where it ends. */
function keyText(key: SqlParameters): string {
  let text = '';
  for (const value of key)
    text += value instanceof Uint8Array ? `${value.length}:${toLatin1(value)}` : `${String(value)}/`;
  return text;
}

/**
 * The rows of one table that a transaction works on: read in batches before, changed in memory, written in batches
 * after. Changes since a mark can be undone, which is how one request of a group fails without the others.
 */
export class RowSet<Row> {
  readonly #table: Table<Row>;
  readonly #places = new Map<string, RowPlace<Row>>();
  readonly #undo: Undo<Row> = { list: [], mark: 0 };

  constructor(table: Table<Row>) {
    this.#table = table;
  }

  /** Of the table. */
  get name(): string {
    return this.#table.shape.name;
  }

  /**
   * Reads the rows that are not here yet. Every key must be loaded before `get` and `put`.
   * @returns what `get` gives for each key
   */
  async load(reader: Reader, keys: readonly SqlParameters[]): Promise<readonly (Row | undefined)[]> {
    const wanted = new Map<string, SqlParameters>();
    const texts = keys.map((key) => {
      const text = keyText(key);
      if (!this.#places.has(text)) wanted.set(text, key);
      return text;
    });
    const rows = await this.#table.load(reader, [...wanted.values()]);
    let index = 0;
    for (const text of wanted.keys()) {
      this.#places.set(text, new RowPlace(rows[index++], this.#undo));
    }
    return texts.map((text) => this.#places.get(text)?.row);
  }

  /** Like `load`, for the rows of a query (what follows `FROM table`). */
  async loadWhere(reader: Reader, tail: string, parameters: SqlParameters): Promise<readonly Row[]> {
    const found: Row[] = [];
    for (const before of await this.#table.select(reader, tail, parameters)) {
      const text = keyText(this.#table.keyOf(before.row));
      const place = this.#places.get(text) ?? new RowPlace(before, this.#undo);
      this.#places.set(text, place);
      if (place.row !== undefined) found.push(place.row);
    }
    return found;
  }

  /** The place of the row with this key; nothing where it was not loaded. */
  find(key: SqlParameters): RowPlace<Row> | undefined {
    return this.#places.get(keyText(key));
  }

  /** The place of the row with this key, which is loaded. */
  at(key: SqlParameters): RowPlace<Row> {
    const place = this.find(key);
    invariant(place, `rows of ${this.#table.shape.name} are loaded before they are used`);
    return place;
  }

  get(key: SqlParameters): Row | undefined {
    return this.at(key).row;
  }

  /** Puts a row in place of the one with its key, if there is one. */
  put(row: Row): void {
    this.at(this.#table.keyOf(row)).put(row);
  }

  remove(key: SqlParameters): void {
    this.at(key).put(undefined);
  }

  /** Adds a row whose key is known to be new, without having looked. */
  add(row: Row): void {
    const text = keyText(this.#table.keyOf(row));
    const place = this.#places.get(text) ?? new RowPlace<Row>(undefined, this.#undo);
    invariant(place.row === undefined, `a new row of ${this.#table.shape.name} has a new key`);
    this.#places.set(text, place);
    place.put(row);
  }

  /** A point to roll back to. */
  mark(): number {
    this.#undo.mark = this.#undo.list.length;
    return this.#undo.mark;
  }

  rollBack(mark: number): void {
    const { list } = this.#undo;
    while (list.length > mark) {
      const last = list.pop();
      last?.place.restore(last.after);
    }
  }

  /**
   * Writes what changed and forgets all rows.
   * @param visit called for every changed row with what it was and what it is
   * @returns the table's sum after the changes
   */
  async save(
    transaction: Transaction,
    total: TableSum,
    visit?: (before: Row | undefined, after: Row | undefined) => void,
  ): Promise<TableSum> {
    const written: StoredRow<Row>[] = [];
    const deleted: SqlParameters[] = [];
    let sum = total;
    for (const { before, row: after } of this.#places.values()) {
      if (before?.row === after) continue;
      visit?.(before?.row, after);
      if (before) sum = addToSum(sum, before.digest, -1);
      if (after === undefined) {
        if (before) deleted.push(this.#table.keyOf(before.row));
        continue;
      }
      const stored = this.#table.encode(after);
      sum = addToSum(sum, stored.digest, 1);
      written.push(stored);
    }
    this.#places.clear();
    this.#undo.list.length = 0;
    this.#undo.mark = 0;
    await this.#table.delete(transaction, deleted);
    await this.#table.upsert(transaction, written);
    return sum;
  }
}
