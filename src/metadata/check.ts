/**
 * Recomputes everything the metadata says about itself, in one snapshot: row digests, table sums, counters of the store
 * and of each namespace, the count of items per pack, where items point, the chain of the outbox, the order of entries.
 * Lists what is wrong and never stops at the first.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { decodeJournalRecord } from '../format/journal.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { blake3 } from '../hash/index.ts';
import { loadHead, loadSums } from './books.ts';
import type { MetadataCheck, MetadataInvariant, MetadataProblem, TableReport } from './contract.ts';
import type { Reader, SqlRow } from './database.ts';
import { NamedCheck } from './named-check.ts';
import {
  addChunk,
  addEntry,
  addPack,
  CountersByNamespace,
  isEmpty,
  NOTHING_HELD,
  namespaceOfPack,
} from './namespace-tally.ts';
import { addToSum, EMPTY_SUM, type TableSum } from './row-digest.ts';
import { type HeadRow, IN_OUTBOX, liveShareOf, type StoredPack, type StoredRecord } from './rows.ts';
import { localColumnsProblem } from './shard-columns.ts';
import type { StoreTables } from './store-tables.ts';
import type { Table } from './table.ts';
import { scanTable } from './table-scan.ts';
import type { NamespacedTables, Tables } from './tables.ts';

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
}

/** Problems of one kind are listed up to here and counted beyond: one damaged page must not flood the report. */
const LISTED_MAX = 20;

/** Whether live journal packs hold every record of a run of commits. */
function holdsRecords(packs: ReadonlyMap<number, StoredPack>, first: number, last: number): boolean {
  const runs = [...packs.values()].flatMap(({ descriptor, dropped }) => (dropped ? [] : (descriptor.journal ?? [])));
  runs.sort((a, b) => a.firstCommit - b.firstCommit);
  let next = first;
  for (const run of runs) if (run.firstCommit <= next) next = Math.max(next, run.lastCommit + 1);
  return next > last;
}

/** Whether a record names the other as the one before it; a record that cannot be read does not. */
function follows(record: Uint8Array, before: Uint8Array): boolean {
  try {
    return equalBytes(decodeJournalRecord(record).previous, blake3(before));
  } catch (error) {
    if (isStoreError(error, 'JOURNAL_CORRUPT', 'OPERATION_UNSUPPORTED', 'FORMAT_UNSUPPORTED')) return false;
    throw error;
  }
}

class Checker {
  readonly #reader: Reader;
  readonly #parts: StoreTables;
  readonly #tables: Tables;
  readonly #options: CheckOptions;
  readonly #reports: TableReport[] = [];
  readonly #namespaces = new CountersByNamespace();
  readonly problems: MetadataProblem[] = [];
  #sums = new Map<string, TableSum>();
  #done = 0;
  #total = 0;

  constructor(reader: Reader, parts: StoreTables, options: CheckOptions) {
    this.#reader = reader;
    this.#parts = parts;
    this.#tables = parts.tables;
    this.#options = options;
  }

  /** Runs `work`; damage that it meets becomes a problem of the report. */
  async #noting<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error, 'METADATA_CORRUPT')) throw error;
      this.#tell('row-digests', error.message);
      return undefined;
    }
  }

  #tell(invariant: MetadataInvariant, ...messages: readonly string[]): void {
    for (const message of messages) this.problems.push({ invariant, message });
  }

  async #table<Row>(table: Table<Row>, visit: (row: Row, stored: SqlRow) => void): Promise<void> {
    const { name } = table.shape;
    const kept = this.#sums.get(name);
    let actual = EMPTY_SUM;
    let damagedRows = 0;
    const complete = await this.#noting(async () => {
      for await (const page of scanTable(this.#reader, table, this.#options.signal)) {
        for (const row of page) {
          const checked = table.inspect(row);
          if (isStoreError(checked)) {
            damagedRows += 1;
            actual = { ...actual, rows: actual.rows + 1 };
            if (damagedRows <= LISTED_MAX) this.#tell('row-digests', checked.message);
          } else {
            actual = addToSum(actual, checked.digest, 1);
            visit(checked.row, row);
          }
        }
        this.#done += page.length;
        this.#options.progress?.(this.#done, Math.max(this.#done, this.#total));
      }
      return true;
    });
    const sumMatches = complete === true && kept?.rows === actual.rows && kept.sum === actual.sum;
    this.#reports.push({ table: name, rows: actual.rows, damagedRows, sumMatches });
  }

  #compare(what: string, kept: number, actual: number, invariant: MetadataInvariant = 'counters'): void {
    if (kept !== actual) this.#tell(invariant, `${what}: ${kept} kept, ${actual} found`);
  }

  async #entries(head: HeadRow | undefined): Promise<void> {
    let [entries, logicalBytes] = [0, 0];
    const order = this.#parts.index.check();
    await this.#table(this.#tables.entries, (row) => {
      entries += 1;
      logicalBytes += row.size;
      addEntry(this.#namespaces.of(namespaceOfKey(row.key)), row, 1);
      order.addEntry(row);
    });
    for (const table of this.#parts.index.tables) await this.#table(table, () => undefined);
    const found = await this.#noting(() => order.finish(this.#reader, this.#options.signal));
    this.#tell('entry-order', ...(found ?? []));
    if (!head) return;
    this.#compare('entries', head.entries, entries);
    this.#compare('bytes of entries', head.logicalBytes, logicalBytes);
  }

  async #packs(head: HeadRow | undefined): Promise<ReadonlyMap<number, StoredPack>> {
    const packs = new Map<number, StoredPack>();
    let [live, storedBytes, misplaced] = [0, 0, 0];
    await this.#table(this.#tables.packs, (pack, stored) => {
      const { number, items, dropped, liveBytes, condemned } = pack;
      const problem = localColumnsProblem(stored, pack);
      if (problem !== undefined) {
        misplaced += 1;
        if (misplaced <= LISTED_MAX) this.#tell('shards-placed', `pack ${number}: ${problem}`);
      }
      // Roots and places are the bulk of a row and not needed here.
      const { places: _, ...descriptor } = pack.descriptor;
      const stripe = { ...descriptor.stripe, roots: new Uint8Array(0) };
      packs.set(number, { number, items, dropped, liveBytes, condemned, descriptor: { ...descriptor, stripe } });
      if (head && condemned > head.epoch)
        this.#tell('condemned-marked', `pack ${number} is condemned in an epoch yet to come`);
      if (dropped) return;
      live += 1;
      storedBytes += pack.descriptor.storedBytes;
      addPack(this.#namespaces.of(namespaceOfPack(pack)), pack, 1);
    });
    if (misplaced > LISTED_MAX) this.#tell('shards-placed', `places of ${misplaced - LISTED_MAX} more packs are wrong`);
    if (head) {
      this.#compare('packs', head.packs, live);
      this.#compare('bytes of packs', head.storedBytes, storedBytes);
    }
    return packs;
  }

  async #items(
    head: HeadRow | undefined,
    found: { readonly packs: ReadonlyMap<number, StoredPack>; readonly outbox: ReadonlySet<string> },
  ): Promise<void> {
    let [chunks, uniqueBytes, astray, unmarked] = [0, 0, 0, 0];
    const perPack = new Map<number, { items: number; liveBytes: number }>();
    const ofPack = (number: number) => perPack.get(number) ?? { items: 0, liveBytes: 0 };
    await this.#table(this.#tables.items, (row) => {
      const { items, liveBytes } = ofPack(row.pack);
      perPack.set(row.pack, { items: items + 1, liveBytes: liveBytes + liveShareOf(row) });
      const pack = found.packs.get(row.pack);
      const there = row.pack === IN_OUTBOX ? found.outbox.has(`${row.commit}/${row.ordinal}`) : pack && !pack.dropped;
      if (!there) astray += 1;
      if (row.condemned > 0 && pack?.condemned === 0) unmarked += 1;
      if (row.kind !== 'chunk') return;
      chunks += 1;
      uniqueBytes += row.length;
      addChunk(this.#namespaces.of(row.namespace), row, 1);
    });
    if (unmarked > 0) this.#tell('condemned-marked', `${unmarked} items are condemned in packs that do not say so`);
    if (astray > 0) this.#tell('items-placed', `${astray} items point to a pack or outbox record that is not there`);
    const packs = [...found.packs.values()];
    const otherItems = packs.filter(({ number, items }) => items !== ofPack(number).items);
    for (const { number, items } of otherItems.slice(0, LISTED_MAX)) {
      this.#compare(`items of pack ${number}`, items, ofPack(number).items, 'items-placed');
    }
    const otherBytes = packs.filter(({ number, liveBytes }) => liveBytes !== ofPack(number).liveBytes);
    for (const { number, liveBytes } of otherBytes.slice(0, LISTED_MAX)) {
      this.#compare(`live bytes of pack ${number}`, liveBytes, ofPack(number).liveBytes, 'live-bytes');
    }
    const [moreItems, moreBytes] = [otherItems.length - LISTED_MAX, otherBytes.length - LISTED_MAX];
    if (moreItems > 0) this.#tell('items-placed', `items of ${moreItems} more packs drifted`);
    if (moreBytes > 0) this.#tell('live-bytes', `live bytes of ${moreBytes} more packs drifted`);
    if (!head) return;
    this.#compare('chunks', head.chunks, chunks);
    this.#compare('bytes of chunks', head.uniqueBytes, uniqueBytes);
  }

  /** Commits between two in the outbox were flushed before those ahead of them: then a journal pack holds them. */
  #notInOutbox(first: number, last: number, packs: ReadonlyMap<number, StoredPack>): void {
    if (first <= last && !holdsRecords(packs, first, last)) {
      this.#tell(
        'journal-chain',
        `the records of commits ${first} to ${last} are in no journal pack and not in the outbox`,
      );
    }
  }

  /** @returns the places in the outbox that items may point to */
  async #outbox(head: HeadRow | undefined, packs: ReadonlyMap<number, StoredPack>): Promise<ReadonlySet<string>> {
    let last: StoredRecord | undefined;
    await this.#table(this.#tables.outbox, (row) => {
      if (!last && head && row.commit !== head.flushed + 1) {
        this.#tell('journal-chain', `the outbox begins with commit ${row.commit}, flushed is ${head.flushed}`);
      }
      if (last) this.#notInOutbox(last.commit + 1, row.commit - 1, packs);
      if (last?.commit === row.commit - 1 && !follows(row.record, last.record)) {
        this.#tell('journal-chain', `the outbox record of commit ${row.commit} does not follow the one before`);
      }
      last = row;
    });
    const places = new Set<string>();
    await this.#table(this.#tables.outboxRecords, (row) => places.add(`${row.commit}/${row.ordinal}`));
    if (head) {
      const end = last?.commit ?? head.flushed;
      if (end > head.commit)
        this.#tell('journal-chain', `the outbox ends with commit ${end}, the last one is ${head.commit}`);
      this.#notInOutbox(end + 1, head.commit, packs);
      if (last?.commit === head.commit && !equalBytes(blake3(last.record), head.digest)) {
        this.#tell('journal-chain', 'the last outbox record is not the one the head names');
      }
    }
    return places;
  }

  /** Refs lead to objects, histories count their steps, relations are entries' and count children. */
  async #named(): Promise<void> {
    const { objects, refs, policies } = this.#tables;
    await this.#table(objects, () => undefined);
    await this.#table(refs, () => undefined);
    await this.#table(policies, () => undefined);
    const check = new NamedCheck();
    await this.#table(this.#tables.histories, (row) => check.addHistory(row));
    await this.#table(this.#tables.steps, (row) => check.addStep(row));
    await this.#table(this.#tables.relations, (row) => check.addRelation(row));
    const found = await this.#noting(() => check.finish(this.#reader, this.#tables));
    this.problems.push(...(found ?? []));
  }

  /** After all rows that are counted by namespace. */
  async #namespaced({ namespaces, shreds }: NamespacedTables): Promise<void> {
    const kept = new Set<number>();
    await this.#table(namespaces, (row) => {
      kept.add(row.number);
      const actual = this.#namespaces.get(row.number) ?? NOTHING_HELD;
      const drifted = Object.entries(actual).some(([name, value]) => row[name as keyof typeof actual] !== value);
      if (drifted) this.#tell('namespace-tallies', `the counters of namespace ${row.number} drifted`);
    });
    for (const [number, counters] of this.#namespaces.entries()) {
      if (!isEmpty(counters) && !kept.has(number))
        this.#tell('namespace-tallies', `namespace ${number} has no counters`);
    }
    await this.#table(shreds, () => undefined);
  }

  async run(): Promise<MetadataCheck> {
    const head = await this.#noting(() => loadHead(this.#reader, this.#tables));
    this.#sums = (await this.#noting(() => loadSums(this.#reader, this.#parts)))?.sums ?? this.#sums;
    for (const { rows } of this.#sums.values()) this.#total += rows;
    await this.#entries(head);
    const packs = await this.#packs(head);
    const outbox = await this.#outbox(head, packs);
    await this.#items(head, { packs, outbox });
    await this.#table(this.#tables.sessions, () => undefined);
    await this.#table(this.#tables.uncounted, () => undefined);
    await this.#named();
    if (this.#tables.namespaced) await this.#namespaced(this.#tables.namespaced);
    return { tables: this.#reports, problems: this.problems };
  }
}

/** See `Metadata.check`. `reader` must see one state throughout. */
export function checkMetadata(reader: Reader, parts: StoreTables, options: CheckOptions): Promise<MetadataCheck> {
  return new Checker(reader, parts, options).run();
}
