import { storeError } from '../../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../../limits.ts';
import type { Reader } from '../database.ts';
import type { Table } from '../table.ts';
import { itemChangesOf, lastChanges } from './item-changes.ts';
import { type LoggedChange, type LogRow, NAMES_LOG } from './names-tables.ts';
import type { EntryOrder } from './order-items.ts';
import { positionOf } from './tree-node.ts';
import type { ItemChange } from './tree-writer.ts';

/** A half-open range of rows of the log. */
export interface LogRange {
  readonly first: number;
  readonly end: number;
}

/** The changes of one order, ascending, and their items beside them to search in. */
interface Planned {
  readonly changes: readonly ItemChange[];
  readonly items: readonly Uint8Array[];
}

/** @throws `corrupt/METADATA_CORRUPT` when a row is damaged or gone */
async function loadChanges(
  reader: Reader,
  log: Table<LogRow>,
  { first, end }: LogRange,
): Promise<readonly LoggedChange[]> {
  const changes: LoggedChange[] = [];
  for (let start = first; start < end; start += METADATA_SCAN_ROWS) {
    const length = Math.min(METADATA_SCAN_ROWS, end - start);
    const rows = await log.load(
      reader,
      Array.from({ length }, (_, index) => [start + index]),
    );
    for (const [index, found] of rows.entries()) {
      if (!found) {
        const details = { table: NAMES_LOG, key: String(start + index) };
        throw storeError('METADATA_CORRUPT', `metadata table ${NAMES_LOG}, row ${start + index}: is gone`, { details });
      }
      changes.push(...found.row.changes);
    }
  }
  return changes;
}

/**
 * What a range of the log says of every item, sorted: a fold goes through it item by item, so that changes which meet
 * in one node are made together. Rows of the log never change, so a plan is good for as long as they are there.
 */
export class FoldPlan {
  readonly range: LogRange;
  readonly #orders: Readonly<Record<EntryOrder, Planned>>;

  constructor(range: LogRange, changes: readonly LoggedChange[]) {
    const planned = (order: EntryOrder): Planned => {
      const last = lastChanges(itemChangesOf(changes, order));
      return { changes: last, items: last.map(({ item }) => item) };
    };
    this.range = range;
    this.#orders = { key: planned('key'), modified: planned('modified'), size: planned('size') };
  }

  /** @throws `corrupt/METADATA_CORRUPT` when a row of the log is damaged or gone */
  static async read(reader: Reader, log: Table<LogRow>, range: LogRange): Promise<FoldPlan> {
    return new FoldPlan(range, await loadChanges(reader, log, range));
  }

  isOf({ first, end }: LogRange): boolean {
    return this.range.first === first && this.range.end === end;
  }

  /** Up to `count` changes of an order, from an item on. */
  next(order: EntryOrder, from: Uint8Array, count: number): readonly ItemChange[] {
    const { items, changes } = this.#orders[order];
    const start = positionOf(items, from);
    return changes.slice(start, start + count);
  }
}
