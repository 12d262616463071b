/**
 * What changes and journal operations do to relations. An entry has at most one parent; both directions are one row, so
 * they cannot disagree. Relations form trees: nothing becomes the parent of one of its ancestors.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { keyText } from './key-text.ts';
import type { RelationRow } from './object-rows.ts';
import { rowsDisagree } from './state-errors.ts';
import type { WorkingState } from './working-state.ts';

function cycle(child: Uint8Array, parent: Uint8Array): StoreError {
  const details = { key: keyText(child), parent: keyText(parent) };
  const message = `${details.parent} is ${details.key} or beneath it, and cannot be its parent`;
  return storeError('RELATION_CYCLE', message, { details });
}

function hasChildren(key: Uint8Array, children: number): StoreError {
  const details = { key: keyText(key), count: children };
  return storeError('ENTRY_HAS_CHILDREN', `the entry ${details.key} has ${children} children`, { details });
}

/** Only what has children can be above its new parent: building a tree from either end costs nothing here. */
async function checkNoCycle(state: WorkingState, child: RelationRow, parent: RelationRow): Promise<void> {
  if (child.children === 0) return;
  let above: RelationRow | undefined = parent;
  while (above && above.parent !== 0) {
    if (above.parent === child.node) throw cycle(child.key, parent.key);
    above = await state.relations.byNode(above.parent);
  }
}

async function countChild(state: WorkingState, node: number, change: 1 | -1): Promise<void> {
  if (node === 0) return;
  const row = await state.relations.byNode(node);
  if (!row) throw rowsDisagree('relations', `the parent with node ${node} is not there`);
  state.relations.put({ ...row, children: row.children + change });
}

/**
 * Gives an entry a parent, or none. Both are entries that are there.
 * @throws `conflict/RELATION_CYCLE`
 */
export async function setParent(state: WorkingState, child: Uint8Array, parent: Uint8Array | undefined): Promise<void> {
  const { relations } = state;
  if (parent === undefined) {
    const row = await relations.get(child);
    if (!row || row.parent === 0) return;
    await countChild(state, row.parent, -1);
    relations.put({ ...row, parent: 0 });
    return;
  }
  invariant(namespaceOfKey(child) === namespaceOfKey(parent), 'relations stay in their namespace');
  if (equalBytes(child, parent)) throw cycle(child, parent);
  const above = (await relations.get(parent)) ?? (await relations.create(parent));
  const row = (await relations.get(child)) ?? (await relations.create(child));
  if (row.parent === above.node) return;
  await checkNoCycle(state, row, above);
  await countChild(state, row.parent, -1);
  relations.put({ ...row, parent: above.node });
  // The old parent may have been the last that kept the new one's row in place: it is asked for again.
  const now = (await relations.get(parent)) ?? above;
  relations.put({ ...now, children: now.children + 1 });
}

/**
 * Lets a deleted entry leave its relations; its children have no parent then.
 * @throws `conflict/ENTRY_HAS_CHILDREN` when it has children and they are not released
 */
export async function leaveRelations(
  state: WorkingState,
  key: Uint8Array,
  { release }: { readonly release: boolean },
): Promise<void> {
  if (!state.mayHave('relations')) return;
  const { relations } = state;
  const row = await relations.get(key);
  if (!row) return;
  if (row.children > 0 && !release) throw hasChildren(key, row.children);
  if (row.children > 0) for (const child of await relations.beneath(row.node)) relations.put({ ...child, parent: 0 });
  await countChild(state, row.parent, -1);
  relations.remove(key);
}

/**
 * Relations go with an entry that gets another key.
 * @throws `conflict/ENTRY_HAS_CHILDREN` when the entry it replaces has children
 */
export async function moveRelations(state: WorkingState, from: Uint8Array, to: Uint8Array): Promise<void> {
  if (!state.mayHave('relations') || equalBytes(from, to)) return;
  await leaveRelations(state, to, { release: false });
  const row = await state.relations.get(from);
  if (!row) return;
  await state.relations.get(to);
  state.relations.remove(from);
  state.relations.put({ ...row, key: to });
}

/** Keys of an entry and all its descendants, each after its parent. */
export async function familyOf(state: WorkingState, key: Uint8Array): Promise<readonly Uint8Array[]> {
  const family = [key];
  const top = state.mayHave('relations') ? await state.relations.get(key) : undefined;
  if (!top) return family;
  const waiting = [top.node];
  const seen = new Set(waiting);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const row of await state.relations.beneath(node)) {
      if (seen.has(row.node)) throw rowsDisagree('relations', 'relations lead in a circle');
      seen.add(row.node);
      family.push(row.key);
      if (row.children > 0) waiting.push(row.node);
    }
  }
  return family;
}

/** Lets a whole family leave: nothing outside of it loses more than one child. */
export async function removeFamily(state: WorkingState, family: readonly Uint8Array[]): Promise<void> {
  const [top] = family;
  if (!top || !state.mayHave('relations')) return;
  const row = await state.relations.get(top);
  if (row) await countChild(state, row.parent, -1);
  for (const key of family) {
    await state.relations.get(key);
    state.relations.remove(key);
  }
}
