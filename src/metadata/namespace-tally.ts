import { namespaceOfKey } from '../format/scoped-key.ts';
import type { EntryRow, NamespaceCounters } from './contract.ts';
import type { Reader } from './database.ts';
import { RowSet } from './row-set.ts';
import type { ItemRow, NamespaceRow, StoredPack } from './rows.ts';
import type { Table } from './table.ts';

type Counters = { -readonly [Name in keyof NamespaceCounters]: NamespaceCounters[Name] };

/** Counters of a namespace that holds nothing. */
export const NOTHING_HELD: NamespaceCounters = {
  ...{ entries: 0, logicalBytes: 0, chunks: 0, uniqueBytes: 0, storedBytes: 0 },
};

/** What a namespace holds more, or less, for one row of another table; 1 when it comes, -1 when it goes. */
export function addEntry(to: Counters, row: EntryRow, count: 1 | -1): void {
  to.entries += count;
  to.logicalBytes += count * row.size;
}

export function addChunk(to: Counters, row: ItemRow, count: 1 | -1): void {
  to.chunks += count;
  to.uniqueBytes += count * row.length;
}

export function addPack(to: Counters, row: StoredPack, count: 1 | -1): void {
  to.storedBytes += count * row.descriptor.storedBytes;
}

/** Counters by namespace, made when first asked for. */
export class CountersByNamespace {
  readonly #counters = new Map<number, Counters>();

  of(namespace: number): Counters {
    let counters = this.#counters.get(namespace);
    if (!counters) {
      counters = { ...NOTHING_HELD };
      this.#counters.set(namespace, counters);
    }
    return counters;
  }

  get(namespace: number): NamespaceCounters | undefined {
    return this.#counters.get(namespace);
  }

  entries(): Iterable<[number, NamespaceCounters]> {
    return this.#counters.entries();
  }

  clear(): void {
    this.#counters.clear();
  }
}

/** The namespace of a pack; that of a plain store's is the default one. */
export function namespaceOfPack(pack: StoredPack): number {
  return pack.descriptor.seal?.namespace ?? 0;
}

/** Whether nothing is counted. */
export function isEmpty(counters: NamespaceCounters): boolean {
  return Object.keys(NOTHING_HELD).every((name) => counters[name as keyof NamespaceCounters] === 0);
}

/**
 * How one transaction changes what each namespace holds. A plain store has one namespace, which is not counted here.
 */
export class NamespaceTally {
  readonly #rows: RowSet<NamespaceRow> | undefined;
  readonly #changes = new CountersByNamespace();
  /** Growth of logical bytes that is planned but not yet counted, by namespace. */
  #growth = new Map<number, number>();

  /** @param table absent in a plain store */
  constructor(table: Table<NamespaceRow> | undefined) {
    this.#rows = table && new RowSet(table);
  }

  growBy(namespace: number, bytes: number): void {
    this.#growth.set(namespace, this.growthOf(namespace) + bytes);
  }

  growthOf(namespace: number): number {
    return this.#growth.get(namespace) ?? 0;
  }

  mark(): ReadonlyMap<number, number> {
    return new Map(this.#growth);
  }

  rollBack(mark: ReadonlyMap<number, number>): void {
    this.#growth = new Map(mark);
  }

  /** Logical bytes of a namespace before this transaction; `undefined` in a plain store. */
  async logicalBytes(reader: Reader, namespace: number): Promise<number | undefined> {
    await this.#rows?.load(reader, [[namespace]]);
    return this.#rows && (this.#rows.get([namespace])?.logicalBytes ?? 0);
  }

  countEntry(before: EntryRow | undefined, after: EntryRow | undefined): void {
    if (before) addEntry(this.#changes.of(namespaceOfKey(before.key)), before, -1);
    if (after) addEntry(this.#changes.of(namespaceOfKey(after.key)), after, 1);
  }

  countChunk(before: ItemRow | undefined, after: ItemRow | undefined): void {
    if (before) addChunk(this.#changes.of(before.namespace), before, -1);
    if (after) addChunk(this.#changes.of(after.namespace), after, 1);
  }

  countPack(before: StoredPack | undefined, after: StoredPack | undefined): void {
    if (before) addPack(this.#changes.of(namespaceOfPack(before)), before, -1);
    if (after) addPack(this.#changes.of(namespaceOfPack(after)), after, 1);
  }

  /**
   * Takes over what was counted since the last call.
   * @returns the rows to save; `undefined` in a plain store
   */
  async settle(reader: Reader): Promise<RowSet<NamespaceRow> | undefined> {
    const rows = this.#rows;
    const changes = [...this.#changes.entries()].filter(([, change]) => !isEmpty(change));
    this.#growth.clear();
    this.#changes.clear();
    if (!rows) return undefined;
    await rows.load(
      reader,
      changes.map(([number]) => [number]),
    );
    for (const [number, change] of changes) {
      const after = { number, ...sum(rows.get([number]) ?? NOTHING_HELD, change) };
      if (isEmpty(after)) rows.remove([number]);
      else rows.put(after);
    }
    return rows;
  }
}

function sum(a: NamespaceCounters, b: NamespaceCounters): NamespaceCounters {
  return {
    entries: a.entries + b.entries,
    logicalBytes: a.logicalBytes + b.logicalBytes,
    chunks: a.chunks + b.chunks,
    uniqueBytes: a.uniqueBytes + b.uniqueBytes,
    storedBytes: a.storedBytes + b.storedBytes,
  };
}
