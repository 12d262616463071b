import { equalBytes, toHex } from '../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../errors/store-error.ts';
import { decodeJournalRecord } from '../format/journal.ts';
import type { DirectoryItem, JournalRecord, Operation, PackDescriptor } from '../format/types.ts';
import { blake3 } from '../hash/index.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { CENSUS_ANEW } from './census-place.ts';
import type { ReplayStep } from './contract.ts';
import { entryKeysOf, replayEntryOperation } from './entry-changes.ts';
import { placeInline, registerJournalPack, removeFromOutbox, settleFlushed } from './journal-packs.ts';
import { dropNamespaces } from './namespace-drop.ts';
import { replayObjectOperation } from './object-changes.ts';
import type { OperationScope } from './operation-scope.ts';
import { packIdsOf, replayPackOperation, replayRemoveItems } from './pack-changes.ts';
import type { StoredPack } from './rows.ts';
import type { WorkingState } from './working-state.ts';

const INCARNATION_BYTES = 16;

/** A record of the journal with its digest. */
interface ReadRecord {
  readonly record: JournalRecord;
  readonly digest: Uint8Array;
}

function fork(commit: number, expected: Uint8Array, actual: Uint8Array): StoreError {
  return storeError('JOURNAL_FORK', `two different records claim to lead to commit ${commit}`, {
    details: { commit, expected: toHex(expected), actual: toHex(actual) },
  });
}

function gap(expected: number, actual: number): StoreError {
  return storeError('JOURNAL_GAP', `the journal goes on with commit ${actual} instead of ${expected}`, {
    details: { commit: expected, expected, actual },
  });
}

/** A plain record in a sealed store, or the other way round, was never written by one of its processes. */
function checkKind(state: WorkingState, { commit, sealed }: JournalRecord): void {
  if ((sealed === true) === state.isSealed) return;
  const kind = state.isSealed ? 'sealed' : 'plain';
  throw storeError('JOURNAL_CORRUPT', `the journal record of commit ${commit} is not one of a ${kind} store`, {
    details: { commit },
  });
}

/** Checks a record against the one before it in the same call, and against the head. */
async function checkChain(
  state: WorkingState,
  last: ReadRecord | undefined,
  { record, digest }: ReadRecord,
): Promise<void> {
  const { commit, previous } = record;
  const { head } = state;
  if (last && commit !== last.record.commit + 1) throw gap(last.record.commit + 1, commit);
  if (last && !equalBytes(previous, last.digest)) throw fork(commit, last.digest, previous);
  if (commit > head.commit + 1) throw gap(head.commit + 1, commit);
  if (commit === head.commit + 1 && !equalBytes(previous, head.digest)) throw fork(commit, head.digest, previous);
  if (commit === head.commit && !equalBytes(digest, head.digest)) throw fork(commit, head.digest, digest);
  if (commit > head.commit) return;
  await state.outbox.load(state.transaction, [[commit]]);
  const own = state.outbox.get([commit]);
  if (own && !equalBytes(blake3(own.record), digest)) throw fork(commit, blake3(own.record), digest);
}

/** Points the chunks of a commit to the journal packs that hold them. */
async function replayInline(state: WorkingState, step: ReplayStep, commit: number): Promise<void> {
  await state.loadPacks(step.inline.map(({ packId }) => packId));
  for (const { packId, items } of step.inline) {
    const pack: StoredPack | undefined = state.pack(packId);
    invariant(pack, 'inline chunks lie in a journal pack that was named before');
    if (!pack.dropped) await placeInline(state, { commit, pack, items });
  }
}

interface OperationContext {
  readonly commit: number;
  readonly directories: ReadonlyMap<string, readonly DirectoryItem[]>;
  readonly scope: OperationScope | undefined;
}

async function replayOperation(state: WorkingState, operation: Operation, context: OperationContext): Promise<void> {
  switch (operation.type) {
    case 'incarnation':
      return;
    case 'scoped': {
      invariant(context.scope, 'only records of sealed stores have scoped operations');
      const inner = context.scope.unwrap(operation);
      if (inner) await replayOperation(state, inner, context);
      return;
    }
    case 'namespace-drop':
      await dropNamespaces(state, [operation.namespace]);
      return;
    case 'pack-add':
    case 'pack-merge': {
      await state.loadPacks(packIdsOf(operation));
      return await replayPackOperation(state, operation, context);
    }
    case 'items-remove':
      return await replayRemoveItems(state, operation);
    case 'object-put':
    case 'object-remove':
    case 'ref-set':
    case 'history-forget':
    case 'relation-set':
    case 'version-keep':
    case 'policy-set':
      return await replayObjectOperation(state, operation);
    default:
      await state.entries.load(
        state.transaction,
        entryKeysOf(operation).map((key) => [key]),
      );
      await replayEntryOperation(state, operation);
  }
}

async function replayNew(
  state: WorkingState,
  { record, digest }: ReadRecord,
  { step, scope }: { readonly step: ReplayStep; readonly scope: OperationScope | undefined },
): Promise<void> {
  const { commit, incarnation, time } = record;
  state.time = time;
  const directories = new Map(step.directories.map(({ packId, items }) => [toHex(packId), items]));
  for (const operation of record.operations) await replayOperation(state, operation, { commit, directories, scope });
  state.head = { ...state.head, commit, digest, recordIncarnation: incarnation };
}

/**
 * Registers journal packs and applies records; see `Metadata.replay`. Changes are written but for the head.
 *
 * A record that is new although it names the present incarnation tells that this metadata is a copy restored from
 * earlier: it begins a new incarnation, so that records of both can be told apart from here on.
 */
export async function replaySteps(
  state: WorkingState,
  input: { readonly journalPacks: readonly PackDescriptor[]; readonly steps: readonly ReplayStep[] },
  context: { readonly random: RandomBytes; readonly scope: OperationScope | undefined },
): Promise<void> {
  const { random, scope } = context;
  for (const pack of input.journalPacks) {
    scope?.checkReadable(pack);
    await registerJournalPack(state, pack);
  }
  let last: ReadRecord | undefined;
  for (const step of input.steps) {
    const read: ReadRecord = { record: decodeJournalRecord(step.record), digest: blake3(step.record) };
    const { commit, incarnation } = read.record;
    checkKind(state, read.record);
    await checkChain(state, last, read);
    await replayInline(state, step, commit);
    if (commit > state.head.commit) {
      if (equalBytes(incarnation, state.head.incarnation)) {
        state.head = { ...state.head, incarnation: random(INCARNATION_BYTES) };
      }
      // What others counted meanwhile is not known here: it is counted anew, if anything ever was.
      const census = state.head.nextReference === 0 ? undefined : CENSUS_ANEW;
      state.head = { ...state.head, census };
      await replayNew(state, read, { step, scope });
    } else await removeFromOutbox(state, commit, commit);
    // Written step by step, so that a long replay holds one record's rows in memory and not all of them.
    await state.save();
    last = read;
  }
  await settleFlushed(state);
}
