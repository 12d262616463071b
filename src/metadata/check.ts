/**
 * Recomputes everything the metadata says about itself, in one snapshot: row digests, table sums, counters, the count of
 * items per pack, where items point, the chain of the outbox. Lists what is wrong and never stops at the first.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { decodeJournalRecord } from '../format/journal.ts';
import { blake3 } from '../hash/index.ts';
import type { MetadataCheck, TableReport } from './contract.ts';
import type { Reader } from './database.ts';
import { addToSum, EMPTY_SUM, type TableSum } from './row-digest.ts';
import {
  entriesTable,
  type HeadRow,
  IN_OUTBOX,
  itemsTable,
  outboxRecordsTable,
  outboxTable,
  packsTable,
  type StoredPack,
  type StoredRecord,
  type SummedTable,
  sessionsTable,
} from './rows.ts';
import type { Table } from './table.ts';
import { scanTable } from './table-scan.ts';
import { loadHead, loadSums } from './working-state.ts';

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
}

/** Problems of one kind are listed up to here and counted beyond: one damaged page must not flood the report. */
const LISTED_MAX = 20;

class Checker {
  readonly #reader: Reader;
  readonly #options: CheckOptions;
  readonly #tables: TableReport[] = [];
  readonly problems: string[] = [];
  #sums = new Map<SummedTable, TableSum>();
  #done = 0;
  #total = 0;

  constructor(reader: Reader, options: CheckOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /** Runs `work`; damage that it meets becomes a problem of the report. */
  async #noting<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error, 'METADATA_CORRUPT')) throw error;
      this.problems.push(error.message);
      return undefined;
    }
  }

  async #table<Row>(name: SummedTable, table: Table<Row>, visit: (row: Row) => void): Promise<void> {
    const kept = this.#sums.get(name);
    let actual = EMPTY_SUM;
    let damagedRows = 0;
    const complete = await this.#noting(async () => {
      for await (const page of scanTable(this.#reader, table, this.#options.signal)) {
        for (const row of page) {
          try {
            const checked = table.check(row);
            actual = addToSum(actual, checked.digest, 1);
            visit(checked.row);
          } catch (error) {
            if (!isStoreError(error, 'METADATA_CORRUPT')) throw error;
            damagedRows += 1;
            actual = { ...actual, rows: actual.rows + 1 };
            if (damagedRows <= LISTED_MAX) this.problems.push(error.message);
          }
        }
        this.#done += page.length;
        this.#options.progress?.(this.#done, Math.max(this.#done, this.#total));
      }
      return true;
    });
    const sumMatches = complete === true && kept?.rows === actual.rows && kept.sum === actual.sum;
    this.#tables.push({ table: name, rows: actual.rows, damagedRows, sumMatches });
  }

  #compare(what: string, kept: number, actual: number): void {
    if (kept !== actual) this.problems.push(`${what}: ${kept} kept, ${actual} found`);
  }

  async #entries(head: HeadRow | undefined): Promise<void> {
    let [entries, logicalBytes] = [0, 0];
    await this.#table('entries', entriesTable, (row) => {
      entries += 1;
      logicalBytes += row.size;
    });
    if (!head) return;
    this.#compare('entries', head.entries, entries);
    this.#compare('bytes of entries', head.logicalBytes, logicalBytes);
  }

  async #packs(head: HeadRow | undefined): Promise<ReadonlyMap<number, StoredPack>> {
    const packs = new Map<number, StoredPack>();
    let [live, storedBytes] = [0, 0];
    await this.#table('packs', packsTable, (pack) => {
      // Roots are the bulk of a row and not needed here.
      const stripe = { ...pack.descriptor.stripe, roots: new Uint8Array(0) };
      packs.set(pack.number, { ...pack, descriptor: { ...pack.descriptor, stripe } });
      if (pack.dropped) return;
      live += 1;
      storedBytes += pack.descriptor.storedBytes;
    });
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
    let [chunks, uniqueBytes, astray] = [0, 0, 0];
    const perPack = new Map<number, number>();
    await this.#table('items', itemsTable, (row) => {
      perPack.set(row.pack, (perPack.get(row.pack) ?? 0) + 1);
      const pack = found.packs.get(row.pack);
      const there = row.pack === IN_OUTBOX ? found.outbox.has(`${row.commit}/${row.ordinal}`) : pack && !pack.dropped;
      if (!there) astray += 1;
      if (row.kind !== 'chunk') return;
      chunks += 1;
      uniqueBytes += row.length;
    });
    if (astray > 0) this.problems.push(`${astray} items point to a pack or outbox record that is not there`);
    for (const pack of found.packs.values()) {
      this.#compare(`items of pack ${pack.number}`, pack.items, perPack.get(pack.number) ?? 0);
    }
    if (!head) return;
    this.#compare('chunks', head.chunks, chunks);
    this.#compare('bytes of chunks', head.uniqueBytes, uniqueBytes);
  }

  /** @returns the places in the outbox that items may point to */
  async #outbox(head: HeadRow | undefined): Promise<ReadonlySet<string>> {
    let last: StoredRecord | undefined;
    await this.#table('outbox', outboxTable, (row) => {
      if (last && row.commit !== last.commit + 1)
        this.problems.push(`the outbox lacks what follows commit ${last.commit}`);
      else if (last && !equalBytes(decodeJournalRecord(row.record).previous, blake3(last.record))) {
        this.problems.push(`the outbox record of commit ${row.commit} does not follow the one before`);
      }
      if (!last && head && row.commit !== head.flushed + 1) {
        this.problems.push(`the outbox begins with commit ${row.commit}, flushed is ${head.flushed}`);
      }
      last = row;
    });
    const places = new Set<string>();
    await this.#table('outbox_records', outboxRecordsTable, (row) => places.add(`${row.commit}/${row.ordinal}`));
    if (head) {
      this.#compare('last commit', head.commit, last?.commit ?? head.flushed);
      if (last && !equalBytes(blake3(last.record), head.digest)) {
        this.problems.push('the last outbox record is not the one the head names');
      }
    }
    return places;
  }

  async run(): Promise<MetadataCheck> {
    const head = await this.#noting(() => loadHead(this.#reader));
    this.#sums = (await this.#noting(() => loadSums(this.#reader))) ?? this.#sums;
    for (const { rows } of this.#sums.values()) this.#total += rows;
    await this.#entries(head);
    const packs = await this.#packs(head);
    const outbox = await this.#outbox(head);
    await this.#items(head, { packs, outbox });
    await this.#table('sessions', sessionsTable, () => undefined);
    return { tables: this.#tables, problems: this.problems };
  }
}

/** See `Metadata.check`. `reader` must see one state throughout. */
export function checkMetadata(reader: Reader, options: CheckOptions): Promise<MetadataCheck> {
  return new Checker(reader, options).run();
}
