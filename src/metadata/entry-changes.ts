/**
 * What changes and journal operations do to entries. A commit plans here with conditions; a replay repeats the
 * outcome with the same functions, which is what keeps running and rebuilt state equal.
 */
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../errors/store-error.ts';
import { namespaceOfKey, unscopeKey } from '../format/scoped-key.ts';
import type { Operation } from '../format/types.ts';
import type { Change, ChangeOutcome, EntryRow } from './contract.ts';
import { factsOfEntry } from './entry-facts.ts';
import type { WorkingState } from './working-state.ts';

type EntryChange = Extract<Change, { readonly type: 'put' | 'delete' | 'rename' | 'copy' }>;
type EntryOperation = Extract<
  Operation,
  { readonly type: 'entry-put' | 'entry-delete' | 'entry-rename' | 'entry-copy' }
>;

/** An outcome with the operation to record; none when nothing happened. */
export interface PlannedChange {
  readonly outcome: ChangeOutcome;
  readonly operation?: Operation;
  /** A namespace that is to leave the state. */
  readonly dropped?: number;
}

/** For messages only: a damaged key must not hide the error that it belongs to. */
function keyText(key: Uint8Array): string {
  return new TextDecoder().decode(unscopeKey(key).key);
}

function notFound(key: Uint8Array): StoreError {
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
  return shredded === undefined || shredded === isolationOf(state, after) ? {} : { shredded };
}

function planPut(state: WorkingState, change: Extract<EntryChange, { type: 'put' }>): PlannedChange {
  const { key, entry, modified, condition } = change;
  const before = state.entries.get([key]);
  if (condition && 'version' in condition) checkVersion(key, before, condition.version);
  else if (condition && before) throw exists(before);
  const row = put(state, change);
  const outcome = { existed: before !== undefined, row, ...shredding(state, before, row) };
  return { outcome, operation: { type: 'entry-put', key, entry, modified } };
}

function planDelete(state: WorkingState, change: Extract<EntryChange, { type: 'delete' }>): PlannedChange {
  const { key, condition } = change;
  const before = state.entries.get([key]);
  if (condition) checkVersion(key, before, condition.version);
  if (!before) return { outcome: { existed: false } };
  state.removeEntry(key);
  return { outcome: { existed: true, ...shredding(state, before) }, operation: { type: 'entry-delete', key } };
}

function planMove(state: WorkingState, change: Extract<EntryChange, { type: 'rename' | 'copy' }>): PlannedChange {
  const { from, to } = change;
  invariant(namespaceOfKey(from) === namespaceOfKey(to), 'an entry stays in its namespace');
  const source = state.entries.get([from]);
  if (!source) throw notFound(from);
  const target = state.entries.get([to]);
  if (target && !change.replace) throw exists(target);
  const existed = target !== undefined;
  if (change.type === 'rename') {
    const row = rename(state, source, to);
    const outcome = { existed, row, ...shredding(state, target, row) };
    return { outcome, operation: { type: 'entry-rename', from, to } };
  }
  if (isolationOf(state, source) !== undefined) throw isolated(from);
  const row = copy(state, source, change);
  const outcome = { existed, row, ...shredding(state, target, row) };
  return { outcome, operation: { type: 'entry-copy', from, to, modified: change.modified } };
}

/**
 * Applies a change if its conditions hold. Rows of its keys must be loaded.
 * @throws `conflict/ENTRY_EXISTS`, `conflict/PRECONDITION_FAILED`, `not-found/ENTRY_NOT_FOUND`,
 *   `corrupt/ENTRY_CORRUPT`, `unsupported/ENTRY_ISOLATED`
 */
export function planEntryChange(state: WorkingState, change: EntryChange): PlannedChange {
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

/**
 * Repeats an operation of the journal. Rows of its keys must be loaded.
 * @throws `corrupt/JOURNAL_CORRUPT` when it renames or copies what is not there: such a record was never written
 */
export function replayEntryOperation(state: WorkingState, operation: EntryOperation): void {
  switch (operation.type) {
    case 'entry-put':
      put(state, operation);
      return;
    case 'entry-delete':
      state.removeEntry(operation.key);
      return;
    case 'entry-rename':
    case 'entry-copy': {
      const source = state.entries.get([operation.from]);
      if (!source) {
        const details = { key: keyText(operation.from) };
        throw storeError('JOURNAL_CORRUPT', `the journal moves the entry ${details.key}, which is not there`, {
          details,
        });
      }
      if (operation.type === 'entry-rename') rename(state, source, operation.to);
      else copy(state, source, operation);
    }
  }
}
