/**
 * What changes and journal operations do to entries. A commit plans here with conditions; a replay repeats the
 * outcome with the same functions, which is what keeps running and rebuilt state equal.
 */
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import type { Operation } from '../format/types.ts';
import type { Change, ChangeOutcome, EntryRow } from './contract.ts';
import { factsOfEntry } from './entry-facts.ts';
import { keepVersion } from './history-changes.ts';
import { keyText } from './key-text.ts';
import { familyOf, leaveRelations, moveRelations, removeFamily } from './relation-changes.ts';
import { neverWritten } from './state-errors.ts';
import type { WorkingState } from './working-state.ts';

type EntryChange = Extract<Change, { readonly type: 'put' | 'delete' | 'rename' | 'copy' }>;
type EntryOperation = Extract<
  Operation,
  { readonly type: 'entry-put' | 'entry-delete' | 'entry-rename' | 'entry-copy' | 'family-delete' }
>;

/** An outcome with the operations to record, in their order; none when nothing happened. */
export interface PlannedChange {
  readonly outcome: ChangeOutcome;
  readonly operations?: readonly Operation[];
  /** A namespace that is to leave the state. */
  readonly dropped?: number;
}

export function entryNotFound(key: Uint8Array): StoreError {
  return storeError('ENTRY_NOT_FOUND', `no entry ${keyText(key)}`, { details: { key: keyText(key) } });
}

function exists(row: EntryRow): StoreError {
  const details = { key: keyText(row.key), actual: toHex(row.version) };
  return storeError('ENTRY_EXISTS', `the entry ${details.key} exists`, { details });
}

function isolated(key: Uint8Array): StoreError {
  const details = { key: keyText(key) };
  return storeError('ENTRY_ISOLATED', `the entry ${details.key} is isolated: its key is not shared with a copy`, {
    details,
  });
}

function checkVersion(key: Uint8Array, row: EntryRow | undefined, version: Uint8Array): void {
  if (row && equalBytes(row.version, version)) return;
  const details = {
    key: keyText(key),
    expected: toHex(version),
    ...(row && { actual: toHex(row.version) }),
  };
  throw storeError('PRECONDITION_FAILED', `the entry ${details.key} is not at the expected version`, { details });
}

/** Keys whose rows a change or operation reads. */
export function entryKeysOf(change: EntryChange | EntryOperation): readonly Uint8Array[] {
  return 'key' in change ? [change.key] : [change.from, change.to];
}

function put(
  state: WorkingState,
  value: { readonly key: Uint8Array; readonly entry: Uint8Array; readonly modified: number },
): EntryRow {
  const { key, entry, modified } = value;
  const { version, size } = factsOfEntry(entry);
  const created = state.entries.get([key])?.created ?? modified;
  const row = { key, version, entry, size, created, modified };
  state.putEntry(row);
  return row;
}

function rename(state: WorkingState, from: EntryRow, to: Uint8Array): EntryRow {
  const row = { ...from, key: to };
  state.removeEntry(from.key);
  state.putEntry(row);
  return row;
}

function copy(
  state: WorkingState,
  from: EntryRow,
  target: { readonly to: Uint8Array; readonly modified: number },
): EntryRow {
  const row = { ...from, key: target.to, created: target.modified, modified: target.modified };
  state.putEntry(row);
  return row;
}

/** The namespace of one that an entry's content lies in, if it is isolated: never in a plain store. */
function isolationOf(state: WorkingState, row: EntryRow | undefined): number | undefined {
  return row && state.isSealed ? factsOfEntry(row.entry).isolation : undefined;
}

/** What an outcome tells of the entry that is no longer there. */
function shredding(
  state: WorkingState,
  before: EntryRow | undefined,
  after?: EntryRow,
): Pick<ChangeOutcome, 'shredded'> {
  const shredded = isolationOf(state, before);
  return shredded === undefined || shredded === isolationOf(state, after) ? {} : { shredded: [shredded] };
}

async function planPut(state: WorkingState, change: Extract<EntryChange, { type: 'put' }>): Promise<PlannedChange> {
  const { key, entry, modified, condition } = change;
  const before = state.entries.get([key]);
  if (condition && 'version' in condition) checkVersion(key, before, condition.version);
  else if (condition && before) throw exists(before);
  const kept = await keepVersion(state, before, change.keep);
  const row = put(state, change);
  const outcome = { existed: before !== undefined, row, ...shredding(state, before, row) };
  return { outcome, operations: [...kept, { type: 'entry-put', key, entry, modified }] };
}

async function planDelete(
  state: WorkingState,
  change: Extract<EntryChange, { type: 'delete' }>,
): Promise<PlannedChange> {
  const { key, condition } = change;
  const before = state.entries.get([key]);
  if (condition) checkVersion(key, before, condition.version);
  if (!before) return { outcome: { existed: false } };
  if (change.children === 'delete') return await planFamily(state, change);
  await leaveRelations(state, key, { release: change.children === 'release' });
  const kept = await keepVersion(state, before, change.keep);
  state.removeEntry(key);
  const outcome = { existed: true, ...shredding(state, before) };
  return { outcome, operations: [...kept, { type: 'entry-delete', key }] };
}

async function planFamily(
  state: WorkingState,
  { key, keep }: Extract<EntryChange, { type: 'delete' }>,
): Promise<PlannedChange> {
  const family = await loadFamily(state, key);
  const shredded: number[] = [];
  const kept: Operation[] = [];
  for (const one of family) {
    const before = state.entries.get([one]);
    kept.push(...(await keepVersion(state, before, keep)));
    shredded.push(...(shredding(state, before).shredded ?? []));
  }
  await deleteFamily(state, family);
  const outcome = { existed: true, deleted: family.length, ...(shredded.length > 0 && { shredded }) };
  return { outcome, operations: [...kept, { type: 'family-delete', key }] };
}

async function loadFamily(state: WorkingState, key: Uint8Array): Promise<readonly Uint8Array[]> {
  const family = await familyOf(state, key);
  await state.entries.load(
    state.transaction,
    family.map((one) => [one]),
  );
  return family;
}

async function deleteFamily(state: WorkingState, family: readonly Uint8Array[]): Promise<void> {
  await removeFamily(state, family);
  for (const key of family) state.removeEntry(key);
}

async function planMove(
  state: WorkingState,
  change: Extract<EntryChange, { type: 'rename' | 'copy' }>,
): Promise<PlannedChange> {
  const { from, to } = change;
  invariant(namespaceOfKey(from) === namespaceOfKey(to), 'an entry stays in its namespace');
  const source = state.entries.get([from]);
  if (!source) throw entryNotFound(from);
  const target = state.entries.get([to]);
  if (target && !change.replace) throw exists(target);
  const existed = target !== undefined;
  if (change.type === 'copy' && isolationOf(state, source) !== undefined) throw isolated(from);
  const kept: Operation[] = [];
  if (!equalBytes(from, to)) {
    if (change.type === 'rename') kept.push(...(await keepVersion(state, source, undefined)));
    kept.push(...(await keepVersion(state, target, undefined)));
  }
  if (change.type === 'rename') await moveRelations(state, from, to);
  const row = change.type === 'rename' ? rename(state, source, to) : copy(state, source, change);
  const outcome = { existed, row, ...shredding(state, target, row) };
  const operation: Operation =
    change.type === 'rename'
      ? { type: 'entry-rename', from, to }
      : { type: 'entry-copy', from, to, modified: change.modified };
  return { outcome, operations: [...kept, operation] };
}

/**
 * Applies a change if its conditions hold. Rows of its keys must be loaded.
 * @throws `conflict/ENTRY_EXISTS`, `conflict/PRECONDITION_FAILED`, `not-found/ENTRY_NOT_FOUND`,
 *   `conflict/ENTRY_HAS_CHILDREN`, `corrupt/ENTRY_CORRUPT`, `unsupported/ENTRY_ISOLATED`
 */
export async function planEntryChange(state: WorkingState, change: EntryChange): Promise<PlannedChange> {
  switch (change.type) {
    case 'put':
      return planPut(state, change);
    case 'delete':
      return planDelete(state, change);
    case 'rename':
    case 'copy':
      return planMove(state, change);
  }
}

async function replayMoveRelations(
  state: WorkingState,
  { from, to }: Extract<EntryOperation, { type: 'entry-rename' }>,
): Promise<void> {
  try {
    await moveRelations(state, from, to);
  } catch (error) {
    if (!isStoreError(error, 'ENTRY_HAS_CHILDREN')) throw error;
    throw neverWritten('moves an entry over one that has children');
  }
}

/**
 * Repeats an operation of the journal. Rows of its keys must be loaded.
 * @throws `corrupt/JOURNAL_CORRUPT` when it renames or copies what is not there: such a record was never written
 */
export async function replayEntryOperation(state: WorkingState, operation: EntryOperation): Promise<void> {
  switch (operation.type) {
    case 'entry-put':
      put(state, operation);
      return;
    case 'entry-delete':
      await leaveRelations(state, operation.key, { release: true });
      state.removeEntry(operation.key);
      return;
    case 'family-delete':
      await deleteFamily(state, await loadFamily(state, operation.key));
      return;
    case 'entry-rename':
    case 'entry-copy': {
      const source = state.entries.get([operation.from]);
      if (!source) {
        throw neverWritten(`moves the entry ${keyText(operation.from)}, which is not there`);
      }
      if (operation.type === 'entry-rename') {
        await replayMoveRelations(state, operation);
        rename(state, source, operation.to);
      } else copy(state, source, operation);
    }
  }
}
