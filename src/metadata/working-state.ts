import { toHex } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import type { DirectoryItem, PackDescriptor } from '../format/types.ts';
import type { EntryRow } from './contract.ts';
import type { Reader, Transaction } from './database.ts';
import type { TableSum } from './row-digest.ts';
import { RowSet } from './row-set.ts';
import {
  classCode,
  entriesTable,
  HEAD_KEY,
  type HeadRow,
  headTable,
  IN_OUTBOX,
  type ItemKind,
  type ItemRow,
  itemKey,
  itemsTable,
  outboxRecordsTable,
  outboxTable,
  packsTable,
  type StoredInlineRecord,
  type StoredPack,
  type StoredRecord,
  SUMMED_TABLES,
  type SummedTable,
  sessionsTable,
  sumsTable,
} from './rows.ts';

/** @throws `corrupt/METADATA_CORRUPT` when the row of the head is gone or damaged */
export async function loadHead(reader: Reader): Promise<HeadRow> {
  const [head] = await headTable.load(reader, [HEAD_KEY]);
  if (!head)
    throw storeError('METADATA_CORRUPT', 'metadata table head: its row is gone', { details: { table: 'head' } });
  return head.row;
}

/** The kept count and sum of every table. */
export async function loadSums(reader: Reader): Promise<Map<SummedTable, TableSum>> {
  const rows = await sumsTable.load(
    reader,
    SUMMED_TABLES.map((name) => [name]),
  );
  const sums = new Map<SummedTable, TableSum>();
  for (const [index, name] of SUMMED_TABLES.entries()) {
    const found = rows[index];
    if (!found) {
      const details = { table: 'table_sums', key: name };
      throw storeError('METADATA_CORRUPT', `metadata table table_sums: the row of ${name} is gone`, { details });
    }
    sums.set(name, found.row);
  }
  return sums;
}

/** Whether a directory item has a row of its own; journal records are found by commit number instead. */
export function isLocated(item: DirectoryItem): item is DirectoryItem & { readonly kind: ItemKind } {
  return item.kind !== 'journal';
}

/**
 * Everything one writing transaction reads and changes. Counters, counts of items per pack and table sums follow from
 * what the rows were and what they become, so no change can forget them.
 */
export class WorkingState {
  readonly transaction: Transaction;
  readonly entries = new RowSet<EntryRow>(entriesTable);
  readonly items = new RowSet<ItemRow>(itemsTable);
  readonly packs = new RowSet<StoredPack>(packsTable);
  readonly outbox = new RowSet<StoredRecord>(outboxTable);
  readonly outboxRecords = new RowSet<StoredInlineRecord>(outboxRecordsTable);
  readonly sessions = new RowSet<{ readonly id: Uint8Array }>(sessionsTable);
  readonly #sums: Map<SummedTable, TableSum>;
  readonly #packNumbers = new Map<string, number | undefined>();
  head: HeadRow;

  private constructor(transaction: Transaction, head: HeadRow, sums: Map<SummedTable, TableSum>) {
    this.transaction = transaction;
    this.head = head;
    this.#sums = sums;
  }

  static async begin(transaction: Transaction): Promise<WorkingState> {
    return new WorkingState(transaction, await loadHead(transaction), await loadSums(transaction));
  }

  /** Undoes what `change` did when it throws. */
  async attempt<T>(change: () => Promise<T>): Promise<T> {
    const sets = [this.entries, this.items, this.packs];
    const marks = sets.map((set) => set.mark());
    try {
      return await change();
    } catch (error) {
      for (const [index, set] of sets.entries()) set.rollBack(marks[index] ?? 0);
      throw error;
    }
  }

  async loadPacks(ids: readonly Uint8Array[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#packNumbers.has(toHex(id)));
    if (unknown.length === 0) return;
    const rows = await this.transaction.lookup(
      'SELECT number FROM packs WHERE id = ?',
      unknown.map((id) => [id]),
    );
    for (const [index, id] of unknown.entries()) {
      const number = rows[index]?.number;
      this.#packNumbers.set(toHex(id), typeof number === 'number' ? number : undefined);
    }
    await this.#loadPackNumbers(ids.map((id) => this.#packNumbers.get(toHex(id))));
  }

  async #loadPackNumbers(numbers: Iterable<number | undefined>): Promise<void> {
    const wanted = [...new Set(numbers)].filter((number) => number !== undefined && number !== IN_OUTBOX);
    await this.packs.load(
      this.transaction,
      wanted.map((number) => [number as number]),
    );
  }

  /** Loads the rows of items and of the packs they are found in. */
  async loadItems(items: readonly { readonly kind: ItemKind; readonly id: Uint8Array }[]): Promise<void> {
    const keys = items.map(({ kind, id }) => itemKey(kind, id));
    await this.items.load(this.transaction, keys);
    await this.#loadPackNumbers(keys.map((key) => this.items.get(key)?.pack));
  }

  /** The pack with this id, dropped ones too. Its id must be loaded. */
  pack(id: Uint8Array): StoredPack | undefined {
    const number = this.#packNumbers.get(toHex(id));
    return number === undefined ? undefined : this.packs.get([number]);
  }

  packByNumber(number: number): StoredPack {
    const pack = this.packs.get([number]);
    if (!pack) {
      const details = { table: 'items', expected: number };
      throw storeError('METADATA_CORRUPT', `metadata table items: a row points to pack ${number}, which is not known`, {
        details,
      });
    }
    return pack;
  }

  /** Live journal packs that hold every record of the given run of commits. */
  async journalPacksHolding(run: {
    readonly firstCommit: number;
    readonly lastCommit: number;
  }): Promise<readonly StoredPack[]> {
    const where = 'WHERE dropped = 0 AND class = ? AND first_commit <= ? AND last_commit >= ?';
    const found = await this.packs.loadWhere(this.transaction, where, [
      ...[classCode('journal'), run.firstCommit, run.lastCommit],
    ]);
    return found.filter((pack) => !pack.dropped);
  }

  /** Registers a pack whose id is loaded and not known. */
  addPack(descriptor: PackDescriptor): StoredPack {
    invariant(!this.pack(descriptor.id), 'a pack is registered once');
    const pack: StoredPack = { number: this.head.nextPack, descriptor, items: 0, dropped: false };
    this.head = { ...this.head, nextPack: pack.number + 1 };
    this.#packNumbers.set(toHex(descriptor.id), pack.number);
    this.packs.add(pack);
    return pack;
  }

  #countItem(number: number, change: 1 | -1): void {
    if (number === IN_OUTBOX) return;
    const pack = this.packByNumber(number);
    this.packs.put({ ...pack, items: pack.items + change });
  }

  /** From now on the item is found where `row` says. Its row and both packs must be loaded. */
  placeItem(row: ItemRow): void {
    const before = this.items.get(itemKey(row.kind, row.id));
    if (before) this.#countItem(before.pack, -1);
    this.#countItem(row.pack, 1);
    this.items.put(row);
  }

  async #saveSet<Row>(
    name: SummedTable,
    set: RowSet<Row>,
    visit?: (before: Row | undefined, after: Row | undefined) => void,
  ): Promise<void> {
    const sum = this.#sums.get(name);
    invariant(sum, 'every table has a sum');
    this.#sums.set(name, await set.save(this.transaction, sum, visit));
  }

  /** Writes all changes. Everything must be loaded again before it is used again. */
  async save(): Promise<void> {
    const counters = { ...this.head };
    await this.#saveSet('entries', this.entries, (before, after) => {
      counters.entries += Number(after !== undefined) - Number(before !== undefined);
      counters.logicalBytes += (after?.size ?? 0) - (before?.size ?? 0);
    });
    await this.#saveSet('items', this.items, (before, after) => {
      if ((before ?? after)?.kind !== 'chunk') return;
      counters.chunks += Number(after !== undefined) - Number(before !== undefined);
      counters.uniqueBytes += (after?.length ?? 0) - (before?.length ?? 0);
    });
    await this.#saveSet('packs', this.packs, (before, after) => {
      const was = before && !before.dropped ? before : undefined;
      const is = after && !after.dropped ? after : undefined;
      counters.packs += Number(is !== undefined) - Number(was !== undefined);
      counters.storedBytes += (is?.descriptor.storedBytes ?? 0) - (was?.descriptor.storedBytes ?? 0);
    });
    await this.#saveSet('outbox', this.outbox);
    await this.#saveSet('outbox_records', this.outboxRecords);
    await this.#saveSet('sessions', this.sessions);
    this.head = counters;
    this.#packNumbers.clear();
    const sums = [...this.#sums].map(([name, { rows, sum }]) => ({ name, rows, sum }));
    await sumsTable.upsert(
      this.transaction,
      sums.map((row) => ({ row, digest: sumsTable.digestOf(row) })),
    );
    await headTable.upsert(this.transaction, [{ row: this.head, digest: headTable.digestOf(this.head) }]);
  }
}
