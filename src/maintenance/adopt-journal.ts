/**
 * Tells the metadata what journal packs hold. Packs overlap: processes that flushed the same commits each wrote one, and
 * a merge that did not come to its end left both what it read and what it wrote. What rode inline in a commit may lie in
 * any of the packs that hold it, so a commit is replayed with all of them at once: a chunk that is told of only after a
 * later commit has removed it would come back.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import type { Head, Metadata, ReplayStep } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { type JournalPack, toReplayStep, type UnreadablePack } from './journal-reader.ts';

export interface AdoptionParts {
  readonly metadata: Metadata;
  readonly packs: PackStore;
  /** The commit of the checkpoint that the state came from just now. */
  readonly restoredTo?: number | undefined;
  /** Told of packs that records add and that are gone or damaged. */
  readonly onUnreadable: (pack: UnreadablePack) => void;
}

/** Records and directory items of one replay: what is held in memory, and how long other calls wait for it. */
const REPLAY_STEPS_MAX = 256;
const REPLAY_ITEMS_MAX = 65_536;
const OUTBOX_BYTES = 1024 * 1024;

/** A pack of which not all is told. */
interface OpenPack extends JournalPack {
  /** The first of its entries that is not replayed. */
  next: number;
  /** How many of its entries the metadata had when it was added. */
  readonly known: number;
  registered: boolean;
}

/** Journal packs on their way into the metadata, in the order in which they are listed. */
export class JournalAdopter {
  readonly #parts: AdoptionParts;
  #open: OpenPack[] = [];

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /**
   * Takes a pack. What it holds is compared with what the metadata knows, and replayed by {@link replayBefore}.
   * @returns whether it has records that the metadata does not
   * @throws `corrupt/JOURNAL_FORK` when a record differs from the one of the same number
   */
  async add(pack: JournalPack): Promise<boolean> {
    const { metadata } = this.#parts;
    const head = await metadata.head();
    await compareWithOutbox(metadata, pack, head);
    const newer = pack.entries.findIndex(({ commit }) => commit > head.commit);
    const known = newer === -1 ? pack.entries.length : newer;
    this.#open.push({ ...pack, known, next: known, registered: false });
    return newer !== -1;
  }

  /**
   * Replays records up to the one before `commit`: all packs that hold one of them must have been added. Packs without
   * later records are done with then.
   * @throws `corrupt/JOURNAL_FORK` when two records claim one commit number, `corrupt/JOURNAL_GAP`
   */
  async replayBefore(commit: number): Promise<void> {
    let steps: ReplayStep[] = [];
    let items = 0;
    for (let step = await this.#step(commit); step; step = await this.#step(commit)) {
      steps.push(step);
      for (const directory of step.directories) items += directory.items.length;
      if (steps.length < REPLAY_STEPS_MAX && items < REPLAY_ITEMS_MAX) continue;
      await this.#replay(steps);
      steps = [];
      items = 0;
    }
    // Also packs without a record that is new: what lies on the backend holds its records, and a later one may count on
    // that, such as one that drops a pack of the same commits.
    if (steps.length > 0 || this.#open.some(({ registered }) => !registered)) await this.#replay(steps);
    await this.#settle();
  }

  /** The next record before `commit`, with what every pack that holds it has of its chunks. */
  async #step(before: number): Promise<ReplayStep | undefined> {
    const commits = this.#open.map(({ entries, next }) => entries[next]?.commit ?? Number.POSITIVE_INFINITY);
    const commit = Math.min(...commits);
    if (commit >= before || commit === Number.POSITIVE_INFINITY) return undefined;
    let record: Uint8Array | undefined;
    const inline: ReplayStep['inline'][number][] = [];
    for (const pack of this.#open) {
      const entry = pack.entries[pack.next];
      if (entry?.commit !== commit) continue;
      record ??= entry.record;
      if (!equalBytes(record, entry.record)) throw fork(commit);
      if (entry.inline.length > 0) inline.push({ packId: pack.descriptor.id, items: entry.inline });
      pack.next += 1;
    }
    return record && (await toReplayStep(this.#parts.packs, { record, inline }, this.#parts.onUnreadable));
  }

  async #replay(steps: readonly ReplayStep[]): Promise<void> {
    const unregistered = this.#open.filter(({ registered }) => !registered);
    await this.#parts.metadata.replay(
      unregistered.map(({ descriptor }) => descriptor),
      steps,
    );
    for (const pack of unregistered) pack.registered = true;
  }

  /** Marks packs of which all is replayed as flushed. */
  async #settle(): Promise<void> {
    const { metadata, restoredTo = 0 } = this.#parts;
    const done = this.#open.filter(({ entries, next }) => next >= entries.length);
    this.#open = this.#open.filter(({ entries, next }) => next < entries.length);
    for (const { descriptor, entries, known } of done) {
      // Those of newer records were placed with them, and may have been removed by a later one.
      const inline = entries
        .slice(0, known)
        .filter((entry) => entry.inline.length > 0)
        .map(({ commit, inline: items }) => ({ commit, items, awaited: commit <= restoredTo }));
      await metadata.markFlushed([{ pack: descriptor, inline }]);
    }
  }
}

function fork(commit: number): StoreError {
  return storeError(
    'JOURNAL_FORK',
    `two different records claim commit ${commit}: this store was changed in two places after it was copied`,
    {
      details: { commit },
    },
  );
}

/**
 * A record that differs from the one we gave the same number means that two lives of this store went on side by side.
 */
async function compareWithOutbox(metadata: Metadata, pack: JournalPack, head: Head): Promise<void> {
  const known = new Map<number, Uint8Array>();
  const [first, last] = [pack.entries[0], pack.entries.at(-1)];
  if (first === undefined || last === undefined) return;
  for (let after = first.commit - 1; after < last.commit; ) {
    const rows = await metadata.outbox(after, OUTBOX_BYTES);
    const newest = rows.at(-1);
    if (newest === undefined) break;
    for (const row of rows) known.set(row.commit, blake3(row.record));
    after = newest.commit;
  }
  for (const { commit, record } of pack.entries) {
    const digest = commit === head.commit ? head.digest : known.get(commit);
    if (digest && !equalBytes(digest, blake3(record))) throw fork(commit);
  }
}
