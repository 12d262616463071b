import { invariant, isStoreError } from '../errors/store-error.ts';
import type { RingSecrets } from '../format/key-schedule.ts';
import type { HistoryKind } from '../format/types.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { loadHead, loadSums } from './books.ts';
import { beginCensus, censusStep } from './census.ts';
import { checkMetadata } from './check.ts';
import { StateReadings } from './checkpoint-pages.ts';
import type { Collecting, UncountedRow } from './collection-contract.ts';
import { commitRequests, withoutLateRefusals } from './commit.ts';
import {
  advanceEpoch,
  clearCondemned,
  collectionState,
  condemnItems,
  condemnObjects,
  judgeItems,
  looseObjects,
} from './condemning.ts';
import type {
  CallOptions,
  CommitRequest,
  ConfigCondition,
  EntryQuery,
  EntryRow,
  FlushedJournal,
  Metadata,
  PackRow,
  StoredConfig,
} from './contract.ts';
import type { Database, DatabaseRequests, Snapshot } from './database.ts';
import { getEntries } from './entry-queries.ts';
import { itemLookups, knownItems, scanItems } from './item-queries.ts';
import { applyFlushed } from './journal-packs.ts';
import type { MetadataLock } from './metadata-lock.ts';
import { forgetShreds, namespaceCounters, pendingShreds } from './namespace-queries.ts';
import type { ObjectIndex, ObjectRow, RefRow, StepOf } from './object-contract.ts';
import { getHistory, listHistories, listObjects, listRefs, rowsOf } from './object-queries.ts';
import type { OperationScope } from './operation-scope.ts';
import { droppedPacks, forgetPacks, knownPacks, listPacks, outboxPage, smallPacks } from './pack-queries.ts';
import { heldReferences, keptCounts } from './recount-pages.ts';
import { countReferences, parkReferences, unparkReferences } from './reference-counts.ts';
import { ancestorsOf, childrenOf, descendantsOf, getRelations } from './relation-queries.ts';
import { replaySteps } from './replay.ts';
import { resealRows } from './reseal.ts';
import { endRestore, restoreDirectory, restorePage } from './restoring.ts';
import type { ItemKind } from './rows.ts';
import { SessionWriter } from './session-writer.ts';
import { endSessions, forgetSessions } from './sessions.ts';
import { markVerified, placeShards } from './shard-places.ts';
import { packsOfUnknownPlace, packsToRepair, packsVerifiedBefore } from './shard-queries.ts';
import { stateDigests } from './state-digests.ts';
import { checkCondition, loadConfig, storeConfig } from './store-config.ts';
import type { StoreTables } from './store-tables.ts';
import { markItemsSuspect, markPacksSuspect } from './suspects.ts';
import type { Tables } from './tables.ts';
import { uncountedRows } from './uncounted-rows.ts';
import type { WorkingState } from './working-state.ts';

/** What the metadata of a sealed store has beside a plain one's. */
export interface SealedParts {
  readonly lock: MetadataLock;
  readonly scope: OperationScope;
}

export interface SqlMetadataParts {
  /** Holds the tables of the schema; closed with the metadata. Guarded by the keys in a sealed store. */
  readonly database: Database;
  /** What can be used without keys. Default `database`. */
  readonly unguarded?: Database;
  readonly store: StoreTables;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly sealed?: SealedParts;
}

/** The metadata contract over a SQL database. */
export class SqlMetadata implements Metadata {
  readonly #database: Database;
  readonly #unguarded: Database;
  readonly #store: StoreTables;
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #sealed: SealedParts | undefined;
  #folding: Promise<void> | undefined;
  readonly #readings = new StateReadings();
  readonly #lookups: ReturnType<typeof itemLookups>;
  readonly #session: SessionWriter;

  constructor(parts: SqlMetadataParts) {
    this.#database = parts.database;
    this.#unguarded = parts.unguarded ?? parts.database;
    this.#store = parts.store;
    this.#tables = parts.store.tables;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#sealed = parts.sealed;
    this.#session = new SessionWriter(parts);
    this.#lookups = itemLookups(parts.database, parts.store.tables);
  }

  get requests(): DatabaseRequests | undefined {
    return this.#unguarded.requests;
  }

  #change<T>(work: (state: WorkingState) => Promise<T>): Promise<T> {
    return this.#session.change(work);
  }

  async #inSnapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const snapshot = await this.#database.snapshot();
    try {
      return await work(snapshot);
    } finally {
      await snapshot.close();
    }
  }

  config(): Promise<StoredConfig | undefined> {
    return this.#unguarded.read(loadConfig);
  }

  setConfig(expectedGeneration: number, next: StoredConfig, condition: ConfigCondition = {}): Promise<void> {
    return this.#unguarded.write(async (transaction) => {
      await checkCondition(transaction, this.#tables, condition);
      await storeConfig(transaction, expectedGeneration, next);
    });
  }

  async unlock(keys: RingSecrets, generation: number): Promise<void> {
    invariant(this.#sealed, 'only the metadata of a sealed store is unlocked');
    await this.#sealed.lock.unlock(keys, generation);
  }

  async head(): ReturnType<Metadata['head']> {
    const head = await this.#database.read((reader) => loadHead(reader, this.#tables));
    const { commit, digest, incarnation, flushed } = head;
    return { commit, digest, incarnation, flushed };
  }

  counters(): ReturnType<Metadata['counters']> {
    return this.#database.read(async (reader) => {
      const { entries, logicalBytes, chunks, uniqueBytes, packs, storedBytes } = await loadHead(reader, this.#tables);
      const { sums } = await loadSums(reader, this.#store);
      const [outbox = 0, objects = 0, refs = 0] = ['outbox', 'objects', 'refs'].map((name) => sums.get(name)?.rows);
      return { entries, logicalBytes, chunks, uniqueBytes, packs, storedBytes, outbox, objects, refs };
    });
  }

  namespaceCounters(namespace: number): ReturnType<Metadata['namespaceCounters']> {
    return this.#database.read((reader) => namespaceCounters(reader, this.#tables, namespace));
  }

  pendingShreds(page: Parameters<Metadata['pendingShreds']>[0] = {}): Promise<readonly number[]> {
    const { after = 0, limit = METADATA_SCAN_ROWS } = page;
    return this.#database.read((reader) => pendingShreds(reader, this.#tables, { after, limit }));
  }

  forgetShreds(namespaces: readonly number[]): Promise<void> {
    return this.#change((state) => forgetShreds(state, namespaces));
  }

  scrub(): Promise<boolean> {
    return this.#database.scrub();
  }

  openSession(process = ''): Promise<Uint8Array> {
    return this.#session.open({ process, random: this.#random });
  }

  async currentEpoch(): Promise<number> {
    return (await this.#database.read((reader) => loadHead(reader, this.#tables))).epoch;
  }

  publishEpoch(oldest: number): Promise<void> {
    return this.#session.publish(oldest);
  }

  endSession(leaves: boolean): Promise<void> {
    return this.#session.end(leaves);
  }

  listSessions(): ReturnType<Collecting['listSessions']> {
    return this.#session.list();
  }

  fenceSessions(ids: readonly Uint8Array[]): Promise<void> {
    return this.#change((state) => endSessions(state, ids));
  }

  forgetSessions(ids: readonly Uint8Array[]): Promise<void> {
    return this.#change((state) => forgetSessions(state, ids));
  }

  takeLease(name: string): ReturnType<Collecting['takeLease']> {
    return this.#session.takeLease(name);
  }

  leaveLease(name: string): Promise<void> {
    return this.#session.leaveLease(name);
  }

  knownPacks(ids: readonly Uint8Array[]): Promise<readonly boolean[]> {
    return this.#database.read((reader) => knownPacks(reader, ids));
  }

  collectionState(): ReturnType<Collecting['collectionState']> {
    return this.#database.read((reader) => collectionState(reader, this.#tables));
  }

  uncountedReferences(query: Parameters<Collecting['uncountedReferences']>[0]): Promise<readonly UncountedRow[]> {
    return this.#database.read((reader) => uncountedRows(reader, this.#tables, query));
  }

  countReferences(counted: Parameters<Collecting['countReferences']>[0]): Promise<void> {
    return this.#change((state) => countReferences(state, counted));
  }

  parkReferences(numbers: readonly number[]): Promise<void> {
    return this.#change((state) => parkReferences(state, numbers));
  }

  async unparkReferences(): Promise<void> {
    while (await this.#change(unparkReferences));
  }

  census(limit: number): Promise<boolean> {
    return this.#change((state) => censusStep(state, this.#tables, limit));
  }

  recount(): Promise<void> {
    return this.#change(beginCensus);
  }

  advanceEpoch(): Promise<number> {
    return this.#change(advanceEpoch);
  }

  condemnItems(...[packNumber, items]: Parameters<Collecting['condemnItems']>): ReturnType<Collecting['condemnItems']> {
    return this.#change((state) => condemnItems(state, packNumber, items));
  }

  clearCondemned(packNumbers: readonly number[]): Promise<void> {
    return this.#session.write((transaction) => clearCondemned(transaction, packNumbers));
  }

  condemnObjects(keys: readonly Uint8Array[]): Promise<number> {
    return this.#change((state) => condemnObjects(state, keys));
  }

  judgeItems(...[packNumber, items]: Parameters<Collecting['judgeItems']>): ReturnType<Collecting['judgeItems']> {
    return judgeItems(this.#database, this.#tables, { packNumber, items });
  }

  looseObjects(query: Parameters<Collecting['looseObjects']>[0]): ReturnType<Collecting['looseObjects']> {
    return looseObjects(this.#database, this.#tables, query);
  }

  heldReferences(query: Parameters<Collecting['heldReferences']>[0]): ReturnType<Collecting['heldReferences']> {
    return this.#database.read((reader) => heldReferences(reader, this.#tables, query));
  }

  keptCounts(query: Parameters<Collecting['keptCounts']>[0]): ReturnType<Collecting['keptCounts']> {
    return this.#database.read((reader) => keptCounts(reader, this.#tables, query));
  }

  async locate(kind: ItemKind, ids: Uint8Array, options?: CallOptions): ReturnType<Metadata['locate']> {
    options?.signal?.throwIfAborted();
    return this.#lookups[kind].find(ids);
  }

  knownItems(kind: ItemKind, ids: Uint8Array): Promise<readonly boolean[]> {
    return knownItems(this.#unguarded, { kind, ids });
  }

  markSuspect(...[items, isSuspect = true]: Parameters<Metadata['markSuspect']>): Promise<void> {
    return markItemsSuspect(this.#database, this.#tables, { items, isSuspect });
  }

  markPacksSuspect(numbers: readonly number[]): Promise<void> {
    return markPacksSuspect(this.#database, this.#tables, numbers);
  }

  getEntries(keys: readonly Uint8Array[]): Promise<readonly (EntryRow | undefined)[]> {
    return getEntries(this.#database, this.#tables.entries, keys);
  }

  listEntries(query: EntryQuery, options?: CallOptions): Promise<readonly EntryRow[]> {
    return this.#store.index.list(this.#database, query, options?.signal);
  }

  getObjects(keys: readonly Uint8Array[]): Promise<readonly (ObjectRow | undefined)[]> {
    return rowsOf(this.#database, this.#tables.objects, keys);
  }

  async hasObjects(keys: Uint8Array, keyBytes: number): Promise<readonly boolean[]> {
    const count = keys.length / keyBytes;
    const each = Array.from({ length: count }, (_, index) => keys.subarray(index * keyBytes, (index + 1) * keyBytes));
    const rows = await rowsOf(this.#database, this.#tables.objects, each);
    return rows.map((row) => row?.condemned === 0);
  }

  listObjects(query: Parameters<ObjectIndex['listObjects']>[0]): ReturnType<ObjectIndex['listObjects']> {
    return listObjects(this.#database, this.#tables, query);
  }

  getRefs(keys: readonly Uint8Array[]): Promise<readonly (RefRow | undefined)[]> {
    return rowsOf(this.#database, this.#tables.refs, keys);
  }

  listRefs(query: Parameters<ObjectIndex['listRefs']>[0]): Promise<readonly RefRow[]> {
    return listRefs(this.#database, this.#tables, query);
  }

  getHistory<Kind extends HistoryKind>(
    kind: Kind,
    key: Uint8Array,
    query: Parameters<ObjectIndex['getHistory']>[2],
  ): Promise<readonly StepOf<Kind>[]> {
    return getHistory(this.#database, this.#tables, { ...query, kind, key });
  }

  listHistories(
    kind: HistoryKind,
    query: Parameters<ObjectIndex['listHistories']>[1],
  ): ReturnType<ObjectIndex['listHistories']> {
    return listHistories(this.#database, this.#tables, { ...query, kind });
  }

  async getPolicy(namespace: number): ReturnType<ObjectIndex['getPolicy']> {
    const [found] = await this.#database.read((reader) => this.#tables.policies.load(reader, [[namespace]]));
    return found?.row.policy;
  }

  getRelations(keys: readonly Uint8Array[]): ReturnType<ObjectIndex['getRelations']> {
    return getRelations(this.#database, this.#tables.relations, keys);
  }

  childrenOf(key: Uint8Array, query: Parameters<ObjectIndex['childrenOf']>[1]): ReturnType<ObjectIndex['childrenOf']> {
    return childrenOf(this.#database, this.#tables.relations, { ...query, key });
  }

  ancestorsOf(
    key: Uint8Array,
    query: Parameters<ObjectIndex['ancestorsOf']>[1],
  ): ReturnType<ObjectIndex['ancestorsOf']> {
    return ancestorsOf(this.#database, this.#tables.relations, { ...query, key });
  }

  descendantsOf(
    key: Uint8Array,
    query: Parameters<ObjectIndex['descendantsOf']>[1],
  ): ReturnType<ObjectIndex['descendantsOf']> {
    return descendantsOf(this.#database, this.#tables.relations, { ...query, key });
  }

  async commit(
    requests: readonly CommitRequest[],
    flushed: readonly FlushedJournal[] = [],
  ): ReturnType<Metadata['commit']> {
    const scope = this.#sealed?.scope;
    const outcomes = await withoutLateRefusals((refused) =>
      this.#session.change(async (state, session) => {
        if (session) state.epoch = session.epoch;
        if (flushed.length > 0) await applyFlushed(state, flushed, scope);
        return commitRequests(state, requests, { time: this.#clock.now(), scope, tables: this.#tables, refused });
      }),
    );
    this.#foldWhenDue();
    return outcomes;
  }

  /** Housekeeping of the entry index, beside other calls. */
  #foldWhenDue(): void {
    const { index } = this.#store;
    if (!index.foldDue || this.#folding) return;
    this.#folding = this.#fold().finally(() => {
      this.#folding = undefined;
    });
  }

  async #fold(): Promise<void> {
    const { index } = this.#store;
    try {
      while (index.foldDue) await this.#change((state) => state.fold());
    } catch (error) {
      // Nothing is lost: lists read what is not folded, the next commit tries again, and what is damaged is told to
      // both.
      if (!isStoreError(error)) throw error;
    }
  }

  outbox(after: number, bytesMax: number): ReturnType<Metadata['outbox']> {
    return outboxPage(this.#database, this.#tables, { after, bytesMax });
  }

  markFlushed(flushed: readonly FlushedJournal[]): Promise<void> {
    // Also by who was fenced: nobody deletes a journal pack that is not known, and what it says is committed.
    return this.#session.changeAnyway(async (state) => {
      await applyFlushed(state, flushed, this.#sealed?.scope);
      await state.save();
    });
  }

  listPacks(query: Parameters<Metadata['listPacks']>[0]): Promise<readonly PackRow[]> {
    return listPacks(this.#database, this.#tables, query);
  }

  smallPacks(query: Parameters<Metadata['smallPacks']>[0]): Promise<readonly PackRow[]> {
    return smallPacks(this.#database, this.#tables, query);
  }

  droppedPacks(limit: number): Promise<readonly PackRow[]> {
    return droppedPacks(this.#database, this.#tables, limit);
  }

  forgetPacks(numbers: readonly number[]): Promise<void> {
    return this.#change((state) => forgetPacks(state, numbers));
  }

  placeShards(changes: Parameters<Metadata['placeShards']>[0]): Promise<readonly boolean[]> {
    return placeShards(this.#session, this.#tables, changes);
  }

  markVerified(found: Parameters<Metadata['markVerified']>[0]): Promise<void> {
    return markVerified(this.#session, this.#tables, found);
  }

  packsToRepair(query: Parameters<Metadata['packsToRepair']>[0]): ReturnType<Metadata['packsToRepair']> {
    return packsToRepair(this.#database, this.#tables, query);
  }

  packsOfUnknownPlace(query: Parameters<Metadata['packsOfUnknownPlace']>[0]): Promise<readonly PackRow[]> {
    return packsOfUnknownPlace(this.#database, this.#tables, query);
  }

  packsVerifiedBefore(
    query: Parameters<Metadata['packsVerifiedBefore']>[0],
  ): ReturnType<Metadata['packsVerifiedBefore']> {
    return packsVerifiedBefore(this.#database, this.#tables, query);
  }

  replay(...[journalPacks, steps]: Parameters<Metadata['replay']>): Promise<void> {
    return this.#change(async (state) => {
      const context = { random: this.#random, scope: this.#sealed?.scope };
      await replaySteps(state, { journalPacks, steps }, context);
      await state.save();
    });
  }

  async beginCheckpoint(): ReturnType<Metadata['beginCheckpoint']> {
    return await this.#readings.begin(await this.#database.snapshot(), this.#store, this.#sealed?.scope);
  }

  async checkpointPage(reading: number): Promise<Uint8Array | undefined> {
    return await this.#readings.next(reading);
  }

  endCheckpoint(reading: number): Promise<void> {
    return this.#readings.end(reading);
  }

  restorePage(page: Uint8Array): Promise<void> {
    return this.#change((state) => restorePage(state, page, this.#sealed?.scope));
  }

  restoreDirectory(...[packId, items]: Parameters<Metadata['restoreDirectory']>): Promise<void> {
    return this.#change((state) => restoreDirectory(state, packId, items));
  }

  endRestore(place: Parameters<Metadata['endRestore']>[0]): Promise<void> {
    return this.#change((state) => endRestore(state, this.#tables, place));
  }

  async reseal(options: Parameters<Metadata['reseal']>[0]): Promise<void> {
    invariant(this.#sealed, 'only the metadata of a sealed store is sealed');
    await resealRows(this.#database, this.#store, options);
  }

  check(options: Parameters<Metadata['check']>[0] = {}): ReturnType<Metadata['check']> {
    return this.#inSnapshot((snapshot) => checkMetadata(snapshot, this.#store, options));
  }

  scanItems(kind: ItemKind, after: Uint8Array | undefined, limit: number): ReturnType<Metadata['scanItems']> {
    return scanItems(this.#database, this.#tables, { kind, after, limit });
  }

  stateDigests(): ReturnType<Metadata['stateDigests']> {
    return this.#inSnapshot((snapshot) => stateDigests(snapshot, this.#tables));
  }

  async close(): Promise<void> {
    await this.#database.close();
    await this.#folding;
    this.#sealed?.lock.close();
  }
}
