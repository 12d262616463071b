/**
 * How a namespace leaves the state: its items, its packs (which become dropped ones), its entries and all that is
 * named like them, a page at a time, in the one transaction that drops it. Entries may be isolated and have a
 * namespace of one each: those leave with them.
 */
import { invariant, storeError } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, METADATA_SCAN_ROWS, NAMESPACE_DROP_ISOLATED_MAX } from '../limits.ts';
import { factsOfEntry } from './entry-facts.ts';
import { itemKey } from './rows.ts';
import type { WorkingState } from './working-state.ts';

/** The second condition is what lets the database use its partial indexes. */
const OF_NAMESPACE = 'WHERE namespace = ? AND namespace > 0';
const PAGE = `LIMIT ${METADATA_SCAN_ROWS}`;
/** What a namespace holds beside entries, found by keys that begin with it. */
const NAMED_TABLES = ['objects', 'refs', 'histories', 'steps', 'relations'] as const;

class NamespaceDrop {
  readonly #state: WorkingState;
  readonly #isolatedMax: number;
  /** All that leave, in the order in which they were met. */
  readonly leaving: Set<number>;
  #isolated = 0;
  #unsaved = 0;

  constructor(state: WorkingState, namespaces: readonly number[], isolatedMax: number) {
    this.#state = state;
    this.#isolatedMax = isolatedMax;
    this.leaving = new Set(namespaces);
  }

  /**
   * Reads pages of rows until there are no more. What one page changed is written before the next is asked for; the
   * small ends of many namespaces are written together.
   */
  async #eachPage(remove: () => Promise<number>): Promise<void> {
    for (;;) {
      const rows = await remove();
      this.#unsaved += rows;
      if (this.#unsaved >= METADATA_SCAN_ROWS) {
        await this.#state.save();
        this.#unsaved = 0;
      }
      if (rows < METADATA_SCAN_ROWS) return;
    }
  }

  async #dropItems(namespace: number): Promise<number> {
    const state = this.#state;
    const page = await state.items.loadWhere(state.transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    await state.loadItems(page);
    for (const { kind, id } of page) state.removeItem(itemKey(kind, id));
    return page.length;
  }

  async #dropPacks(namespace: number): Promise<number> {
    const { packs, transaction } = this.#state;
    const page = await packs.loadWhere(transaction, `${OF_NAMESPACE} AND dropped = 0 ${PAGE}`, [namespace]);
    for (const pack of page) packs.put({ ...pack, dropped: true });
    return page.length;
  }

  async #dropEntries(namespace: number): Promise<number> {
    const state = this.#state;
    const page = await state.entries.loadWhere(state.transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    for (const { key, entry } of page) {
      const { isolation } = factsOfEntry(entry);
      if (isolation !== undefined) this.#addIsolated(isolation);
      state.removeEntry(key);
    }
    return page.length;
  }

  async #dropNamed(table: (typeof NAMED_TABLES)[number], namespace: number): Promise<number> {
    const set = this.#state.named(table);
    const page = await set.loadWhere(this.#state.transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    for (const { key } of page) set.remove([key]);
    return page.length;
  }

  async #dropUncounted(namespace: number): Promise<number> {
    const { uncounted, transaction } = this.#state;
    const page = await uncounted.loadWhere(transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    for (const { number } of page) uncounted.remove([number]);
    return page.length;
  }

  async #dropPolicy(namespace: number): Promise<void> {
    const { policies, transaction } = this.#state;
    await policies.load(transaction, [[namespace]]);
    policies.remove([namespace]);
  }

  #addIsolated(namespace: number): void {
    this.leaving.add(namespace);
    this.#isolated += 1;
    if (this.#isolated <= this.#isolatedMax) return;
    throw storeError('BATCH_TOO_LARGE', 'the namespace holds too many isolated entries to be dropped at once', {
      details: { size: this.#isolated },
    });
  }

  async run(): Promise<void> {
    // A set hands out what is added while it is walked.
    for (const namespace of this.leaving) {
      this.#state.references.leaving.add(namespace);
      await this.#eachPage(() => this.#dropItems(namespace));
      await this.#eachPage(() => this.#dropPacks(namespace));
      if (namespace >= ISOLATED_NAMESPACE_MIN) continue;
      await this.#eachPage(() => this.#dropEntries(namespace));
      for (const table of NAMED_TABLES) await this.#eachPage(() => this.#dropNamed(table, namespace));
      await this.#eachPage(() => this.#dropUncounted(namespace));
      await this.#dropPolicy(namespace);
    }
  }
}

/**
 * Lets namespaces leave the state, after all changes before.
 * @param isolatedMax isolated entries that may leave with them
 * @returns all that left: those asked for, then the isolation namespaces of their entries
 * @throws `invalid/BATCH_TOO_LARGE`
 */
export async function dropNamespaces(
  state: WorkingState,
  namespaces: readonly number[],
  isolatedMax = NAMESPACE_DROP_ISOLATED_MAX,
): Promise<readonly number[]> {
  if (namespaces.length === 0) return [];
  // The rows of a namespace are found by queries, which see what is written.
  await state.save();
  const drop = new NamespaceDrop(state, namespaces, isolatedMax);
  await drop.run();
  const leaving = [...drop.leaving];
  await addShreds(
    state,
    leaving.filter((namespace) => namespace >= ISOLATED_NAMESPACE_MIN),
  );
  return leaving;
}

/** Their key pages are to be destroyed, however often the process ends before that is done. */
async function addShreds(state: WorkingState, namespaces: readonly number[]): Promise<void> {
  const { shreds } = state;
  invariant(shreds, 'only a sealed store has namespaces');
  await shreds.load(
    state.transaction,
    namespaces.map((namespace) => [namespace]),
  );
  for (const namespace of namespaces) shreds.put({ namespace });
}
