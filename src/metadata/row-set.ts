import { toLatin1 } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { Reader, SqlParameters, Transaction } from './database.ts';
import { addToSum, type TableSum } from './row-digest.ts';
import type { CheckedRow, StoredRow, Table } from './table.ts';

interface Slot<Row> {
  readonly before: CheckedRow<Row> | undefined;
  after: Row | undefined;
  /** Where its last change stands in the list of what can be undone; -1 where it does not. */
  undoAt: number;
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
  readonly #slots = new Map<string, Slot<Row>>();
  readonly #undo: { readonly slot: Slot<Row>; readonly after: Row | undefined }[] = [];
  #marked = 0;

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
      if (!this.#slots.has(text)) wanted.set(text, key);
      return text;
    });
    const rows = await this.#table.load(reader, [...wanted.values()]);
    let index = 0;
    for (const text of wanted.keys()) {
      const before = rows[index++];
      this.#slots.set(text, { before, after: before?.row, undoAt: -1 });
    }
    return texts.map((text) => this.#slots.get(text)?.after);
  }

  /** Like `load`, for the rows of a query (what follows `FROM table`). */
  async loadWhere(reader: Reader, tail: string, parameters: SqlParameters): Promise<readonly Row[]> {
    const found: Row[] = [];
    for (const before of await this.#table.select(reader, tail, parameters)) {
      const text = keyText(this.#table.keyOf(before.row));
      const slot = this.#slots.get(text) ?? { before, after: before.row, undoAt: -1 };
      this.#slots.set(text, slot);
      if (slot.after !== undefined) found.push(slot.after);
    }
    return found;
  }

  #slot(key: SqlParameters): Slot<Row> {
    const slot = this.#slots.get(keyText(key));
    invariant(slot, `rows of ${this.#table.shape.name} are loaded before they are used`);
    return slot;
  }

  /** Whether the row with this key was loaded, be there one or not. */
  has(key: SqlParameters): boolean {
    return this.#slots.has(keyText(key));
  }

  get(key: SqlParameters): Row | undefined {
    return this.#slot(key).after;
  }

  /** A pack's row changes once for each of its items: what it was at the mark is kept, and nothing in between. */
  #change(slot: Slot<Row>, after: Row | undefined): void {
    if (slot.undoAt < this.#marked) slot.undoAt = this.#undo.push({ slot, after: slot.after }) - 1;
    slot.after = after;
  }

  /** Puts a row in place of the one with its key, if there is one. */
  put(row: Row): void {
    this.#change(this.#slot(this.#table.keyOf(row)), row);
  }

  /** Puts what follows from the row with this key, if there is one, in its place. */
  change(key: SqlParameters, next: (before: Row | undefined) => Row): void {
    const slot = this.#slot(key);
    this.#change(slot, next(slot.after));
  }

  remove(key: SqlParameters): void {
    this.#change(this.#slot(key), undefined);
  }

  /** Adds a row whose key is known to be new, without having looked. */
  add(row: Row): void {
    const text = keyText(this.#table.keyOf(row));
    const slot = this.#slots.get(text) ?? { before: undefined, after: undefined, undoAt: -1 };
    invariant(slot.after === undefined, `a new row of ${this.#table.shape.name} has a new key`);
    this.#slots.set(text, slot);
    this.#change(slot, row);
  }

  /** A point to roll back to. */
  mark(): number {
    this.#marked = this.#undo.length;
    return this.#marked;
  }

  rollBack(mark: number): void {
    while (this.#undo.length > mark) {
      const last = this.#undo.pop();
      if (!last) return;
      last.slot.after = last.after;
      last.slot.undoAt = -1;
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
    for (const { before, after } of this.#slots.values()) {
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
    this.#slots.clear();
    this.#undo.length = 0;
    this.#marked = 0;
    await this.#table.delete(transaction, deleted);
    await this.#table.upsert(transaction, written);
    return sum;
  }
}
