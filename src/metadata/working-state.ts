import { toHex } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { packClassCode } from '../format/type-codes.ts';
import type { DirectoryItem, PackDescriptor } from '../format/types.ts';
import { METADATA_ITEMS_HELD_MAX } from '../limits.ts';
import { type Books, loadBooks } from './books.ts';
import type { SessionRow, UncountedRow } from './collection-contract.ts';
import type { EntryRow } from './contract.ts';
import type { SqlParameters, Transaction } from './database.ts';
import type { EntryRowChange } from './entry-index/contract.ts';
import { NamespaceTally } from './namespace-tally.ts';
import type { RefRow } from './object-contract.ts';
import type { CountedObject, HistoryRow, PolicyRow, RelationRow, StepRow } from './object-rows.ts';
import { type NewReference, ReferenceLog } from './reference-log.ts';
import { RelationRows } from './relation-rows.ts';
import { addToSum, type TableSum } from './row-digest.ts';
import { type RowPlace, RowSet } from './row-set.ts';
import {
  type HeadRow,
  IN_OUTBOX,
  type ItemKind,
  type ItemRow,
  itemKey,
  liveShareOf,
  type PlacedItem,
  type ShredRow,
  type StoredInlineRecord,
  type StoredPack,
  type StoredRecord,
} from './rows.ts';
import type { StoreTables } from './store-tables.ts';
import type { StoredRow, Table } from './table.ts';

/** Whether a directory item has a row of its own; journal records and checkpoints are found by commit number instead. */
export function isLocated(item: DirectoryItem): item is DirectoryItem & { readonly kind: ItemKind } {
  return item.kind === 'chunk' || item.kind === 'manifest';
}

/**
 * Everything one writing transaction reads and changes. Counters, counts of items per pack and table sums follow from
 * what the rows were and what they become, so no change can forget them.
 */
export class WorkingState {
  readonly transaction: Transaction;
  readonly entries: RowSet<EntryRow>;
  readonly items: RowSet<ItemRow>;
  readonly packs: RowSet<StoredPack>;
  readonly outbox: RowSet<StoredRecord>;
  readonly outboxRecords: RowSet<StoredInlineRecord>;
  readonly sessions: RowSet<SessionRow>;
  readonly uncounted: RowSet<UncountedRow>;
  /** In a sealed store; a plain one shreds nothing. */
  readonly shreds: RowSet<ShredRow> | undefined;
  readonly objects: RowSet<CountedObject>;
  readonly refs: RowSet<RefRow>;
  readonly histories: RowSet<HistoryRow>;
  readonly steps: RowSet<StepRow>;
  readonly policies: RowSet<PolicyRow>;
  readonly relations: RelationRows;
  readonly tally: NamespaceTally;
  /** What came to refer to content, or ceased to, in this transaction. */
  readonly references: ReferenceLog;
  /**
   * Not later than any operation in flight of the session that makes the changes; that of now where no session does.
   */
  epoch: number;
  /** Of the commit that is made or replayed, milliseconds since 1970: what is stamped is stamped with it. */
  time = 0;
  readonly #relations: RowSet<RelationRow>;
  readonly #parts: StoreTables;
  readonly #sums: Map<string, TableSum>;
  /** As their rows have them. */
  #storedSums: ReadonlyMap<string, TableSum>;
  readonly #packNumbers = new Map<string, number | undefined>();
  #part: RowSet<ItemRow> | undefined;
  #partsWritten = 0;
  head: HeadRow;

  private constructor(transaction: Transaction, parts: StoreTables, books: Books) {
    const { tables } = parts;
    this.transaction = transaction;
    this.entries = new RowSet(tables.entries);
    this.items = new RowSet(tables.items);
    this.packs = new RowSet(tables.packs);
    this.outbox = new RowSet(tables.outbox);
    this.outboxRecords = new RowSet(tables.outboxRecords);
    this.sessions = new RowSet(tables.sessions);
    this.uncounted = new RowSet(tables.uncounted);
    this.shreds = tables.namespaced && new RowSet(tables.namespaced.shreds);
    this.objects = new RowSet(tables.objects);
    this.refs = new RowSet(tables.refs);
    this.histories = new RowSet(tables.histories);
    this.steps = new RowSet(tables.steps);
    this.policies = new RowSet(tables.policies);
    this.#relations = new RowSet(tables.relations);
    this.relations = new RelationRows(this.#relations, transaction);
    this.tally = new NamespaceTally(tables.namespaced?.namespaces);
    this.#parts = parts;
    this.head = books.head;
    this.epoch = books.head.epoch;
    this.references = new ReferenceLog(tables, books.head.census);
    this.#sums = books.sums;
    this.#storedSums = books.stored;
  }

  static async begin(transaction: Transaction, parts: StoreTables): Promise<WorkingState> {
    return new WorkingState(transaction, parts, await loadBooks(transaction, parts));
  }

  /** Whether this is the metadata of a sealed store. */
  get isSealed(): boolean {
    return this.#parts.tables.namespaced !== undefined;
  }

  /** Tables of what is found by keys of a namespace, but for entries. */
  get #named(): readonly [
    ...[
      RowSet<CountedObject>,
      RowSet<RefRow>,
      RowSet<HistoryRow>,
      RowSet<StepRow>,
      RowSet<RelationRow>,
      RowSet<PolicyRow>,
    ],
  ] {
    return [this.objects, this.refs, this.histories, this.steps, this.#relations, this.policies];
  }

  /** A table whose rows are found by keys of a namespace. */
  named(table: 'objects' | 'refs' | 'histories' | 'steps' | 'relations'): RowSet<{ readonly key: Uint8Array }> {
    const set = table === 'relations' ? this.#relations : this[table];
    // Rows are only read and removed by whoever asks so.
    return set as unknown as RowSet<{ readonly key: Uint8Array }>;
  }

  /** Whether there may be rows: what no store uses costs no lookups. */
  mayHave(table: 'relations' | 'policies'): boolean {
    const set = table === 'relations' ? this.#relations : this.policies;
    return set.mark() > 0 || (this.#sums.get(table)?.rows ?? 0) > 0;
  }

  /** How often `eachItem` wrote a part: what an attempt wrote so far, nothing here undoes. */
  get partsWritten(): number {
    return this.#partsWritten;
  }

  /** Undoes what `change` did when it throws, but for parts that were written. */
  async attempt<T>(change: () => Promise<T>): Promise<T> {
    const sets: readonly { mark(): number; rollBack(mark: number): void }[] = [
      ...[this.entries, this.items, this.packs],
      ...this.#named,
    ];
    const marks = sets.map((set) => set.mark());
    const mark = this.tally.mark();
    try {
      return await change();
    } catch (error) {
      for (const [index, set] of sets.entries()) set.rollBack(marks[index] ?? 0);
      this.tally.rollBack(mark);
      throw error;
    }
  }

  /** Puts an entry in place of the one with its key, if there is one. */
  putEntry(row: EntryRow): void {
    const before = this.entries.get([row.key]);
    this.tally.growBy(namespaceOfKey(row.key), row.size - (before?.size ?? 0));
    this.entries.put(row);
  }

  removeEntry(key: Uint8Array): void {
    const before = this.entries.get([key]);
    this.tally.growBy(namespaceOfKey(key), -(before?.size ?? 0));
    this.entries.remove([key]);
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
    const rows = await this.items.load(this.transaction, keys);
    await this.#loadPackNumbers(rows.map((row) => row?.pack));
  }

  /**
   * Loads the rows of items, and of the packs they are found in, for `visit`: those of more items than are held at once
   * part by part, each part written before the next one is read.
   */
  async eachItem<Item extends { readonly kind: ItemKind; readonly id: Uint8Array }>(
    items: readonly Item[],
    visit: (item: Item) => void,
  ): Promise<void> {
    if (items.length <= METADATA_ITEMS_HELD_MAX) {
      await this.loadItems(items);
      for (const item of items) visit(item);
      return;
    }
    for (let start = 0; start < items.length; start += METADATA_ITEMS_HELD_MAX) {
      await this.#inPart(items.slice(start, start + METADATA_ITEMS_HELD_MAX), visit);
    }
  }

  async #inPart<Item extends { readonly kind: ItemKind; readonly id: Uint8Array }>(
    items: readonly Item[],
    visit: (item: Item) => void,
  ): Promise<void> {
    const part = new RowSet(this.#parts.tables.items);
    // What is changed already and not written yet stays where it is.
    const keys = items.map(({ kind, id }) => itemKey(kind, id)).filter((key) => !this.items.find(key));
    const rows = await part.load(this.transaction, keys);
    await this.#loadPackNumbers(rows.map((row) => row?.pack));
    this.#part = part;
    for (const item of items) visit(item);
    this.#part = undefined;
    this.#partsWritten += 1;
    await this.#saveItems(part);
  }

  /** Where the row of an item is, which is loaded. */
  #placeOf(key: SqlParameters): RowPlace<ItemRow> {
    return (this.#part && !this.items.find(key) ? this.#part : this.items).at(key);
  }

  /** The row of an item that is loaded. */
  item(kind: ItemKind, id: Uint8Array): ItemRow | undefined {
    return this.#placeOf(itemKey(kind, id)).row;
  }

  /** The pack with this id, dropped ones too. Its id must be loaded. */
  pack(id: Uint8Array): StoredPack | undefined {
    const number = this.#packNumbers.get(toHex(id));
    return number === undefined ? undefined : this.packs.get([number]);
  }

  packByNumber(number: number): StoredPack {
    return this.#packAt(number).row as StoredPack;
  }

  /** Where the row of a pack is that is loaded, and there. */
  #packAt(number: number): RowPlace<StoredPack> {
    const place = this.packs.at([number]);
    if (place.row) return place;
    const details = { table: 'items', expected: number };
    throw storeError('METADATA_CORRUPT', `metadata table items: a row points to pack ${number}, which is not known`, {
      details,
    });
  }

  /** Live journal packs that hold every record of the given run of commits. */
  async journalPacksHolding(run: {
    readonly firstCommit: number;
    readonly lastCommit: number;
  }): Promise<readonly StoredPack[]> {
    const where = 'WHERE dropped = 0 AND class = ? AND first_commit <= ? AND last_commit >= ?';
    const found = await this.packs.loadWhere(this.transaction, where, [
      ...[packClassCode('journal'), run.firstCommit, run.lastCommit],
    ]);
    return found.filter((pack) => !pack.dropped);
  }

  /** Packs of all checkpoints. */
  async checkpointPacks(): Promise<readonly StoredPack[]> {
    const where = 'WHERE dropped = 0 AND class = ?';
    const found = await this.packs.loadWhere(this.transaction, where, [packClassCode('checkpoint')]);
    return found.filter((pack) => !pack.dropped);
  }

  /** Registers a pack whose id is loaded and not known. */
  addPack(descriptor: PackDescriptor): StoredPack {
    invariant(!this.pack(descriptor.id), 'a pack is registered once');
    const empty = { items: 0, liveBytes: 0, condemned: 0, dropped: false };
    const pack: StoredPack = { number: this.head.nextPack, descriptor, ...empty };
    this.head = { ...this.head, nextPack: pack.number + 1 };
    this.#packNumbers.set(toHex(descriptor.id), pack.number);
    this.packs.add(pack);
    return pack;
  }

  #countItem(item: ItemRow, change: 1 | -1): void {
    if (item.pack === IN_OUTBOX) return;
    const place = this.#packAt(item.pack);
    const pack = place.row as StoredPack;
    const liveBytes = pack.liveBytes + change * liveShareOf(item);
    place.put({ ...pack, items: pack.items + change, liveBytes });
  }

  /**
   * From now on the item is found where `row` says, condemned no more. Its row and both packs must be loaded.
   */
  placeItem(row: PlacedItem): void {
    this.#changeItem(row, (before) => ({ ...row, refs: before?.refs ?? 0, condemned: 0 }));
  }

  /** Puts an item as it is. Its row and both packs must be loaded. */
  putItem(row: ItemRow): void {
    this.#changeItem(row, () => row);
  }

  #changeItem({ kind, id }: PlacedItem, next: (before: ItemRow | undefined) => ItemRow): void {
    const place = this.#placeOf(itemKey(kind, id));
    const before = place.row;
    const after = next(before);
    if (before) this.#countItem(before, -1);
    this.#countItem(after, 1);
    place.put(after);
  }

  /** Its row and pack must be loaded. */
  removeItem(key: readonly [number, Uint8Array]): void {
    const before = this.items.get(key);
    if (before) this.#countItem(before, -1);
    this.items.remove(key);
  }

  /** Bytes of the entries of a namespace as planned, and how many of them this transaction added. */
  async logicalBytes(namespace: number): Promise<{ readonly size: number; readonly grown: number }> {
    const before = await this.tally.logicalBytes(this.transaction, namespace);
    const grown = this.tally.growthOf(namespace);
    return { size: (before ?? this.head.logicalBytes) + grown, grown };
  }

  async #saveSet<Row>(
    set: RowSet<Row>,
    visit?: (before: Row | undefined, after: Row | undefined) => void,
  ): Promise<void> {
    const sum = this.#sums.get(set.name);
    invariant(sum, 'every table has a sum');
    this.#sums.set(set.name, await set.save(this.transaction, sum, visit));
  }

  async #saveItems(rows: RowSet<ItemRow>): Promise<void> {
    let [chunks, uniqueBytes] = [0, 0];
    await this.#saveSet(rows, (before, after) => {
      if ((before ?? after)?.kind !== 'chunk') return;
      chunks += Number(after !== undefined) - Number(before !== undefined);
      uniqueBytes += (after?.length ?? 0) - (before?.length ?? 0);
      this.tally.countChunk(before, after);
    });
    const { head } = this;
    this.head = { ...head, chunks: head.chunks + chunks, uniqueBytes: head.uniqueBytes + uniqueBytes };
  }

  /** What the changes refer to becomes rows to be counted. */
  async #saveReferences(): Promise<void> {
    for (const reference of this.references.take()) this.addUncounted(reference);
    await this.#saveSet(this.uncounted);
  }

  /** A reference that is to be counted, as one of the operation that is made now unless it says otherwise. */
  addUncounted(reference: NewReference): void {
    const number = this.head.nextReference + 1;
    this.head = { ...this.head, nextReference: number };
    this.uncounted.add({ epoch: this.epoch, parked: false, ...reference, number });
  }

  /** Writes all changes. Everything must be loaded again before it is used again. */
  async save(): Promise<void> {
    const { references } = this;
    references.follow(this.head.census);
    const counters = { entries: 0, logicalBytes: 0, packs: 0, storedBytes: 0 };
    const changes: EntryRowChange[] = [];
    await this.#saveSet(this.entries, (before, after) => {
      changes.push({ before, after });
      references.addEntry(before, after);
      counters.entries += Number(after !== undefined) - Number(before !== undefined);
      counters.logicalBytes += (after?.size ?? 0) - (before?.size ?? 0);
      this.tally.countEntry(before, after);
    });
    await this.#saveItems(this.items);
    await this.#saveSet(this.packs, (before, after) => {
      const was = before && !before.dropped ? before : undefined;
      const is = after && !after.dropped ? after : undefined;
      counters.packs += Number(is !== undefined) - Number(was !== undefined);
      counters.storedBytes += (is?.descriptor.storedBytes ?? 0) - (was?.descriptor.storedBytes ?? 0);
      this.tally.countPack(was, is);
    });
    await this.#saveSet(this.outbox);
    await this.#saveSet(this.outboxRecords);
    await this.#saveSet(this.sessions);
    if (this.shreds) await this.#saveSet(this.shreds);
    await this.#saveSet(this.objects, (before, after) => references.addObject(before, after));
    await this.#saveSet(this.refs, (before, after) => references.addRef(before, after));
    await this.#saveSet(this.steps, (before, after) => references.addStep(before, after));
    for (const set of [this.histories, this.#relations, this.policies]) await this.#saveSet(set as RowSet<unknown>);
    await this.#saveReferences();
    this.relations.forgetChanges();
    const namespaces = await this.tally.settle(this.transaction);
    if (namespaces) await this.#saveSet(namespaces);
    await this.#parts.index.apply({ transaction: this.transaction, sums: this.#sums }, changes);
    const { entries, logicalBytes, packs, storedBytes } = this.head;
    this.head = {
      ...this.head,
      ...{ entries: entries + counters.entries, logicalBytes: logicalBytes + counters.logicalBytes },
      ...{ packs: packs + counters.packs, storedBytes: storedBytes + counters.storedBytes },
    };
    this.#packNumbers.clear();
    await this.#saveBooks();
  }

  /** Writes rows that say what they said and are stored in another way. */
  async replaceRows<Row>(
    table: Table<Row>,
    rows: readonly { readonly before: Uint8Array; readonly after: StoredRow<Row> }[],
  ): Promise<void> {
    const { name } = table.shape;
    let sum = this.#sums.get(name);
    invariant(sum, 'every table has a sum');
    for (const { before, after } of rows) sum = addToSum(addToSum(sum, before, -1), after.digest, 1);
    this.#sums.set(name, sum);
    await table.upsert(
      this.transaction,
      rows.map(({ after }) => after),
    );
    await this.#saveBooks();
  }

  /** Writes head and sums as they are, every one. */
  async resealBooks(): Promise<void> {
    this.#storedSums = new Map();
    await this.#saveBooks();
  }

  /** Of the sums those that changed. */
  async #saveBooks(): Promise<void> {
    const { head, sums } = this.#parts.tables;
    const changed = [...this.#sums].filter(([name, sum]) => this.#storedSums.get(name) !== sum);
    await sums.put(this.transaction, ...changed.map(([name, sum]) => ({ name, ...sum })));
    this.#storedSums = new Map(this.#sums);
    await head.put(this.transaction, this.head);
  }

  /** One step of the entry index's own housekeeping; see `EntryIndex.fold`. */
  async fold(): Promise<void> {
    await this.#parts.index.fold({ transaction: this.transaction, sums: this.#sums });
    await this.#saveBooks();
  }
}
