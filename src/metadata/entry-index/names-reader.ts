import { compareBytes } from '../../bytes/bytes.ts';
import type { Reader } from '../database.ts';
import { loadRoots } from './index-writer.ts';
import type { NamesTables, RootsRow } from './names-tables.ts';
import type { EntryOrder, ItemRange } from './order-items.ts';
import { RecentChanges } from './recent-changes.ts';
import { walkTree } from './tree-walk.ts';
import type { ItemChange } from './tree-writer.ts';

/** Which items to read, and in which direction. */
export interface ItemScan {
  readonly order: EntryOrder;
  readonly range: ItemRange;
  readonly descending: boolean;
  /** Called for every tree node that is read. */
  readonly onNode?: () => void;
}

/** Puts what the log says in place of what a tree says, item by item, both in one direction. */
class Overlay {
  readonly #recent: readonly ItemChange[];
  readonly #sign: 1 | -1;
  #next = 0;

  constructor(recent: readonly ItemChange[], descending: boolean) {
    this.#recent = descending ? recent.toReversed() : recent;
    this.#sign = descending ? -1 : 1;
  }

  /** The next items of the tree as they really are, with the recent ones that come before the last of them. */
  over(items: readonly Uint8Array[]): readonly Uint8Array[] {
    const merged: Uint8Array[] = [];
    for (const item of items) {
      let isTold = false;
      for (let recent = this.#recent[this.#next]; recent; recent = this.#recent[++this.#next]) {
        const order = compareBytes(recent.item, item) * this.#sign;
        if (order > 0) break;
        if (recent.present) merged.push(recent.item);
        isTold = order === 0;
      }
      if (!isTold) merged.push(item);
    }
    return merged;
  }

  /** The recent items after the last of the tree. */
  rest(): readonly Uint8Array[] {
    const left = this.#recent.slice(this.#next);
    return left.flatMap(({ item, present }) => (present ? [item] : []));
  }
}

/** Reads names of entries in order: the trees, with the log of recent changes laid over them. */
export class NamesReader {
  readonly #tables: NamesTables;
  readonly #recent: RecentChanges;

  constructor(tables: NamesTables) {
    this.#tables = tables;
    this.#recent = new RecentChanges(tables.log);
  }

  /**
   * Opens what the log has more than when it was read last.
   * @param reader sees a committed state, which `scan` needs to see too
   * @throws `corrupt/METADATA_CORRUPT`
   */
  async refresh(reader: Reader): Promise<RootsRow> {
    const roots = await loadRoots(reader, this.#tables);
    await this.#recent.refresh(reader, roots);
    return roots;
  }

  /**
   * The items in a range, in parts of at most some leaves and the log.
   * @throws `corrupt/METADATA_CORRUPT`
   */
  async *scan(reader: Reader, { roots }: RootsRow, scan: ItemScan): AsyncGenerator<readonly Uint8Array[]> {
    const { order, range, descending } = scan;
    const overlay = new Overlay(this.#recent.within(order, range), descending);
    const walk = { ...scan, root: roots[order] };
    for await (const items of walkTree(reader, this.#tables.nodes, walk)) yield overlay.over(items);
    yield overlay.rest();
  }
}
