import { EMPTY_BYTES, equalBytes } from '../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError } from '../errors/store-error.ts';
import { encodeJournalRecord } from '../format/journal.ts';
import type { Operation, PackDescriptor } from '../format/types.ts';
import { blake3 } from '../hash/index.ts';
import type { Change, ChangeOutcome, CommitRequest, InlineRecord, RequestOutcome } from './contract.ts';
import { entryKeysOf, type PlannedChange, planEntryChange } from './entry-changes.ts';
import { dropNamespaces } from './namespace-drop.ts';
import { checkQuotas } from './namespace-quota.ts';
import { loadObjects, planObjectChange } from './object-changes.ts';
import type { ObjectChange } from './object-contract.ts';
import type { OperationScope } from './operation-scope.ts';
import { packIdsOf, planPackChange, planRemoveItems } from './pack-changes.ts';
import { plusOperations, type RecordSize } from './record-size.ts';
import { IN_OUTBOX, type ItemKind, itemKey } from './rows.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

/** What one commit gathers from the requests that pass. */
interface Gathered {
  readonly operations: Operation[];
  readonly inline: InlineRecord[];
  /** Namespaces to drop once everything else is applied. */
  readonly dropped: number[];
  size: RecordSize;
}

function toDrop(namespace: number): Operation {
  return { type: 'namespace-drop', namespace };
}

/** How one commit is made. */
export interface CommitContext {
  /** Wall clock, milliseconds. */
  readonly time: number;
  /** In a sealed store. */
  readonly scope: OperationScope | undefined;
  readonly tables: Tables;
  readonly refused: RefusedLate;
}

/** Errors of requests that failed when a part of what they do was written, by their index. */
type RefusedLate = ReadonlyMap<number, StoreError>;

class LateRefusal extends Error {
  readonly index: number;
  readonly error: StoreError;

  constructor(index: number, error: StoreError) {
    super(error.message, { cause: error });
    this.index = index;
    this.error = error;
  }
}

/**
 * Makes a commit, and once more without each request that failed when a part of what it does was written: a transaction
 * undoes that as a whole only.
 */
export async function withoutLateRefusals<T>(transact: (refused: RefusedLate) => Promise<T>): Promise<T> {
  const refused = new Map<number, StoreError>();
  for (;;) {
    try {
      return await transact(refused);
    } catch (error) {
      if (!(error instanceof LateRefusal)) throw error;
      refused.set(error.index, error.error);
    }
  }
}

/** What may be wrong with one request: its own conditions and bytes. Anything else concerns the whole transaction. */
const REQUEST_ERRORS = [
  ...(['ENTRY_NOT_FOUND', 'ENTRY_EXISTS', 'PRECONDITION_FAILED', 'ENTRY_CORRUPT'] as const),
  ...(['ENTRY_ISOLATED', 'QUOTA_EXCEEDED', 'NAMESPACE_KEY_GONE', 'EPOCH_UNKNOWN'] as const),
  ...(['ENTRY_HAS_CHILDREN', 'RELATION_CYCLE', 'OBJECT_NOT_FOUND', 'BATCH_TOO_LARGE'] as const),
];

type PackChange = Extract<Change, { readonly type: 'pack-add' | 'pack-merge' }>;

function isPackChange(change: Change): change is PackChange {
  return change.type === 'pack-add' || change.type === 'pack-merge';
}

const OBJECT_CHANGES: readonly string[] = [
  ...['object-put', 'object-remove', 'ref-set', 'history-forget', 'relation-set', 'policy-set'],
];

function isObjectChange(change: Change): change is ObjectChange {
  return OBJECT_CHANGES.includes(change.type);
}

/** The packs that a change makes known. */
function packsOf(change: Change): readonly PackDescriptor[] {
  if (change.type === 'pack-add') return [change.pack];
  return isPackChange(change) ? change.added.map(({ pack }) => pack) : [];
}

/** Reads every row that the requests can touch, a table at a time; but for items of packs, which may be many. */
async function load(state: WorkingState, requests: readonly CommitRequest[]): Promise<void> {
  const keys: [Uint8Array][] = [];
  const packs: Uint8Array[] = [];
  const items: { readonly kind: ItemKind; readonly id: Uint8Array }[] = [];
  for (const { changes, inline } of requests) {
    for (const record of inline) for (const { id } of record.items) items.push({ kind: 'chunk', id });
    for (const change of changes) {
      if (change.type === 'items-remove') for (const item of change.items) items.push(item);
      else if (isPackChange(change)) packs.push(...packIdsOf(change));
      else if (change.type !== 'namespace-drop' && !isObjectChange(change))
        keys.push(...entryKeysOf(change).map((key): [Uint8Array] => [key]));
    }
  }
  await state.entries.load(state.transaction, keys);
  await state.loadPacks(packs);
  await state.loadItems(items);
  await loadObjects(state, requests.flatMap(({ changes }) => changes).filter(isObjectChange));
}

/** Places the chunks of an inline record in the outbox, unless an operation of the same commit placed them already. */
function placeInOutbox(
  state: WorkingState,
  record: InlineRecord,
  place: { readonly commit: number; readonly ordinal: number },
): void {
  let inner = 0;
  for (const { id, length } of record.items) {
    const row = state.items.get(itemKey('chunk', id));
    if (!row || row.commit < place.commit || row.pack === IN_OUTBOX) {
      const { codec, plainLength, stored } = record;
      const position = { offset: 0, storedLength: stored.length, plainLength, codec, inner, length };
      state.placeItem({ ...position, ...place, kind: 'chunk', id, pack: IN_OUTBOX, suspect: false, namespace: 0 });
    }
    inner += length;
  }
}

async function planChange(state: WorkingState, change: Change, tables: Tables): Promise<PlannedChange> {
  if (change.type === 'namespace-drop') {
    invariant(state.isSealed && change.namespace > 0, 'only a sealed store has namespaces to drop');
    return { outcome: { existed: false }, dropped: change.namespace };
  }
  const commit = state.head.commit + 1;
  if (change.type === 'items-remove') return await planRemoveItems(state, tables, change);
  if (isPackChange(change)) return await planPackChange(state, change, commit);
  return isObjectChange(change) ? await planObjectChange(state, change, tables) : await planEntryChange(state, change);
}

async function planRequest(
  state: WorkingState,
  request: CommitRequest,
  { gathered, scope, tables }: Pick<CommitContext, 'scope' | 'tables'> & { readonly gathered: Gathered },
): Promise<readonly ChangeOutcome[]> {
  const commit = state.head.commit + 1;
  return state.attempt(async () => {
    for (const [index, record] of request.inline.entries()) {
      placeInOutbox(state, record, { commit, ordinal: gathered.inline.length + index });
    }
    for (const pack of request.changes.flatMap(packsOf)) scope?.checkReadable(pack);
    const planned: PlannedChange[] = [];
    for (const change of request.changes) planned.push(await planChange(state, change, tables));
    await checkQuotas(state, request.quotas ?? []);
    const operations = planned.flatMap(({ operations = [] }) => operations);
    const drops = planned.flatMap(({ dropped, outcome: { shredded = [] } }) =>
      dropped === undefined ? shredded : [dropped, ...shredded],
    );
    const size = plusOperations(gathered.size, operations.concat(drops.map(toDrop)));
    const wrapped = scope ? operations.map((operation) => scope.wrap(operation)) : operations;
    gathered.size = size;
    // Not spread into a call: a family may be larger than what a call takes.
    for (const operation of wrapped) gathered.operations.push(operation);
    for (const namespace of drops) gathered.dropped.push(namespace);
    gathered.inline.push(...request.inline);
    return planned.map(({ outcome }) => outcome);
  });
}

/** The first record of a life of the metadata says so, and which life came before. */
function withIncarnation(state: WorkingState, operations: readonly Operation[]): readonly Operation[] {
  const { incarnation, recordIncarnation } = state.head;
  if (equalBytes(recordIncarnation ?? EMPTY_BYTES, incarnation)) return operations;
  return [{ type: 'incarnation', previous: recordIncarnation }, ...operations];
}

function appendRecord(state: WorkingState, gathered: Gathered, { time, scope }: CommitContext): void {
  const { incarnation, digest: previous } = state.head;
  const commit = state.head.commit + 1;
  const operations = withIncarnation(state, gathered.operations);
  const sealed = scope ? ({ sealed: true } as const) : {};
  const record = encodeJournalRecord({ commit, previous, incarnation, time, operations, ...sealed });
  let bytes = record.length;
  for (const [ordinal, inline] of gathered.inline.entries()) {
    state.outboxRecords.add({ ...inline, commit, ordinal });
    bytes += inline.stored.length;
  }
  state.outbox.add({ commit, bytes, record });
  state.head = { ...state.head, commit, digest: blake3(record), recordIncarnation: incarnation };
}

/** Applies the requests as one commit; see `Metadata.commit`. Changes are written. */
export async function commitRequests(
  state: WorkingState,
  requests: readonly CommitRequest[],
  context: CommitContext,
): Promise<readonly RequestOutcome[]> {
  state.time = context.time;
  await load(state, requests);
  const gathered: Gathered = { operations: [], inline: [], dropped: [], size: { bytes: 0, values: 0 } };
  const results: (readonly ChangeOutcome[] | Error)[] = [];
  for (const [index, request] of requests.entries()) {
    const written = state.partsWritten;
    try {
      results.push(context.refused.get(index) ?? (await planRequest(state, request, { ...context, gathered })));
    } catch (error) {
      if (!isStoreError(error, ...REQUEST_ERRORS)) throw error;
      if (state.partsWritten > written) throw new LateRefusal(index, error);
      results.push(error);
    }
  }
  const dropped = await dropNamespaces(state, gathered.dropped);
  for (const namespace of dropped) gathered.operations.push(toDrop(namespace));
  if (gathered.operations.length + gathered.inline.length > 0) appendRecord(state, gathered, context);
  await state.save();
  const { commit } = state.head;
  return results.map((result) =>
    result instanceof Error ? { ok: false, error: result } : { ok: true, commit, outcomes: result },
  );
}
