import { invariant } from '../errors/store-error.ts';
import type { PackDescriptor } from '../format/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { checkMetadata } from './check.ts';
import { commitRequests } from './commit.ts';
import type {
  CallOptions,
  CommitRequest,
  Counters,
  EntryQuery,
  EntryRow,
  FlushedJournal,
  Head,
  ItemLocation,
  Metadata,
  MetadataCheck,
  OutboxRow,
  PackRow,
  ReplayStep,
  RequestOutcome,
} from './contract.ts';
import type { Database, Snapshot } from './database.ts';
import type { EntryIndex } from './entry-index/contract.ts';
import { SqlEntryIndex } from './entry-index/sql-entry-index.ts';
import { getEntries } from './entry-queries.ts';
import { locateItems, markItemsSuspect, markPacksSuspect, scanItems } from './item-queries.ts';
import { applyFlushed } from './journal-packs.ts';
import { droppedPacks, forgetPacks, listPacks, outboxPage, smallPacks } from './pack-queries.ts';
import { replaySteps } from './replay.ts';
import { entriesTable, type ItemKind } from './rows.ts';
import { stateDigests } from './state-digests.ts';
import { loadHead, loadSums, WorkingState } from './working-state.ts';

const SESSION_ID_BYTES = 8;

export interface SqlMetadataParts {
  /** Holds the tables of `schema.ts`; closed with the metadata. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** The metadata contract over a SQL database. */
export class SqlMetadata implements Metadata {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #entryIndex: EntryIndex = new SqlEntryIndex(entriesTable);

  constructor(parts: SqlMetadataParts) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  #change<T>(work: (state: WorkingState) => Promise<T>): Promise<T> {
    return this.#database.write(async (transaction) => work(await WorkingState.begin(transaction)));
  }

  async #inSnapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const snapshot = await this.#database.snapshot();
    try {
      return await work(snapshot);
    } finally {
      await snapshot.close();
    }
  }

  async head(): Promise<Head> {
    const { commit, digest, incarnation, flushed } = await this.#database.read(loadHead);
    return { commit, digest, incarnation, flushed };
  }

  counters(): Promise<Counters> {
    return this.#database.read(async (reader) => {
      const { entries, logicalBytes, chunks, uniqueBytes, packs, storedBytes } = await loadHead(reader);
      const outbox = (await loadSums(reader)).get('outbox')?.rows ?? 0;
      return { entries, logicalBytes, chunks, uniqueBytes, packs, storedBytes, outbox };
    });
  }

  openSession(): Promise<Uint8Array> {
    return this.#change(async (state) => {
      const id = this.#random(SESSION_ID_BYTES);
      await state.sessions.load(state.transaction, [[id]]);
      invariant(!state.sessions.get([id]), 'a random session id is new');
      state.sessions.put({ id });
      await state.save();
      return id;
    });
  }

  async locate(kind: ItemKind, ids: Uint8Array, options?: CallOptions): Promise<readonly (ItemLocation | undefined)[]> {
    options?.signal?.throwIfAborted();
    return locateItems(this.#database, kind, ids);
  }

  markSuspect(items: Parameters<Metadata['markSuspect']>[0]): Promise<void> {
    return this.#database.write((transaction) => markItemsSuspect(transaction, items));
  }

  markPacksSuspect(numbers: readonly number[]): Promise<void> {
    return this.#database.write((transaction) => markPacksSuspect(transaction, numbers));
  }

  getEntries(keys: readonly Uint8Array[]): Promise<readonly (EntryRow | undefined)[]> {
    return getEntries(this.#database, entriesTable, keys);
  }

  listEntries(query: EntryQuery, options?: CallOptions): Promise<readonly EntryRow[]> {
    return this.#entryIndex.list(this.#database, query, options?.signal);
  }

  commit(
    requests: readonly CommitRequest[],
    flushed: readonly FlushedJournal[] = [],
  ): Promise<readonly RequestOutcome[]> {
    return this.#change(async (state) => {
      if (flushed.length > 0) await applyFlushed(state, flushed);
      return commitRequests(state, requests, this.#clock.now());
    });
  }

  outbox(after: number, bytesMax: number): Promise<readonly OutboxRow[]> {
    return outboxPage(this.#database, after, bytesMax);
  }

  markFlushed(flushed: readonly FlushedJournal[]): Promise<void> {
    return this.#change(async (state) => {
      await applyFlushed(state, flushed);
      await state.save();
    });
  }

  listPacks(query: Parameters<Metadata['listPacks']>[0]): Promise<readonly PackRow[]> {
    return listPacks(this.#database, query);
  }

  smallPacks(query: Parameters<Metadata['smallPacks']>[0]): Promise<readonly PackRow[]> {
    return smallPacks(this.#database, query);
  }

  droppedPacks(limit: number): Promise<readonly PackRow[]> {
    return droppedPacks(this.#database, limit);
  }

  forgetPacks(numbers: readonly number[]): Promise<void> {
    return this.#change((state) => forgetPacks(state, numbers));
  }

  replay(journalPacks: readonly PackDescriptor[], steps: readonly ReplayStep[]): Promise<void> {
    return this.#change(async (state) => {
      await replaySteps(state, { journalPacks, steps }, this.#random);
      await state.save();
    });
  }

  check(options: Parameters<Metadata['check']>[0] = {}): Promise<MetadataCheck> {
    return this.#inSnapshot((snapshot) => checkMetadata(snapshot, options));
  }

  scanItems(kind: ItemKind, after: Uint8Array | undefined, limit: number): ReturnType<Metadata['scanItems']> {
    return scanItems(this.#database, kind, { after, limit });
  }

  stateDigests(): ReturnType<Metadata['stateDigests']> {
    return this.#inSnapshot(stateDigests);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
