import { EMPTY_BYTES } from '../../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../../errors/store-error.ts';
import {
  NAMES_FOLD_CHANGES,
  NAMES_LOG_CHANGES_MAX,
  NAMES_LOG_CHANGES_TARGET,
  NAMES_LOG_ROW_CHANGES,
} from '../../limits.ts';
import type { Reader } from '../database.ts';
import { RowSet } from '../row-set.ts';
import type { IndexTransaction } from './contract.ts';
import { FoldPlan } from './fold-plan.ts';
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
import { ENTRY_ORDERS, justAfter } from './order-items.ts';
import { TreeWriter } from './tree-writer.ts';

/**
 * Beyond its maximum the log pays a fold step for so many changes that it takes. A fold takes no more than six changes
 * of items and rows for one of the log, so it comes to its end before the log has grown by a quarter.
 */
const CHANGES_PER_FORCED_STEP = NAMES_FOLD_CHANGES / 32;

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
  readonly #tables: NamesTables;
  readonly #nodes: RowSet<NodeRow>;
  readonly #log: RowSet<LogRow>;
  readonly #roots: RowSet<RootsRow>;
  #state: RootsRow;
  /** What the last step went by; the next one needs the same, unless a fold ended or another process took its turn. */
  plan: FoldPlan | undefined;

  private constructor(
    context: IndexTransaction,
    tables: NamesTables,
    begun: { readonly roots: RowSet<RootsRow>; readonly state: RootsRow; readonly plan: FoldPlan | undefined },
  ) {
    this.#context = context;
    this.#tables = tables;
    this.#nodes = new RowSet(tables.nodes);
    this.#log = new RowSet(tables.log);
    this.#roots = begun.roots;
    this.#state = begun.state;
    this.plan = begun.plan;
  }

  /** @param plan of an earlier transaction that was not undone, to save reading the log again */
  static async begin(context: IndexTransaction, tables: NamesTables, plan?: FoldPlan): Promise<IndexWriter> {
    const roots = new RowSet(tables.roots);
    await roots.load(context.transaction, [ROOTS_KEY]);
    const state = roots.get(ROOTS_KEY);
    if (!state) throw gone(NAMES_ROOTS, ROOTS_KEY[0]);
    return new IndexWriter(context, tables, { roots, state, plan });
  }

  /** Whether the log is long enough to fold it, or a fold is under way. */
  get foldDue(): boolean {
    const { logChanges, logFirst, fold } = this.#state;
    return logChanges > NAMES_LOG_CHANGES_TARGET || fold.end > logFirst;
  }

  /** Appends to the log, in rows of bounded size; folds as well when the log is too long. */
  async append(changes: readonly LoggedChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += NAMES_LOG_ROW_CHANGES) {
      const part = changes.slice(start, start + NAMES_LOG_ROW_CHANGES);
      for (let paid = 0; paid < part.length; paid += CHANGES_PER_FORCED_STEP) {
        if (this.#state.logChanges + part.length > NAMES_LOG_CHANGES_MAX) await this.fold();
      }
      const { logEnd, logChanges } = this.#state;
      this.#log.add({ number: logEnd, changes: part });
      this.#state = { ...this.#state, logEnd: logEnd + 1, logChanges: logChanges + part.length };
    }
  }

  /**
   * Takes a step of the fold under way, or begins one over all of the log. Writes what it changed, so that many steps
   * of one transaction need no more memory than one.
   */
  async fold(): Promise<void> {
    const { logFirst, logEnd, fold } = this.#state;
    if (fold.end === logFirst) {
      if (logEnd === logFirst) return;
      // Rows that this transaction appended are not yet where the plan reads them.
      await this.save();
      this.#state = { ...this.#state, fold: { end: logEnd, trees: 0, from: EMPTY_BYTES } };
    }
    if (this.#state.fold.trees < ENTRY_ORDERS.length) await this.#changeTrees();
    else await this.#dropRows();
    await this.save();
  }

  async #planned(): Promise<FoldPlan> {
    const range = { first: this.#state.logFirst, end: this.#state.fold.end };
    if (!this.plan?.isOf(range)) {
      this.plan = await FoldPlan.read(this.#context.transaction, this.#tables.log, range);
    }
    return this.plan;
  }

  async #changeTrees(): Promise<void> {
    const plan = await this.#planned();
    const { transaction } = this.#context;
    const roots = { ...this.#state.roots };
    let { nextNode } = this.#state;
    let { trees, from } = this.#state.fold;
    const writer = new TreeWriter({ transaction, nodes: this.#nodes, nextNode: () => nextNode++ });
    let left = NAMES_FOLD_CHANGES;
    for (let order = ENTRY_ORDERS[trees]; order && left > 0; order = ENTRY_ORDERS[trees]) {
      const changes = plan.next(order, from, left);
      roots[order] = await writer.apply(roots[order], changes);
      const last = changes.at(-1);
      const isDone = !last || changes.length < left;
      left -= changes.length;
      trees += isDone ? 1 : 0;
      from = isDone ? EMPTY_BYTES : justAfter(last.item);
    }
    this.#state = { ...this.#state, roots, nextNode, fold: { ...this.#state.fold, trees, from } };
  }

  /** Removes the oldest rows of the log, whose changes all trees have. */
  async #dropRows(): Promise<void> {
    const { logFirst, fold } = this.#state;
    const end = Math.min(fold.end, logFirst + NAMES_FOLD_CHANGES);
    const keys = Array.from({ length: end - logFirst }, (_, index) => [logFirst + index] as const);
    await this.#log.load(this.#context.transaction, keys);
    let changes = 0;
    for (const key of keys) {
      const row = this.#log.get(key);
      if (!row) throw gone(NAMES_LOG, key[0]);
      changes += row.changes.length;
      this.#log.remove(key);
    }
    this.#state = { ...this.#state, logFirst: end, logChanges: this.#state.logChanges - changes };
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
