/** What changes and journal operations do to objects and refs, and how relations and policies are changed on request. */
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { parseObjectKey } from '../format/object-key.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import type { Operation } from '../format/types.ts';
import { OPERATION_NUMBERS_MAX } from '../limits.ts';
import { checkDoom } from './condemning.ts';
import { entryNotFound, type PlannedChange } from './entry-changes.ts';
import { addMove, forgetSteps, replayVersionKeep } from './history-changes.ts';
import { keyText } from './key-text.ts';
import type { ObjectChange } from './object-contract.ts';
import type { CountedObject } from './object-rows.ts';
import { setParent } from './relation-changes.ts';
import type { RowPlace } from './row-set.ts';
import { neverWritten } from './state-errors.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

type Put = Extract<ObjectChange, { readonly type: 'object-put' }>;
type Remove = Extract<ObjectChange, { readonly type: 'object-remove' }>;
type RefSet = Extract<ObjectChange, { readonly type: 'ref-set' }>;
type RelationSet = Extract<ObjectChange, { readonly type: 'relation-set' }>;

/** Operations that are replayed here. */
export type ObjectOperation = Extract<
  Operation,
  {
    readonly type: `object-${string}` | 'ref-set' | 'history-forget' | 'relation-set' | 'version-keep' | 'policy-set';
  }
>;

const NOTHING_THERE = { outcome: { existed: false } } as const;

function objectNotFound(key: Uint8Array): StoreError {
  const object = toHex(parseObjectKey(key)?.digest ?? key);
  return storeError('OBJECT_NOT_FOUND', `there is no object ${object}`, { details: { object } });
}

/** Reads the rows of objects that changes name. */
export async function loadObjects(state: WorkingState, changes: readonly ObjectChange[]): Promise<void> {
  const keys = changes.flatMap((change): readonly Uint8Array[] => {
    if (change.type === 'object-put') return [change.key, ...change.references];
    if (change.type === 'object-remove') return change.keys;
    return change.type === 'ref-set' && change.target ? [change.target] : [];
  });
  await state.objects.load(
    state.transaction,
    keys.map((key) => [key]),
  );
}

/**
 * Whether an object is there for the operation that is made. Condemned, it is there for one that may have begun before
 * that, which saves it; a later one was told that it is not there, and what it refers to may be gone already.
 */
function isThere(state: WorkingState, place: RowPlace<CountedObject>): boolean {
  const { row } = place;
  if (!row || (row.condemned > 0 && row.condemned <= state.epoch)) return false;
  if (row.condemned > 0) place.put({ ...row, condemned: 0 });
  return true;
}

function planPut(state: WorkingState, { key, objectType, entry, references }: Put): PlannedChange {
  const place = state.objects.at([key]);
  if (isThere(state, place)) return { outcome: { existed: true } };
  for (const reference of references)
    if (!isThere(state, state.objects.at([reference]))) throw objectNotFound(reference);
  const put = { type: 'object-put', key, objectType, entry } as const;
  // Its content may be made of other chunks now: it is another one with the same name.
  const removed: readonly Operation[] = place.row ? [{ type: 'object-remove', key }] : [];
  putObject(state, place, put);
  return { outcome: { existed: false }, operations: [...removed, put] };
}

function putObject(
  state: WorkingState,
  place: RowPlace<CountedObject>,
  { key, objectType, entry }: Pick<Put, 'key' | 'objectType' | 'entry'>,
): void {
  place.put({ key, type: objectType, entry, stored: state.time, refs: place.row?.refs ?? 0, condemned: 0 });
}

/** Removes what is condemned and still not needed; the rest of the keys is passed by. */
async function planRemove(state: WorkingState, tables: Tables, { keys }: Remove): Promise<PlannedChange> {
  const operations: Operation[] = [];
  const namespaces = new Set<number>();
  let condemned = 0;
  for (const key of keys) {
    const row = state.objects.get([key]);
    if (!row || row.condemned === 0 || row.refs > 0) continue;
    condemned = Math.max(condemned, row.condemned);
    namespaces.add(namespaceOfKey(key));
    state.objects.remove([key]);
    operations.push({ type: 'object-remove', key });
  }
  if (operations.length > 0) await checkDoom(state, tables, { condemned, namespaces });
  return { outcome: { existed: operations.length > 0, deleted: operations.length }, operations };
}

function isAt(actual: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  return actual && expected ? equalBytes(actual, expected) : actual === expected;
}

function targetText(target: Uint8Array | undefined): string {
  return target ? toHex(parseObjectKey(target)?.digest ?? target) : 'absent';
}

function refElsewhere(key: Uint8Array, expected: Uint8Array | undefined, actual: Uint8Array | undefined): StoreError {
  const details = { key: keyText(key), expected: targetText(expected), actual: targetText(actual) };
  const message = `the ref ${details.key} is ${actual ? 'at another object' : 'not there'}, not as expected`;
  return storeError('PRECONDITION_FAILED', message, { details });
}

async function planRef(state: WorkingState, change: RefSet): Promise<PlannedChange> {
  const { key, target, message, expected } = change;
  await state.refs.load(state.transaction, [[key]]);
  const before = state.refs.get([key])?.target;
  if (expected && !isAt(before, expected.target)) throw refElsewhere(key, expected.target, before);
  if (target && !isThere(state, state.objects.at([target]))) throw objectNotFound(target);
  if (!target && !before) return NOTHING_THERE;
  await moveRef(state, { key, target, message });
  const outcome = { existed: before !== undefined, ...(target && { moved: state.time }) };
  return { outcome, operations: [{ type: 'ref-set', key, target, message }] };
}

async function moveRef(
  state: WorkingState,
  { key, target, message }: Pick<RefSet, 'key' | 'target' | 'message'>,
): Promise<void> {
  await state.refs.load(state.transaction, [[key]]);
  await addMove(state, key, { from: state.refs.get([key])?.target, to: target, message });
  if (target) state.refs.put({ key, target, moved: state.time });
  else state.refs.remove([key]);
}

async function planRelation(state: WorkingState, { child, parent }: RelationSet): Promise<PlannedChange> {
  const keys = parent ? [child, parent] : [child];
  await state.entries.load(
    state.transaction,
    keys.map((key) => [key]),
  );
  for (const key of keys) if (!state.entries.get([key])) throw entryNotFound(key);
  const changed = await setParent(state, child, parent);
  return { outcome: { existed: true }, ...(changed && { operations: [{ type: 'relation-set', child, parent }] }) };
}

/** An operation of a namespace is sealed whole, and has its bound: numbers are told in several where they are many. */
function inParts(numbers: readonly number[]): readonly (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  for (let start = 0; start < numbers.length; start += OPERATION_NUMBERS_MAX)
    parts.push(numbers.slice(start, start + OPERATION_NUMBERS_MAX));
  return parts;
}

async function setPolicy(
  state: WorkingState,
  { namespace, policy }: Extract<ObjectChange, { readonly type: 'policy-set' }>,
): Promise<void> {
  await state.policies.load(state.transaction, [[namespace]]);
  if (policy) state.policies.put({ namespace, policy });
  else state.policies.remove([namespace]);
}

/**
 * Applies a change if its conditions hold. What `loadObjects` reads must be loaded.
 * @throws `not-found/OBJECT_NOT_FOUND`, `not-found/ENTRY_NOT_FOUND`, `conflict/PRECONDITION_FAILED`,
 *   `conflict/RELATION_CYCLE`
 */
export async function planObjectChange(
  state: WorkingState,
  change: ObjectChange,
  tables: Tables,
): Promise<PlannedChange> {
  switch (change.type) {
    case 'object-put':
      return planPut(state, change);
    case 'object-remove':
      return await planRemove(state, tables, change);
    case 'ref-set':
      return await planRef(state, change);
    case 'relation-set':
      return await planRelation(state, change);
    case 'history-forget': {
      const numbers = await forgetSteps(state, change);
      const { type, history, key } = change;
      const operations = inParts(numbers).map((part) => ({ type, history, key, numbers: part }));
      return { outcome: { existed: numbers.length > 0, deleted: numbers.length }, operations };
    }
    case 'policy-set':
      invariant(change.namespace === 0 || state.isSealed, 'a plain store has one namespace');
      await setPolicy(state, change);
      return { ...NOTHING_THERE, operations: [change] };
  }
}

async function replayRef(state: WorkingState, operation: Extract<ObjectOperation, { type: 'ref-set' }>): Promise<void> {
  const { target } = operation;
  if (target) {
    await state.objects.load(state.transaction, [[target]]);
    if (!state.objects.get([target])) throw neverWritten('moves a ref to an object that is not there');
  }
  await moveRef(state, operation);
}

async function replayRelation(
  state: WorkingState,
  operation: Extract<ObjectOperation, { type: 'relation-set' }>,
): Promise<void> {
  try {
    await planRelation(state, operation);
  } catch (error) {
    if (!isStoreError(error, 'ENTRY_NOT_FOUND', 'RELATION_CYCLE')) throw error;
    throw neverWritten('relates entries that cannot be related');
  }
}

/** Repeats an operation of the journal. @throws `corrupt/JOURNAL_CORRUPT` for one that was never written */
export async function replayObjectOperation(state: WorkingState, operation: ObjectOperation): Promise<void> {
  switch (operation.type) {
    case 'object-put': {
      await state.objects.load(state.transaction, [[operation.key]]);
      const place = state.objects.at([operation.key]);
      if (!place.row) putObject(state, place, operation);
      return;
    }
    case 'object-remove':
      await state.objects.load(state.transaction, [[operation.key]]);
      state.objects.remove([operation.key]);
      return;
    case 'ref-set':
      return await replayRef(state, operation);
    case 'relation-set':
      return await replayRelation(state, operation);
    case 'history-forget':
      await forgetSteps(state, operation);
      return;
    case 'version-keep':
      await state.entries.load(state.transaction, [[operation.key]]);
      return await replayVersionKeep(state, operation);
    case 'policy-set':
      return await setPolicy(state, operation);
  }
}
