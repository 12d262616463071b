/**
 * Whether the lists of names and the table of entries say the same, in memory that does not grow with their number: the
 * items are summed on both sides, and those of a list rise strictly, so that equal counts and sums mean equal sets. The
 * sums are against accident; that nobody made the rows up is their seals' affair.
 */
import { compareBytes, EMPTY_BYTES } from '../../bytes/bytes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import { blake3 } from '../../hash/index.ts';
import { yieldToEventLoop } from '../../runtime/timers.ts';
import type { EntryRow } from '../contract.ts';
import type { Reader } from '../database.ts';
import type { EntryIndexCheck } from './contract.ts';
import { NamesReader } from './names-reader.ts';
import { NAMES_LOG, NAMES_NODES, type NamesTables, type RootsRow } from './names-tables.ts';
import { ENTRY_ORDERS, type EntryOrder, itemOf } from './order-items.ts';

/** Number and sum of items, whatever their order. */
class ItemSum {
  count = 0;
  #low = 0n;
  #high = 0n;

  add(item: Uint8Array): void {
    const digest = blake3(item);
    const words = new DataView(digest.buffer, digest.byteOffset, digest.length);
    this.count += 1;
    this.#low = BigInt.asUintN(64, this.#low + words.getBigUint64(0, true));
    this.#high = BigInt.asUintN(64, this.#high + words.getBigUint64(8, true));
  }

  equals(other: ItemSum): boolean {
    return this.count === other.count && this.#low === other.#low && this.#high === other.#high;
  }
}

/** One comparison; see `EntryIndex.check`. */
export class NamesCheck implements EntryIndexCheck {
  readonly #tables: NamesTables;
  readonly #entries: Readonly<Record<EntryOrder, ItemSum>> = {
    key: new ItemSum(),
    modified: new ItemSum(),
    size: new ItemSum(),
  };
  readonly #problems: string[] = [];
  #nodes = 0;

  constructor(tables: NamesTables) {
    this.#tables = tables;
  }

  addEntry(row: EntryRow): void {
    for (const order of ENTRY_ORDERS) this.#entries[order].add(itemOf(row, order));
  }

  async finish(reader: Reader, signal?: AbortSignal): Promise<readonly string[]> {
    await this.#noting(async () => {
      const names = new NamesReader(this.#tables);
      const roots = await names.refresh(reader);
      let complete = true;
      for (const order of ENTRY_ORDERS) {
        const listed = await this.#noting(() => this.#sumList(reader, { names, roots, order, signal }));
        complete &&= listed !== undefined;
        if (listed) this.#compare(order, listed);
      }
      await this.#countRows(reader, NAMES_LOG, roots.logEnd - roots.logFirst);
      if (complete) await this.#countRows(reader, NAMES_NODES, this.#nodes);
    });
    return this.#problems;
  }

  /** Runs `work`; damage that it meets becomes a problem. */
  async #noting<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error, 'METADATA_CORRUPT')) throw error;
      this.#problems.push(error.message);
      return undefined;
    }
  }

  async #sumList(
    reader: Reader,
    list: {
      readonly names: NamesReader;
      readonly roots: RootsRow;
      readonly order: EntryOrder;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<ItemSum> {
    const { names, roots, order, signal } = list;
    const range = { from: EMPTY_BYTES, before: undefined };
    const sum = new ItemSum();
    let last: Uint8Array | undefined;
    let disorder = 0;
    const onNode = (): void => {
      this.#nodes += 1;
    };
    for await (const items of names.scan(reader, roots, { order, range, descending: false, onNode })) {
      signal?.throwIfAborted();
      await yieldToEventLoop();
      for (const item of items) {
        if (last && compareBytes(last, item) >= 0) disorder += 1;
        last = item;
        sum.add(item);
      }
    }
    if (disorder > 0) this.#problems.push(`${disorder} names in the list by ${order} are out of order`);
    return sum;
  }

  #compare(order: EntryOrder, listed: ItemSum): void {
    const held = this.#entries[order];
    if (held.equals(listed)) return;
    const counts = `${listed.count} names, the table of entries has ${held.count} rows`;
    this.#problems.push(
      listed.count === held.count
        ? `the list by ${order} names other entries than there are`
        : `the list by ${order} has ${counts}`,
    );
  }

  /** Rows that nothing leads to are as wrong as rows that are gone. */
  async #countRows(reader: Reader, table: string, expected: number): Promise<void> {
    const [row] = await reader.all(`SELECT count(*) AS rows FROM ${table}`, []);
    const actual = Number(row?.rows);
    if (actual !== expected) this.#problems.push(`metadata table ${table} has ${actual} rows, ${expected} are in use`);
  }
}
