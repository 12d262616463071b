/** The state as pages of a checkpoint, read from a snapshot: bounded memory, and one commit however long it takes. */
import { invariant, storeError } from '../errors/store-error.ts';
import { encodeCheckpointPage } from '../format/checkpoint.ts';
import type { CheckpointRows, CheckpointTable } from '../format/checkpoint-rows.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { CHECKPOINT_OPEN_PAGES_MAX, CHECKPOINT_PAGE_BYTES, ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { loadHead, loadSums } from './books.ts';
import type { CheckpointStart } from './checkpoint-contract.ts';
import type { Snapshot } from './database.ts';
import { placeOfStep } from './history-steps.ts';
import { parseHistoryKey, type RelationRow } from './object-rows.ts';
import type { OperationScope } from './operation-scope.ts';
import { addToSum, EMPTY_SUM, type TableSum } from './row-digest.ts';
import { IN_OUTBOX, type ItemRow } from './rows.ts';
import type { StoreTables } from './store-tables.ts';
import type { Table } from './table.ts';
import { scanTable } from './table-scan.ts';

/** What a value takes in a page besides its bytes, about. */
const VALUE_BYTES = 9;

function bytesOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length + VALUE_BYTES;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  for (const inner of Object.values(value)) bytes += bytesOf(inner);
  return bytes;
}

/** Rows of one table that gather to pages, those of each namespace apart. */
class Pages<Table extends CheckpointTable> {
  readonly #table: Table;
  readonly #scope: OperationScope | undefined;
  readonly #open = new Map<number, { rows: CheckpointRows[Table][]; bytes: number }>();

  constructor(table: Table, scope: OperationScope | undefined) {
    this.#table = table;
    this.#scope = scope;
  }

  /** @returns a page that is full */
  add(row: CheckpointRows[Table], namespace: number): Uint8Array | undefined {
    const page = this.#open.get(namespace) ?? { rows: [], bytes: 0 };
    this.#open.set(namespace, page);
    page.rows.push(row);
    page.bytes += bytesOf(row);
    if (page.bytes >= CHECKPOINT_PAGE_BYTES) return this.#close(namespace);
    // Many namespaces must not hold a page each in memory.
    const [oldest] = this.#open.keys();
    return this.#open.size > CHECKPOINT_OPEN_PAGES_MAX && oldest !== undefined ? this.#close(oldest) : undefined;
  }

  *end(): Generator<Uint8Array> {
    for (const namespace of [...this.#open.keys()]) yield this.#close(namespace);
  }

  #close(namespace: number): Uint8Array {
    const rows = this.#open.get(namespace)?.rows ?? [];
    this.#open.delete(namespace);
    const sealer = namespace === 0 ? undefined : this.#scope?.sealerOf(namespace);
    return encodeCheckpointPage(
      { table: this.#table, namespace, rows },
      { sealed: this.#scope !== undefined, ...(sealer && { sealer }) },
    );
  }
}

/** The readings of one metadata that are under way. */
export class StateReadings {
  readonly #readings = new Map<number, StateReading>();
  #last = 0;

  /** @param snapshot closed with the reading, or before @param scope in a sealed store */
  async begin(
    snapshot: Snapshot,
    store: StoreTables,
    scope: OperationScope | undefined,
  ): Promise<CheckpointStart | undefined> {
    const reading = new StateReading(snapshot, store, scope);
    try {
      const head = await loadHead(snapshot, store.tables);
      const { commit, digest, recordIncarnation: incarnation, incarnation: writer, flushed } = head;
      if (snapshot.holdsWriters) await reading.readAll();
      if (commit > 0 && incarnation) {
        this.#last += 1;
        this.#readings.set(this.#last, reading);
        return { reading: this.#last, commit, digest, incarnation, first: flushed + 1, writer };
      }
    } catch (error) {
      await snapshot.close();
      throw error;
    }
    await snapshot.close();
    return undefined;
  }

  /** @returns `undefined` after the last page */
  next(reading: number): Promise<Uint8Array | undefined> {
    const found = this.#readings.get(reading);
    invariant(found, 'a reading goes on until it is ended');
    return found.next();
  }

  async end(reading: number): Promise<void> {
    await this.#readings.get(reading)?.close();
    this.#readings.delete(reading);
  }
}

/** Reads the state of a snapshot. */
class StateReading {
  readonly #snapshot: Snapshot;
  readonly #store: StoreTables;
  readonly #scope: OperationScope | undefined;
  readonly #pages: AsyncGenerator<Uint8Array>;
  readonly #ready: Uint8Array[] = [];
  #failed: unknown;

  constructor(snapshot: Snapshot, store: StoreTables, scope: OperationScope | undefined) {
    this.#snapshot = snapshot;
    this.#store = store;
    this.#scope = scope;
    this.#pages = this.#read();
  }

  /** Where commits wait for the snapshot. It is that of a database in memory, where the pages fit as well. */
  async readAll(): Promise<void> {
    for await (const page of this.#pages) this.#ready.push(page);
    await this.#snapshot.close();
  }

  async next(): Promise<Uint8Array | undefined> {
    const ready = this.#ready.shift();
    if (ready) return ready;
    // A generator that has thrown says that it is done, which what is not whole must never be.
    if (this.#failed !== undefined) throw this.#failed;
    try {
      const { value, done } = await this.#pages.next();
      return done ? undefined : value;
    } catch (error) {
      this.#failed = error;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const { tables } = this.#store;
    const { sums } = await loadSums(this.#snapshot, this.#store);
    const packs = new Map<number, number>([[IN_OUTBOX, 0]]);
    yield* this.#table(tables.packs, sums, 'packs', ({ descriptor, number, dropped, items }) => {
      // Journal packs and checkpoints are found by a listing.
      if (dropped || (descriptor.journal && items === 0)) return undefined;
      packs.set(number, packs.size);
      return { row: descriptor, namespace: 0 };
    });
    yield* this.#table(tables.items, sums, 'items', (row) => itemOf(row, packs));
    yield* this.#table(tables.entries, sums, 'entries', ({ key, entry, created, modified }) =>
      keyed({ key, entry, created, modified }),
    );
    yield* this.#table(tables.objects, sums, 'objects', ({ key, type, entry, stored }) =>
      keyed({ key, type, entry, stored }),
    );
    yield* this.#table(tables.refs, sums, 'refs', ({ key, target, moved }) => keyed({ key, target, moved }));
    yield* this.#table(tables.histories, sums, 'histories', ({ key: history, first, last, steps }) =>
      keyed({ ...parseHistoryKey(history), first, last, steps }),
    );
    yield* this.#table(tables.steps, sums, 'steps', (step) => {
      const { history, number } = placeOfStep(step);
      return keyed({ ...parseHistoryKey(history), number, time: step.time, value: step.value });
    });
    yield* this.#relations(sums);
    yield* this.#table(tables.policies, sums, 'policies', (row) => ({ row, namespace: 0 }));
    if (tables.namespaced)
      yield* this.#table(tables.namespaced.shreds, sums, 'shreds', (row) => ({ row, namespace: 0 }));
  }

  async *#table<Row, Name extends CheckpointTable>(
    table: Table<Row>,
    sums: ReadonlyMap<string, TableSum>,
    ...[name, toRow]: [Name, (row: Row) => { row: CheckpointRows[Name]; namespace: number } | undefined]
  ): AsyncGenerator<Uint8Array> {
    const pages = new Pages(name, this.#scope);
    for await (const rows of this.#rows(table, sums)) {
      for (const row of rows) {
        const found = toRow(row);
        const full = found && pages.add(found.row, found.namespace);
        if (full) yield full;
      }
    }
    yield* pages.end();
  }

  async *#relations(sums: ReadonlyMap<string, TableSum>): AsyncGenerator<Uint8Array> {
    const table = this.#store.tables.relations;
    const byNode = `SELECT ${table.columnList} FROM relations WHERE node = ?`;
    const pages = new Pages('relations', this.#scope);
    for await (const rows of this.#rows(table, sums)) {
      const children = rows.filter(({ parent }) => parent > 0);
      const nodes = children.map(({ parent }) => [parent]);
      const parents = await this.#snapshot.lookup(byNode, nodes);
      for (const [index, { key }] of children.entries()) {
        const stored = parents[index];
        if (!stored) throw drifted('relations');
        const parent: RelationRow = table.check(stored).row;
        const full = pages.add({ child: key, parent: parent.key }, namespaceOfKey(key));
        if (full) yield full;
      }
    }
    yield* pages.end();
  }

  /** Pages of rows; all of them are what was kept of the table, or the last step fails. */
  async *#rows<Row>(table: Table<Row>, sums: ReadonlyMap<string, TableSum>): AsyncGenerator<readonly Row[]> {
    const { name } = table.shape;
    let found = EMPTY_SUM;
    for await (const page of scanTable(this.#snapshot, table)) {
      const rows: Row[] = [];
      for (const stored of page) {
        const checked = table.check(stored);
        found = addToSum(found, checked.digest, 1);
        rows.push(checked.row);
      }
      yield rows;
    }
    const kept = sums.get(name);
    invariant(kept, 'every table has a sum');
    if (kept.rows !== found.rows || kept.sum !== found.sum) throw drifted(name);
  }
}

function drifted(table: string): Error {
  const message = `metadata table ${table}: rows are missing or were exchanged, so its state cannot be kept`;
  return storeError('METADATA_CORRUPT', message, { details: { table } });
}

function keyed<Row extends { readonly key: Uint8Array }>(row: Row): { row: Row; namespace: number } {
  return { row, namespace: namespaceOfKey(row.key) };
}

/**
 * Ids of an isolated entry are noise without its key, which lies in a key page that may be away: they are not sealed a
 * second time.
 */
function itemOf(
  { kind, id, pack: number, ordinal, commit, namespace }: ItemRow,
  packs: ReadonlyMap<number, number>,
): { row: CheckpointRows['items']; namespace: number } {
  const pack = packs.get(number);
  if (pack === undefined) throw drifted('items');
  const isOpen = namespace >= ISOLATED_NAMESPACE_MIN;
  return { row: { kind, id, pack, ordinal: pack === 0 ? 0 : ordinal, commit }, namespace: isOpen ? 0 : namespace };
}
