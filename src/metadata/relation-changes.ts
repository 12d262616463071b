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
  const seen = new Set<number>();
  for (let above = parent; above.parent !== 0; above = await parentOf(state, above)) {
    if (above.parent === child.node) throw cycle(child.key, parent.key);
    if (seen.has(above.node)) throw inCircle();
    seen.add(above.node);
  }
}

function inCircle(): StoreError {
  return rowsDisagree('relations', 'relations lead in a circle');
}

async function parentOf(state: WorkingState, { parent }: RelationRow): Promise<RelationRow> {
  const row = await state.relations.byNode(parent);
  if (!row) throw rowsDisagree('relations', `the parent with node ${parent} is not there`);
  return row;
}

async function leaveParent(state: WorkingState, row: RelationRow): Promise<void> {
  if (row.parent === 0) return;
  const parent = await parentOf(state, row);
  state.relations.put({ ...parent, children: parent.children - 1 });
}

/**
 * Gives an entry a parent, or none. Both are entries that are there.
 * @returns whether that changed anything
 * @throws `conflict/RELATION_CYCLE`
 */
export async function setParent(
  state: WorkingState,
  child: Uint8Array,
  parent: Uint8Array | undefined,
): Promise<boolean> {
  const { relations } = state;
  if (parent === undefined) {
    const row = await relations.get(child);
    if (!row || row.parent === 0) return false;
    await leaveParent(state, row);
    relations.put({ ...row, parent: 0 });
    return true;
  }
  invariant(namespaceOfKey(child) === namespaceOfKey(parent), 'relations stay in their namespace');
  if (equalBytes(child, parent)) throw cycle(child, parent);
  const above = (await relations.get(parent)) ?? (await relations.create(parent));
  const row = (await relations.get(child)) ?? (await relations.create(child));
  if (row.parent === above.node) return false;
  await checkNoCycle(state, row, above);
  await leaveParent(state, row);
  relations.put({ ...row, parent: above.node });
  relations.put({ ...above, children: above.children + 1 });
  return true;
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
  await leaveParent(state, row);
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
      if (seen.has(row.node)) throw inCircle();
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
  if (row) await leaveParent(state, row);
  for (const key of family) {
    await state.relations.get(key);
    state.relations.remove(key);
  }
}
