import { invariant, type StoreError, storeError } from '../../errors/store-error.ts';
import { NAMES_FOLD_CHANGES, NAMES_LOG_CHANGES_MAX, NAMES_LOG_ROW_CHANGES } from '../../limits.ts';
import type { Reader } from '../database.ts';
import { RowSet } from '../row-set.ts';
import type { IndexTransaction } from './contract.ts';
import { itemChangesOf, lastChanges } from './item-changes.ts';
import {
  type LoggedChange,
  type LogRow,
  NAMES_LOG,
  NAMES_ROOTS,
  type NamesTables,
  type NodeRow,
  ROOTS_KEY,
  type RootsRow,
} from './names-tables.ts';
import { ENTRY_ORDERS } from './order-items.ts';
import { TreeWriter } from './tree-writer.ts';

/** Rows of the log that a fold step reads at a time, until it has enough changes. */
const ROWS_PER_READ = 32;

function gone(table: string, key: number): StoreError {
  const details = { table, key: String(key) };
  return storeError('METADATA_CORRUPT', `metadata table ${table}, row ${key}: is gone`, { details });
}

/** @throws `corrupt/METADATA_CORRUPT` when the row is gone or damaged */
export async function loadRoots(reader: Reader, tables: NamesTables): Promise<RootsRow> {
  const [found] = await tables.roots.load(reader, [ROOTS_KEY]);
  if (!found) throw gone(NAMES_ROOTS, ROOTS_KEY[0]);
  return found.row;
}

/** The tables of names within one writing transaction. */
export class IndexWriter {
  readonly #context: IndexTransaction;
  readonly #nodes: RowSet<NodeRow>;
  readonly #log: RowSet<LogRow>;
  readonly #roots: RowSet<RootsRow>;
  #state: RootsRow;

  private constructor(
    context: IndexTransaction,
    tables: NamesTables,
    { roots, state }: { readonly roots: RowSet<RootsRow>; readonly state: RootsRow },
  ) {
    this.#context = context;
    this.#nodes = new RowSet(tables.nodes);
    this.#log = new RowSet(tables.log);
    this.#roots = roots;
    this.#state = state;
  }

  static async begin(context: IndexTransaction, tables: NamesTables): Promise<IndexWriter> {
    const roots = new RowSet(tables.roots);
    await roots.load(context.transaction, [ROOTS_KEY]);
    const state = roots.get(ROOTS_KEY);
    if (!state) throw gone(NAMES_ROOTS, ROOTS_KEY[0]);
    return new IndexWriter(context, tables, { roots, state });
  }

  /** Changes in the log. */
  get logChanges(): number {
    return this.#state.logChanges;
  }

  /** Appends to the log, in rows of bounded size; makes room first when the log is at its longest. */
  async append(changes: readonly LoggedChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += NAMES_LOG_ROW_CHANGES) {
      const part = changes.slice(start, start + NAMES_LOG_ROW_CHANGES);
      while (this.#state.logChanges + part.length > NAMES_LOG_CHANGES_MAX) await this.fold();
      const { logEnd, logChanges } = this.#state;
      this.#log.add({ number: logEnd, changes: part });
      this.#state = { ...this.#state, logEnd: logEnd + 1, logChanges: logChanges + part.length };
    }
  }

  /** The oldest rows of the log, about one step's worth of changes. */
  async #oldest(): Promise<readonly LogRow[]> {
    const { logFirst, logEnd } = this.#state;
    const rows: LogRow[] = [];
    let changes = 0;
    for (let number = logFirst; number < logEnd && changes < NAMES_FOLD_CHANGES; number += 1) {
      if ((number - logFirst) % ROWS_PER_READ === 0)
        await this.#loadLog(number, Math.min(logEnd, number + ROWS_PER_READ));
      const row = this.#log.get([number]);
      if (!row) throw gone(NAMES_LOG, number);
      rows.push(row);
      changes += row.changes.length;
    }
    return rows;
  }

  #loadLog(start: number, end: number): Promise<void> {
    return this.#log.load(
      this.#context.transaction,
      Array.from({ length: end - start }, (_, index) => [start + index]),
    );
  }

  /**
   * Moves the oldest changes of the log into the trees. Writes what it changed, so that many steps of one transaction
   * need no more memory than one.
   */
  async fold(): Promise<void> {
    const rows = await this.#oldest();
    const changes = rows.flatMap((row) => row.changes);
    let { nextNode } = this.#state;
    const writer = new TreeWriter({
      transaction: this.#context.transaction,
      nodes: this.#nodes,
      nextNode: () => nextNode++,
    });
    const roots = { ...this.#state.roots };
    for (const order of ENTRY_ORDERS) {
      roots[order] = await writer.apply(roots[order], lastChanges(itemChangesOf(changes, order)));
    }
    for (const { number } of rows) this.#log.remove([number]);
    const logFirst = this.#state.logFirst + rows.length;
    const logChanges = this.#state.logChanges - changes.length;
    this.#state = { ...this.#state, roots, nextNode, logFirst, logChanges };
    await this.save();
  }

  /** Writes all changes. */
  async save(): Promise<void> {
    const { transaction } = this.#context;
    await this.#roots.load(transaction, [ROOTS_KEY]);
    this.#roots.put(this.#state);
    await this.#saveSet(this.#nodes);
    await this.#saveSet(this.#log);
    await this.#saveSet(this.#roots);
  }

  async #saveSet<Row>(set: RowSet<Row>): Promise<void> {
    const { transaction, sums } = this.#context;
    const sum = sums.get(set.name);
    invariant(sum, 'every table of the index has a sum');
    sums.set(set.name, await set.save(transaction, sum));
  }
}
