/**
 * Brings the metadata up to what the journal on the backend says: after a crash, or when an older copy was restored.
 */
import type { Backend } from '../backend/contract.ts';
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import type { FlushedJournal, Metadata, ReplayStep } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { allPacks } from './all-packs.ts';
import {
  type JournalPack,
  type JournalPackName,
  listJournalPacks,
  readJournalPack,
  toReplayStep,
  type UnreadablePack,
} from './journal-reader.ts';

export interface RecoveryReport {
  /** Records the metadata did not have. */
  readonly records: number;
  /** Journal packs that were durable without the metadata knowing. */
  readonly journalPacks: number;
  readonly unreadable: readonly UnreadablePack[];
  /** What is wrong with journal packs that were not needed: the metadata or other packs have their records. */
  readonly damaged: readonly StoreError[];
}

/** Records and directory items of one replay: what is held in memory, and how long other calls wait for it. */
const REPLAY_STEPS_MAX = 256;
const REPLAY_ITEMS_MAX = 65_536;

/**
 * Adopts journal packs that the metadata does not know. Their records are compared with the outbox, and those after the
 * head are replayed; nothing acknowledged is lost, nothing is applied twice.
 * @throws `corrupt/JOURNAL_FORK` when two different records claim one commit number, `corrupt/JOURNAL_GAP`; `corrupt/*`
 *   when a journal pack is damaged and nothing else has its records
 */
export async function recoverFromJournal(parts: {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly signal?: AbortSignal | undefined;
  /** Told after each journal pack. */
  readonly onJournalPack?: (done: number, total: number) => void;
}): Promise<RecoveryReport> {
  const { metadata, packs, signal } = parts;
  const unreadable: UnreadablePack[] = [];
  const damaged: DamagedPack[] = [];
  const before = await metadata.head();
  let journalPacks = 0;
  const names = await listJournalPacks(parts.backend, 0, signal);
  const known = await knownJournalPacks(metadata);
  for (const [index, name] of names.entries()) {
    signal?.throwIfAborted();
    const isOwed = name.journal.lastCommit > before.flushed;
    // Known and yet owed: a replay was interrupted after its first steps.
    if (!isOwed && known.has(toHex(name.id))) continue;
    const pack = await readUnlessDamaged(packs, name, (found) => damaged.push(found));
    if (pack === undefined) continue;
    journalPacks += 1;
    try {
      await adopt(parts, pack, (found) => unreadable.push(found));
    } catch (error) {
      // The records that are not there are those of the damaged pack.
      throw isStoreError(error, 'JOURNAL_GAP') ? (damaged[0]?.error ?? error) : error;
    }
    parts.onJournalPack?.(index + 1, names.length);
  }
  const after = await metadata.head();
  const needed = damaged.find(({ name }) => name.journal.lastCommit > after.commit);
  if (needed) throw needed.error;
  const errors = damaged.map(({ error }) => error);
  return { records: after.commit - before.commit, journalPacks, unreadable, damaged: errors };
}

interface DamagedPack {
  readonly name: JournalPackName;
  readonly error: StoreError;
}

/** Whether a damaged pack is needed shows only when all others have been read. */
async function readUnlessDamaged(
  packs: PackStore,
  name: JournalPackName,
  onDamaged: (pack: DamagedPack) => void,
): Promise<JournalPack | undefined> {
  try {
    return await readJournalPack(packs, name);
  } catch (error) {
    // Under an epoch that was forgotten nothing lies that is needed; only somebody's journal pack of which nobody was
    // told.
    if (!isStoreError(error) || (error.kind !== 'corrupt' && error.code !== 'EPOCH_UNKNOWN')) throw error;
    onDamaged({ name, error });
    return undefined;
  }
}

/**
 * Of two processes that flushed the same commits one may have died before it told of its pack. That pack is as good as
 * the other, and a rebuild would find it, so the running state does too.
 */
async function knownJournalPacks(metadata: Metadata): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for await (const { id } of allPacks(metadata, 'journal')) known.add(toHex(id));
  for (const { id } of await metadata.droppedPacks(Number.MAX_SAFE_INTEGER)) known.add(toHex(id));
  return known;
}

/** One journal pack: known records are compared and marked flushed, newer ones replayed. */
export async function adopt(
  parts: { readonly metadata: Metadata; readonly packs: PackStore },
  pack: JournalPack,
  onUnreadable: (pack: UnreadablePack) => void,
): Promise<void> {
  const { metadata, packs } = parts;
  const head = await metadata.head();
  await compareWithOutbox(metadata, pack, head);
  const newer = pack.entries.filter((entry) => entry.commit > head.commit);
  const packId = pack.descriptor.id;
  let steps: ReplayStep[] = [];
  let items = 0;
  for (const entry of newer) {
    const step = await toReplayStep(packs, { ...entry, packId }, onUnreadable);
    steps.push(step);
    for (const directory of step.directories) items += directory.items.length;
    if (steps.length < REPLAY_STEPS_MAX && items < REPLAY_ITEMS_MAX) continue;
    await metadata.replay([pack.descriptor], steps);
    steps = [];
    items = 0;
  }
  // Also without a record that is new: what lies on the backend holds its records, and a later one may count on that,
  // such as one that drops a pack of the same commits.
  if (steps.length > 0 || newer.length === 0) await metadata.replay([pack.descriptor], steps);
  // Those of newer records were placed with them, and may have been removed by a later one.
  const inline = pack.entries
    .filter((entry) => entry.inline.length > 0 && entry.commit <= head.commit)
    .map((entry) => ({ commit: entry.commit, items: entry.inline }));
  const flushed: FlushedJournal = { pack: pack.descriptor, inline };
  await metadata.markFlushed([flushed]);
}

/**
 * A record that differs from the one we gave the same number means that two lives of this store went on side by side.
 */
async function compareWithOutbox(
  metadata: Metadata,
  pack: JournalPack,
  head: { readonly commit: number; readonly digest: Uint8Array },
): Promise<void> {
  const fork = (commit: number): Error =>
    storeError(
      'JOURNAL_FORK',
      `two different records claim commit ${commit}: this store was changed in two places after it was copied`,
      {
        details: { commit },
      },
    );
  const known = new Map<number, Uint8Array>();
  const first = pack.entries[0];
  if (first === undefined) return;
  for (let after = first.commit - 1; ; ) {
    const rows = await metadata.outbox(after, 1024 * 1024);
    const last = rows.at(-1);
    if (last === undefined || after >= (pack.entries.at(-1)?.commit ?? 0)) break;
    for (const row of rows) known.set(row.commit, blake3(row.record));
    after = last.commit;
  }
  for (const entry of pack.entries) {
    const digest = entry.commit === head.commit ? head.digest : known.get(entry.commit);
    if (digest && !equalBytes(digest, blake3(entry.record))) throw fork(entry.commit);
  }
}
