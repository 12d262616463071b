import type { RingSecrets } from '../format/key-schedule.ts';
import type { HistoryKind, PackDescriptor, VersionPolicy } from '../format/types.ts';
import type { WorkerCallOptions, WorkerClient } from '../runtime/worker-rpc.ts';
import { decodeError, type WireError } from '../runtime/worker-wire.ts';
import type { Collecting } from './collection-contract.ts';
import type {
  CallOptions,
  CommitRequest,
  ConfigCondition,
  Counters,
  EntryQuery,
  EntryRow,
  FlushedJournal,
  Head,
  ItemLocation,
  Metadata,
  MetadataCheck,
  NamespaceCounters,
  OutboxRow,
  PackRow,
  ReplayStep,
  RequestOutcome,
  StoredConfig,
} from './contract.ts';
import type { ObjectIndex, ObjectRow, RefRow, StepOf } from './object-contract.ts';

/** A failed outcome as it crosses threads. */
type WireOutcome = Extract<RequestOutcome, { ok: true }> | { readonly ok: false; readonly error: WireError };

/** What the metadata uses of a thread; `terminate` says that it needs it no more. */
export type MetadataThread = Pick<WorkerClient, 'call' | 'terminate'>;

/** The metadata of another thread: passes every call on. */
export class ThreadedMetadata implements Metadata {
  readonly #thread: MetadataThread;
  #closing: Promise<void> | undefined;

  /** @param thread has its metadata open; ended when this is closed */
  constructor(thread: MetadataThread) {
    this.#thread = thread;
  }

  async #call<Method extends Exclude<keyof Metadata, 'requests'>>(
    method: Method,
    args: readonly unknown[],
    options?: WorkerCallOptions,
  ): Promise<Awaited<ReturnType<Metadata[Method]>>> {
    return (await this.#thread.call(method, args, options)) as Awaited<ReturnType<Metadata[Method]>>;
  }

  config(): Promise<StoredConfig | undefined> {
    return this.#call('config', []);
  }

  setConfig(expectedGeneration: number, next: StoredConfig, condition: ConfigCondition = {}): Promise<void> {
    return this.#call('setConfig', [expectedGeneration, next, condition]);
  }

  unlock(keys: RingSecrets, generation: number): Promise<void> {
    return this.#call('unlock', [keys, generation]);
  }

  head(): Promise<Head> {
    return this.#call('head', []);
  }

  counters(): Promise<Counters> {
    return this.#call('counters', []);
  }

  namespaceCounters(namespace: number): Promise<NamespaceCounters> {
    return this.#call('namespaceCounters', [namespace]);
  }

  pendingShreds(page?: Parameters<Metadata['pendingShreds']>[0]): Promise<readonly number[]> {
    return this.#call('pendingShreds', [page]);
  }

  forgetShreds(namespaces: readonly number[]): Promise<void> {
    return this.#call('forgetShreds', [namespaces]);
  }

  scrub(): Promise<boolean> {
    return this.#call('scrub', []);
  }

  openSession(process?: string): Promise<Uint8Array> {
    return this.#call('openSession', [process]);
  }

  currentEpoch(): Promise<number> {
    return this.#call('currentEpoch', []);
  }

  publishEpoch(oldest: number): Promise<void> {
    return this.#call('publishEpoch', [oldest]);
  }

  endSession(leaves: boolean): Promise<void> {
    return this.#call('endSession', [leaves]);
  }

  listSessions(): ReturnType<Collecting['listSessions']> {
    return this.#call('listSessions', []);
  }

  fenceSessions(ids: readonly Uint8Array[]): Promise<void> {
    return this.#call('fenceSessions', [ids]);
  }

  forgetSessions(ids: readonly Uint8Array[]): Promise<void> {
    return this.#call('forgetSessions', [ids]);
  }

  takeLease(name: string): ReturnType<Collecting['takeLease']> {
    return this.#call('takeLease', [name]);
  }

  leaveLease(name: string): Promise<void> {
    return this.#call('leaveLease', [name]);
  }

  knownPacks(ids: readonly Uint8Array[]): Promise<readonly boolean[]> {
    return this.#call('knownPacks', [ids]);
  }

  collectionState(): ReturnType<Collecting['collectionState']> {
    return this.#call('collectionState', []);
  }

  uncountedReferences(
    query: Parameters<Collecting['uncountedReferences']>[0],
  ): ReturnType<Collecting['uncountedReferences']> {
    return this.#call('uncountedReferences', [query]);
  }

  countReferences(counted: Parameters<Collecting['countReferences']>[0]): Promise<void> {
    return this.#call('countReferences', [counted]);
  }

  parkReferences(numbers: readonly number[]): Promise<void> {
    return this.#call('parkReferences', [numbers]);
  }

  unparkReferences(): Promise<void> {
    return this.#call('unparkReferences', []);
  }

  census(limit: number): Promise<boolean> {
    return this.#call('census', [limit]);
  }

  recount(): Promise<void> {
    return this.#call('recount', []);
  }

  advanceEpoch(): Promise<number> {
    return this.#call('advanceEpoch', []);
  }

  condemnItems(...args: Parameters<Collecting['condemnItems']>): ReturnType<Collecting['condemnItems']> {
    return this.#call('condemnItems', args);
  }

  clearCondemned(packNumbers: readonly number[]): Promise<void> {
    return this.#call('clearCondemned', [packNumbers]);
  }

  condemnObjects(keys: readonly Uint8Array[]): Promise<number> {
    return this.#call('condemnObjects', [keys]);
  }

  judgeItems(...args: Parameters<Collecting['judgeItems']>): ReturnType<Collecting['judgeItems']> {
    return this.#call('judgeItems', args);
  }

  looseObjects(query: Parameters<Collecting['looseObjects']>[0]): ReturnType<Collecting['looseObjects']> {
    return this.#call('looseObjects', [query]);
  }

  heldReferences(query: Parameters<Collecting['heldReferences']>[0]): ReturnType<Collecting['heldReferences']> {
    return this.#call('heldReferences', [query]);
  }

  keptCounts(query: Parameters<Collecting['keptCounts']>[0]): ReturnType<Collecting['keptCounts']> {
    return this.#call('keptCounts', [query]);
  }

  locate(
    kind: 'chunk' | 'manifest',
    ids: Uint8Array,
    options?: CallOptions,
  ): Promise<readonly (ItemLocation | undefined)[]> {
    return this.#call('locate', [kind, ids], options);
  }

  knownItems(kind: 'chunk' | 'manifest', ids: Uint8Array): Promise<readonly boolean[]> {
    return this.#call('knownItems', [kind, ids]);
  }

  markSuspect(...args: Parameters<Metadata['markSuspect']>): Promise<void> {
    return this.#call('markSuspect', args);
  }

  markPacksSuspect(numbers: readonly number[]): Promise<void> {
    return this.#call('markPacksSuspect', [numbers]);
  }

  getEntries(keys: readonly Uint8Array[]): Promise<readonly (EntryRow | undefined)[]> {
    return this.#call('getEntries', [keys]);
  }

  listEntries(query: EntryQuery, options?: CallOptions): Promise<readonly EntryRow[]> {
    return this.#call('listEntries', [query], options);
  }

  getObjects(keys: readonly Uint8Array[]): Promise<readonly (ObjectRow | undefined)[]> {
    return this.#call('getObjects', [keys]);
  }

  hasObjects(keys: Uint8Array, keyBytes: number): Promise<readonly boolean[]> {
    return this.#call('hasObjects', [keys, keyBytes]);
  }

  listObjects(query: Parameters<ObjectIndex['listObjects']>[0]): ReturnType<ObjectIndex['listObjects']> {
    return this.#call('listObjects', [query]);
  }

  getRefs(keys: readonly Uint8Array[]): Promise<readonly (RefRow | undefined)[]> {
    return this.#call('getRefs', [keys]);
  }

  listRefs(query: Parameters<ObjectIndex['listRefs']>[0]): Promise<readonly RefRow[]> {
    return this.#call('listRefs', [query]);
  }

  async getHistory<Kind extends HistoryKind>(
    kind: Kind,
    key: Uint8Array,
    query: Parameters<ObjectIndex['getHistory']>[2],
  ): Promise<readonly StepOf<Kind>[]> {
    return (await this.#call('getHistory', [kind, key, query])) as readonly StepOf<Kind>[];
  }

  listHistories(
    kind: HistoryKind,
    query: Parameters<ObjectIndex['listHistories']>[1],
  ): ReturnType<ObjectIndex['listHistories']> {
    return this.#call('listHistories', [kind, query]);
  }

  getPolicy(namespace: number): Promise<VersionPolicy | undefined> {
    return this.#call('getPolicy', [namespace]);
  }

  getRelations(keys: readonly Uint8Array[]): ReturnType<ObjectIndex['getRelations']> {
    return this.#call('getRelations', [keys]);
  }

  childrenOf(key: Uint8Array, query: Parameters<ObjectIndex['childrenOf']>[1]): ReturnType<ObjectIndex['childrenOf']> {
    return this.#call('childrenOf', [key, query]);
  }

  ancestorsOf(
    key: Uint8Array,
    query: Parameters<ObjectIndex['ancestorsOf']>[1],
  ): ReturnType<ObjectIndex['ancestorsOf']> {
    return this.#call('ancestorsOf', [key, query]);
  }

  descendantsOf(
    key: Uint8Array,
    query: Parameters<ObjectIndex['descendantsOf']>[1],
  ): ReturnType<ObjectIndex['descendantsOf']> {
    return this.#call('descendantsOf', [key, query]);
  }

  async commit(
    requests: readonly CommitRequest[],
    flushed: readonly FlushedJournal[] = [],
  ): Promise<readonly RequestOutcome[]> {
    const outcomes = (await this.#thread.call('commit', [requests, flushed])) as readonly WireOutcome[];
    return outcomes.map((outcome) => (outcome.ok ? outcome : { ok: false, error: decodeError(outcome.error) }));
  }

  outbox(after: number, bytesMax: number): Promise<readonly OutboxRow[]> {
    return this.#call('outbox', [after, bytesMax]);
  }

  markFlushed(flushed: readonly FlushedJournal[]): Promise<void> {
    return this.#call('markFlushed', [flushed]);
  }

  listPacks(query: Parameters<Metadata['listPacks']>[0]): Promise<readonly PackRow[]> {
    return this.#call('listPacks', [query]);
  }

  smallPacks(query: Parameters<Metadata['smallPacks']>[0]): Promise<readonly PackRow[]> {
    return this.#call('smallPacks', [query]);
  }

  droppedPacks(limit: number): Promise<readonly PackRow[]> {
    return this.#call('droppedPacks', [limit]);
  }

  forgetPacks(numbers: readonly number[]): Promise<void> {
    return this.#call('forgetPacks', [numbers]);
  }

  placeShards(changes: Parameters<Metadata['placeShards']>[0]): Promise<readonly boolean[]> {
    return this.#call('placeShards', [changes]);
  }

  markVerified(found: Parameters<Metadata['markVerified']>[0]): Promise<void> {
    return this.#call('markVerified', [found]);
  }

  packsToRepair(query: Parameters<Metadata['packsToRepair']>[0]): ReturnType<Metadata['packsToRepair']> {
    return this.#call('packsToRepair', [query]);
  }

  packsOfUnknownPlace(query: Parameters<Metadata['packsOfUnknownPlace']>[0]): Promise<readonly PackRow[]> {
    return this.#call('packsOfUnknownPlace', [query]);
  }

  packsVerifiedBefore(
    query: Parameters<Metadata['packsVerifiedBefore']>[0],
  ): ReturnType<Metadata['packsVerifiedBefore']> {
    return this.#call('packsVerifiedBefore', [query]);
  }

  replay(journalPacks: readonly PackDescriptor[], steps: readonly ReplayStep[]): Promise<void> {
    return this.#call('replay', [journalPacks, steps]);
  }

  beginCheckpoint(): ReturnType<Metadata['beginCheckpoint']> {
    return this.#call('beginCheckpoint', []);
  }

  checkpointPage(reading: number): Promise<Uint8Array | undefined> {
    return this.#call('checkpointPage', [reading]);
  }

  endCheckpoint(reading: number): Promise<void> {
    return this.#call('endCheckpoint', [reading]);
  }

  restorePage(page: Uint8Array): Promise<void> {
    return this.#call('restorePage', [page]);
  }

  restoreDirectory(...args: Parameters<Metadata['restoreDirectory']>): Promise<void> {
    return this.#call('restoreDirectory', args);
  }

  endRestore(place: Parameters<Metadata['endRestore']>[0]): Promise<void> {
    return this.#call('endRestore', [place]);
  }

  reseal({ lastEpoch, signal }: Parameters<Metadata['reseal']>[0]): Promise<void> {
    return this.#call('reseal', [lastEpoch], signal && { signal });
  }

  check(options?: Parameters<Metadata['check']>[0]): Promise<MetadataCheck> {
    return this.#call('check', [], options);
  }

  scanItems(
    kind: 'chunk' | 'manifest',
    after: Uint8Array | undefined,
    limit: number,
  ): ReturnType<Metadata['scanItems']> {
    return this.#call('scanItems', [kind, after, limit]);
  }

  stateDigests(): ReturnType<Metadata['stateDigests']> {
    return this.#call('stateDigests', []);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#call('close', []);
    } finally {
      await this.#thread.terminate();
    }
  }
}
