import { toHex } from '../bytes/bytes.ts';
import { journalRecordDigest } from '../format/index.ts';
import { checkGuard, type GuardState, readGuard, writeGuard } from '../keys/index.ts';
import { allPacks } from '../maintenance/all-packs.ts';
import { readJournalPack } from '../maintenance/journal-reader.ts';
import type { Head, Metadata } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { systemRandom } from '../runtime/random.ts';
import { every } from '../runtime/timers.ts';
import type { Logger } from './types.ts';

const SAVE_INTERVAL_MS = 1000;

/** What is watched of a store. */
interface WatchedStore {
  readonly storeId: string;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly logger: Logger | undefined;
  /** Of the config, now. */
  generation(): number;
}

/**
 * Holds a store against what this client remembers of it, and goes on remembering: now, every second in which something
 * was committed, and at the end. What a crash does not get to write only makes the memory older, never wrong.
 */
export class RollbackWatch {
  readonly #store: WatchedStore;
  readonly #folder: string;
  readonly #timer: { stop(): void };
  #saved: GuardState;
  #saving: Promise<void> = Promise.resolve();

  private constructor(store: WatchedStore, folder: string, saved: GuardState) {
    this.#store = store;
    this.#folder = folder;
    this.#saved = saved;
    this.#timer = every(SAVE_INTERVAL_MS, () => {
      this.#saving = this.#saving.then(() => this.#save());
    });
  }

  /**
   * @param accept remember the store as it is, whatever was remembered
   * @throws `corrupt/ROLLBACK_DETECTED`, and as `readGuard`
   */
  static async begin(
    store: WatchedStore,
    { folder, accept }: { readonly folder: string; readonly accept: boolean },
  ): Promise<RollbackWatch> {
    const remembered = accept ? undefined : await readGuard(store.storeId, { folder });
    const head = await store.metadata.head();
    if (remembered) {
      const generation = store.generation();
      const digest = await digestOfCommit(store, head, remembered.commit);
      checkGuard(remembered, { generation, commit: head.commit, digest: digest && toHex(digest) });
    }
    const state = stateOf(store, head);
    await writeGuard(state, { folder }, systemRandom);
    return new RollbackWatch(store, folder, state);
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
      await writeGuard(state, { folder: this.#folder }, systemRandom);
      this.#saved = state;
    } catch (error) {
      this.#store.logger?.warn('how far the store is could not be remembered', { error });
    }
  }
}

function stateOf(store: WatchedStore, head: Head): GuardState {
  return { storeId: store.storeId, generation: store.generation(), commit: head.commit, digest: toHex(head.digest) };
}

/** Digest of the journal record of a commit; `undefined` when the record is not there. */
async function digestOfCommit(store: WatchedStore, head: Head, commit: number): Promise<Uint8Array | undefined> {
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
  return undefined;
}
