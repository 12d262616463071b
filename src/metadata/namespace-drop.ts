/**
 * How a namespace leaves the state: its items, its packs (which become dropped ones) and its entries, a page at a time, in
 * the one transaction that drops it. Entries may be isolated and have a namespace of one each: those leave with them.
 */
import { invariant, storeError } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, METADATA_SCAN_ROWS, NAMESPACE_DROP_ISOLATED_MAX } from '../limits.ts';
import { factsOfEntry } from './entry-facts.ts';
import { itemKey } from './rows.ts';
import type { WorkingState } from './working-state.ts';

/** The second condition is what lets the database use its partial indexes. */
const OF_NAMESPACE = 'WHERE namespace = ? AND namespace > 0';
const PAGE = `LIMIT ${METADATA_SCAN_ROWS}`;

async function dropItems(state: WorkingState, namespace: number): Promise<void> {
  for (;;) {
    const page = await state.items.loadWhere(state.transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    if (page.length === 0) return;
    await state.loadItems(page);
    for (const { kind, id } of page) state.removeItem(itemKey(kind, id));
    await state.save();
  }
}

async function dropPacks(state: WorkingState, namespace: number): Promise<void> {
  for (;;) {
    const where = `${OF_NAMESPACE} AND dropped = 0 ${PAGE}`;
    const page = await state.packs.loadWhere(state.transaction, where, [namespace]);
    if (page.length === 0) return;
    for (const pack of page) state.packs.put({ ...pack, dropped: true });
    await state.save();
  }
}

/** @returns the isolation namespaces of the entries that left */
async function dropEntries(state: WorkingState, namespace: number): Promise<readonly number[]> {
  const isolated: number[] = [];
  for (;;) {
    const page = await state.entries.loadWhere(state.transaction, `${OF_NAMESPACE} ${PAGE}`, [namespace]);
    if (page.length === 0) return isolated;
    for (const { key, entry } of page) {
      const { isolation } = factsOfEntry(entry);
      if (isolation !== undefined) isolated.push(isolation);
      state.removeEntry(key);
    }
    if (isolated.length > NAMESPACE_DROP_ISOLATED_MAX) {
      throw storeError('BATCH_TOO_LARGE', 'the namespace holds too many isolated entries to be dropped at once', {
        details: { namespace, size: isolated.length },
      });
    }
    await state.save();
  }
}

/**
 * Lets namespaces leave the state, with all changes before. Everything must be loaded again before it is used again.
 * @returns all that left: those asked for, then the isolation namespaces of their entries
 * @throws `invalid/BATCH_TOO_LARGE`
 */
export async function dropNamespaces(state: WorkingState, namespaces: readonly number[]): Promise<readonly number[]> {
  if (namespaces.length === 0) return [];
  await state.save();
  const leaving = new Set(namespaces);
  // A set hands out what is added while it is walked.
  for (const namespace of leaving) {
    await dropItems(state, namespace);
    await dropPacks(state, namespace);
    if (namespace >= ISOLATED_NAMESPACE_MIN) continue;
    for (const isolated of await dropEntries(state, namespace)) leaving.add(isolated);
  }
  await addShreds(
    state,
    [...leaving].filter((namespace) => namespace >= ISOLATED_NAMESPACE_MIN),
  );
  return [...leaving];
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
