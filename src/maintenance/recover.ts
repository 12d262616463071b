/** Brings the metadata up to what the journal on the backend says: after a crash, or when an older copy was restored. */
import type { Backend } from '../backend/contract.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import type { FlushedJournal, Metadata, ReplayStep } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import {
  type JournalPack,
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
}

const REPLAY_STEPS_MAX = 256;

/**
 * Adopts journal packs newer than the last known one. Their records are compared with the outbox, and those after the
 * head are replayed; nothing acknowledged is lost, nothing is applied twice.
 * @throws `corrupt/JOURNAL_FORK` when two different records claim one commit number, `corrupt/JOURNAL_GAP`
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
  const before = await metadata.head();
  let journalPacks = 0;
  const names = await listJournalPacks(parts.backend, before.flushed, signal);
  for (const [index, name] of names.entries()) {
    signal?.throwIfAborted();
    const pack = await readJournalPack(packs, name);
    if (pack === undefined) continue;
    journalPacks += 1;
    await adopt(parts, pack, (found) => unreadable.push(found));
    parts.onJournalPack?.(index + 1, names.length);
  }
  const after = await metadata.head();
  return { records: after.commit - before.commit, journalPacks, unreadable };
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
  for (let start = 0; start < newer.length; start += REPLAY_STEPS_MAX) {
    const steps: ReplayStep[] = [];
    for (const entry of newer.slice(start, start + REPLAY_STEPS_MAX))
      steps.push(await toReplayStep(packs, { ...entry, packId }, onUnreadable));
    await metadata.replay([pack.descriptor], steps);
  }
  const inline = pack.entries
    .filter((entry) => entry.inline.length > 0)
    .map((entry) => ({ commit: entry.commit, items: entry.inline }));
  const flushed: FlushedJournal = { pack: pack.descriptor, inline };
  await metadata.markFlushed([flushed]);
}

/** A record that differs from the one we gave the same number means that two lives of this store went on side by side. */
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
