import { plainIds } from '../format/index.ts';
import { MERGE_FAN_IN } from '../limits.ts';
import { deleteDroppedPacks, dropJournal, mergeSmallPacks } from '../maintenance/merge.ts';
import type { RekeyContext } from '../maintenance/rekey.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import type { Committer } from './committer.ts';
import type { Telemetry } from './events.ts';
import type { Health } from './health.ts';
import type { ShredReport } from './key-types.ts';
import { type Keychain, needKeychain } from './keychain.ts';
import type { PackWriters } from './pack-writers.ts';
import type { Session } from './session.ts';
import { shred } from './shredder.ts';

interface UpkeepParts {
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly keychain: Keychain | undefined;
  readonly telemetry: Telemetry;
  readonly health: Health;
  readonly session: Session;
  readonly committer: Committer;
  readonly packWriters: PackWriters;
}

/** What a writable store does for itself beside its callers: merges small packs, and destroys what must not stay. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #stop = new AbortController();
  #merging: Promise<void> | undefined;
  #shredding: Promise<unknown> = Promise.resolve();
  #held = 0;
  #packsAtLastMerge = -MERGE_FAN_IN;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** To be called after every commit. @param packsWritten since the store was opened */
  mergeWhenDue(packsWritten: number): void {
    if (
      this.#merging ||
      this.#held > 0 ||
      this.#parts.health.poisoned ||
      this.#stop.signal.aborted ||
      packsWritten - this.#packsAtLastMerge < MERGE_FAN_IN
    )
      return;
    this.#packsAtLastMerge = packsWritten;
    this.#merging = this.#merge().finally(() => {
      this.#merging = undefined;
    });
  }

  /** Does work during which nothing is merged: what it looks at would be moved from under it. */
  async withoutMerging<T>(work: () => Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      await this.#merging;
      return await work();
    } finally {
      this.#held -= 1;
    }
  }

  /** Destroys keys and packs that the state has let go of; one call after the other. */
  shred({ scrub }: { readonly scrub: boolean }): Promise<ShredReport> {
    const { keychain } = this.#parts;
    const shredding = this.#shredding.then(() => shred({ ...this.context(), keychain: needKeychain(keychain), scrub }));
    this.#shredding = shredding.catch(() => undefined);
    return shredding;
  }

  /** What an earlier process could not destroy. */
  async finishShredding(): Promise<void> {
    const { keychain, metadata, telemetry } = this.#parts;
    if (keychain === undefined || (await metadata.pendingShreds({ limit: 1 })).length === 0) return;
    const { pending } = await this.shred({ scrub: true });
    for (const what of pending) telemetry.logger?.warn(`still to be destroyed: ${what}`);
  }

  /** Lets go of journal packs that are not there, and that nobody needs. */
  async dropGone(journal: readonly PackRow[]): Promise<void> {
    try {
      for (const row of journal) await dropJournal(this.context(), [row]);
    } catch (error) {
      this.#tellUndone('journal packs that are gone are still counted on', error);
    }
  }

  /** What moving records from pack to pack takes. */
  context(): RekeyContext {
    const { metadata, packs, keychain, telemetry, session, committer } = this.#parts;
    return {
      metadata,
      packs,
      newPack: async (packClass, namespace = 0) => {
        const newPack = () => session.newPack(packClass, namespace);
        return keychain ? await keychain.using(namespace, newPack) : newPack();
      },
      idsOf: async (namespace) =>
        keychain ? await keychain.using(namespace, () => keychain.ids(namespace)) : plainIds,
      submit: (changes) => committer.submit({ changes, inline: [] }),
      flushJournal: () => committer.flush(),
      settleJournal: async () => {
        await committer.flush();
        await committer.settle();
      },
      flushJournalAnew: () => committer.flushAnew(),
      onMerge: (report) => {
        telemetry.counts.packsMerged += report.dropped;
        telemetry.emit('merge', report);
      },
      signal: this.#stop.signal,
    };
  }

  /** Stops at the next step, and waits for it. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#merging;
  }

  async #merge(): Promise<void> {
    const context = this.context();
    try {
      await deleteDroppedPacks(context);
      const touched = this.#parts.packWriters.takeTouched();
      await mergeSmallPacks(context, touched, () => this.#held > 0);
      if (this.#held > 0) this.#parts.packWriters.giveBack(touched);
    } catch (error) {
      this.#tellUndone('small packs could not be merged', error);
    }
  }

  /** What only tidies: a store that cannot do it now works as before, and tries again later. */
  #tellUndone(what: string, error: unknown): void {
    if (!this.#stop.signal.aborted) this.#parts.telemetry.logger?.warn(what, { error });
  }
}
