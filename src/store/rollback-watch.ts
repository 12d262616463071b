import { toHex } from '../bytes/bytes.ts';
import { journalRecordDigest } from '../format/index.ts';
import { checkGuardedJournal, type GuardedKeys, type GuardState, readGuard, writeGuard } from '../keys/index.ts';
import { allPacks } from '../maintenance/all-packs.ts';
import { findCheckpoint, groupCheckpoints } from '../maintenance/checkpoint-reader.ts';
import { type JournalPackName, readJournalPack } from '../maintenance/journal-reader.ts';
import type { Head, Metadata } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { every } from '../runtime/timers.ts';
import type { Surroundings } from './surroundings.ts';
import type { Logger, OpenOptions } from './types.ts';

const SAVE_INTERVAL_MS = 1000;
const DIGEST_BYTES = 32;

/** What is watched of a store. */
export interface WatchedStore {
  readonly storeId: string;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly logger: Logger | undefined;
  /** Of the config and the keys, now. */
  keys(): GuardedKeys;
}

/** Where it is remembered. */
export interface WatchPlace {
  readonly folder: string;
  readonly surroundings: Surroundings;
}

/**
 * What this client remembers of a store that it is to be held against: nothing without a guard, where nothing is
 * remembered yet, and where the caller takes the store as it is.
 * @throws as `readGuard`
 */
export async function rememberedOf(
  storeId: string,
  { rollbackGuard, acceptRollback = false }: Pick<OpenOptions, 'rollbackGuard' | 'acceptRollback'>,
  { fileSystem }: Pick<Surroundings, 'fileSystem'>,
): Promise<GuardState | undefined> {
  if (rollbackGuard === undefined || acceptRollback) return undefined;
  return await readGuard(storeId, { folder: rollbackGuard, fileSystem });
}

/** Remembers a store that is about to be made. @throws as `writeGuard` */
export async function rememberNew(
  store: { readonly storeId: string } & GuardedKeys,
  folder: string,
  { fileSystem, random }: Pick<Surroundings, 'fileSystem' | 'random'>,
): Promise<void> {
  const { storeId, keys, generation } = store;
  const digest = toHex(new Uint8Array(DIGEST_BYTES));
  await writeGuard({ storeId, keys, generation, commit: 0, digest }, { folder, fileSystem }, random);
}

/**
 * Holds the journal of a store against what is remembered of it.
 * @param store its metadata has taken over what the journal knows
 * @throws `corrupt/ROLLBACK_DETECTED`
 */
export async function checkRemembered(
  store: Pick<WatchedStore, 'metadata' | 'packs'>,
  remembered: GuardState,
): Promise<void> {
  const head = await store.metadata.head();
  const digest = await digestOfCommit(store, head, remembered.commit);
  checkGuardedJournal(remembered, { commit: head.commit, digest: digest && toHex(digest) });
}

/**
 * Goes on remembering a store: now, every second in which something was committed, and at the end. What a crash does
 * not get to write only makes the memory older, never wrong.
 */
export class RollbackWatch {
  readonly #store: WatchedStore;
  readonly #folder: string;
  readonly #surroundings: Surroundings;
  readonly #timer: { stop(): void };
  #saved: GuardState;
  #saving: Promise<void> = Promise.resolve();

  private constructor(store: WatchedStore, place: WatchPlace, saved: GuardState) {
    this.#store = store;
    this.#folder = place.folder;
    this.#surroundings = place.surroundings;
    this.#saved = saved;
    this.#timer = every(SAVE_INTERVAL_MS, () => {
      this.#saving = this.#saving.then(() => this.#save());
    });
  }

  /** @throws as `writeGuard` */
  static async begin(store: WatchedStore, place: WatchPlace): Promise<RollbackWatch> {
    const state = stateOf(store, await store.metadata.head());
    const { fileSystem, random } = place.surroundings;
    await writeGuard(state, { folder: place.folder, fileSystem }, random);
    return new RollbackWatch(store, place, state);
  }

  /** Remembers the last state. The metadata must still be open. */
  async end(): Promise<void> {
    this.#timer.stop();
    await this.#saving;
    await this.#save();
  }

  /** A memory that cannot be written is told and not fatal: the next opening checks against an older one. */
  async #save(): Promise<void> {
    try {
      const state = stateOf(this.#store, await this.#store.metadata.head());
      if (state.commit === this.#saved.commit && state.generation === this.#saved.generation) return;
      const { fileSystem, random } = this.#surroundings;
      await writeGuard(state, { folder: this.#folder, fileSystem }, random);
      this.#saved = state;
    } catch (error) {
      this.#store.logger?.warn('how far the store is could not be remembered', { error });
    }
  }
}

function stateOf(store: WatchedStore, head: Head): GuardState {
  return { storeId: store.storeId, ...store.keys(), commit: head.commit, digest: toHex(head.digest) };
}

/** Digest of the journal record of a commit; `undefined` when the record is not there. */
async function digestOfCommit(
  store: Pick<WatchedStore, 'metadata' | 'packs'>,
  head: Head,
  commit: number,
): Promise<Uint8Array | undefined> {
  if (commit === head.commit) return head.digest;
  if (commit > head.commit || commit === 0) return undefined;
  const [waiting] = await store.metadata.outbox(commit - 1, 1);
  if (waiting?.commit === commit) return journalRecordDigest(waiting.record);
  for await (const { journal, ...name } of allPacks(store.metadata, 'journal')) {
    if (journal === undefined || journal.firstCommit > commit || journal.lastCommit < commit) continue;
    const pack = await readJournalPack(store.packs, { ...name, journal });
    const entry = pack?.entries.find((one) => one.commit === commit);
    if (entry) return journalRecordDigest(entry.record);
  }
  return await digestInCheckpoint(store, commit);
}

/** Once the record is gone only a checkpoint of its commit tells its digest. */
async function digestInCheckpoint(
  { metadata, packs }: Pick<WatchedStore, 'metadata' | 'packs'>,
  commit: number,
): Promise<Uint8Array | undefined> {
  const rows: JournalPackName[] = [];
  for await (const { journal, ...name } of allPacks(metadata, 'checkpoint'))
    if (journal?.lastCommit === commit) rows.push({ ...name, journal });
  for (const group of groupCheckpoints(rows)) {
    const found = await findCheckpoint(packs, group);
    if (found) return found.head.digest;
  }
  return undefined;
}
