import { compareBytes } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import type { Reader } from '../database.ts';
import type { Table } from '../table.ts';
import { itemChangesOf } from './item-changes.ts';
import { type LogRow, NAMES_LOG, type RootsRow } from './names-tables.ts';
import { ENTRY_ORDERS, type EntryOrder, type ItemRange } from './order-items.ts';
import { positionOf } from './tree-node.ts';
import type { ItemChange } from './tree-writer.ts';

/** The last that the log says about an item of one order, and in which row. */
interface Recent extends ItemChange {
  readonly row: number;
}

/** Rows of the log opened at a time. */
const ROWS_PER_READ = 256;

/** Items and what became of them, ascending, in two arrays side by side: the search is over the items alone. */
class SortedRecents {
  #items: Uint8Array[] = [];
  #recents: Recent[] = [];

  set(recent: Recent): void {
    const at = positionOf(this.#items, recent.item);
    const known = this.#items[at];
    const replaced = known && compareBytes(known, recent.item) === 0 ? 1 : 0;
    this.#items.splice(at, replaced, recent.item);
    this.#recents.splice(at, replaced, recent);
  }

  dropBefore(row: number): void {
    this.#recents = this.#recents.filter((recent) => recent.row >= row);
    this.#items = this.#recents.map(({ item }) => item);
  }

  within({ from, before }: ItemRange): readonly Recent[] {
    return this.#recents.slice(positionOf(this.#items, from), before && positionOf(this.#items, before));
  }
}

function gone(number: number): Error {
  const details = { table: NAMES_LOG, key: String(number) };
  return storeError('METADATA_CORRUPT', `metadata table ${NAMES_LOG}, row ${number}: is gone`, { details });
}

/**
 * The log of recent changes, opened and kept in memory: a listing reads only the rows that came since the one before.
 * Knowing more than the log still has does no harm: what was folded meanwhile says of an item what the tree says too.
 */
export class RecentChanges {
  readonly #log: Table<LogRow>;
  #orders = this.#empty();
  #first = 0;
  #end = 0;

  constructor(log: Table<LogRow>) {
    this.#log = log;
  }

  #empty(): Readonly<Record<EntryOrder, SortedRecents>> {
    return { key: new SortedRecents(), modified: new SortedRecents(), size: new SortedRecents() };
  }

  /**
   * Reads what is new. `reader` sees a committed state, the one of `roots`.
   * @throws `corrupt/METADATA_CORRUPT` when a row is damaged or gone
   */
  async refresh(reader: Reader, { logFirst, logEnd }: RootsRow): Promise<void> {
    const isBehind = logEnd < this.#end || logFirst > this.#end;
    if (isBehind) {
      this.#orders = this.#empty();
      this.#end = logFirst;
    } else if (logFirst > this.#first) {
      for (const order of ENTRY_ORDERS) this.#orders[order].dropBefore(logFirst);
    }
    this.#first = logFirst;
    while (this.#end < logEnd) await this.#read(reader, Math.min(logEnd, this.#end + ROWS_PER_READ));
  }

  async #read(reader: Reader, end: number): Promise<void> {
    const start = this.#end;
    const keys = Array.from({ length: end - start }, (_, index) => [start + index]);
    const rows = await this.#log.load(reader, keys);
    for (const [index, found] of rows.entries()) {
      if (!found) throw gone(start + index);
      const { number, changes } = found.row;
      for (const order of ENTRY_ORDERS) {
        for (const change of itemChangesOf(changes, order)) this.#orders[order].set({ ...change, row: number });
      }
      this.#end = number + 1;
    }
  }

  /** What is known of the items in a range of one order, ascending. */
  within(order: EntryOrder, range: ItemRange): readonly ItemChange[] {
    return this.#orders[order].within(range);
  }
}
