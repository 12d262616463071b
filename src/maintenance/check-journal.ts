/** Is every record up to the head there, each naming the digest of the one before it? */

import { EMPTY_BYTES, equalBytes, toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { decodeJournalRecord } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import { allPacks, packNumbered } from './all-packs.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import { findCheckpoint, groupCheckpoints } from './checkpoint-reader.ts';
import { type JournalPack, readJournalPack } from './journal-reader.ts';
import { isProblem, type ProblemList } from './problems.ts';

const OUTBOX_BYTES = 4 * 1024 * 1024;

/** The chain of records seen so far. */
class Chain {
  readonly #problems: ProblemList;
  /** By commit number. One that another process has flushed without telling may come before some that are in packs. */
  readonly #outbox: ReadonlyMap<number, Uint8Array>;
  #commit = 0;
  #digest: Uint8Array = new Uint8Array(32);
  /** Known bytes to compare with: false once records were missing. */
  #whole = true;
  records = 0;

  /** The latest commit that the journal may begin with: checkpoints hold what was before. */
  #mayBegin = 1;
  /** Digests of the records that checkpoints are of; empty where the record was not there, or was met before them. */
  readonly #wanted = new Map<number, Uint8Array | undefined>();

  constructor(problems: ProblemList, outbox: ReadonlyMap<number, Uint8Array>) {
    this.#problems = problems;
    this.#outbox = outbox;
  }

  /** Takes over which checkpoints there are by now. */
  follow(checkpoints: readonly JournalPackRow[]): void {
    this.#mayBegin = mayBeginAt(checkpoints);
    for (const { journal } of checkpoints)
      if (!this.#wanted.has(journal.lastCommit)) this.#wanted.set(journal.lastCommit, undefined);
  }

  /** Of the record that a checkpoint is of, where it was met. */
  digestAt(commit: number): Uint8Array | undefined {
    return this.#wanted.get(commit);
  }

  #follows(commit: number): boolean {
    // Needless records before that come back, with a backend that was away, and need not be all there.
    return commit <= Math.max(this.#commit + 1, this.#mayBegin);
  }

  /** Records that two journal packs hold are looked at once. */
  add(record: Uint8Array): void {
    const { commit } = decodeJournalRecord(record);
    if (commit <= this.#commit) return;
    this.#addFromOutbox(commit);
    this.#append(record);
  }

  /** What waits in the outbox between the last record and a commit. */
  #addFromOutbox(end: number): void {
    if (end === this.#commit + 1) return;
    for (const [commit, record] of this.#outbox) if (commit > this.#commit && commit < end) this.#append(record);
  }

  #append(record: Uint8Array): void {
    const { commit, previous } = decodeJournalRecord(record);
    if (!this.#follows(commit)) {
      this.#report('JOURNAL_GAP', `the journal lacks the commits ${this.#commit + 1} to ${commit - 1}`);
    } else if (this.#whole && commit === this.#commit + 1 && !equalBytes(previous, this.#digest)) {
      this.#report('JOURNAL_FORK', `commit ${commit} does not follow the commit ${commit - 1} that is there`);
    }
    this.#commit = commit;
    this.#digest = blake3(record);
    if (this.#wanted.has(commit)) this.#wanted.set(commit, this.#digest);
    this.#whole = true;
    this.records += 1;
  }

  /** Records that could not be looked at: told as such, and no gap. */
  skip({ firstCommit, lastCommit }: { readonly firstCommit: number; readonly lastCommit: number }): void {
    this.#addFromOutbox(firstCommit);
    if (!this.#follows(firstCommit) || lastCommit <= this.#commit) return;
    this.#commit = lastCommit;
    this.#whole = false;
  }

  end(head: { readonly commit: number; readonly digest: Uint8Array }): void {
    this.#addFromOutbox(Number.POSITIVE_INFINITY);
    // All of that may be behind checkpoints by now.
    if (this.#commit < head.commit && head.commit >= this.#mayBegin)
      this.#report('JOURNAL_GAP', `the journal ends at commit ${this.#commit}, the metadata is at ${head.commit}`);
    else if (this.#whole && this.#commit === head.commit && !equalBytes(this.#digest, head.digest)) {
      this.#report('JOURNAL_FORK', `the journal's commit ${head.commit} is not the one the metadata knows`);
    }
  }

  #report(code: string, message: string): void {
    this.#problems.add({ code, message });
    this.#whole = false;
  }
}

/** @returns how many records were read */
export async function checkJournal(store: CheckedStore, problems: ProblemList, options: CheckOptions): Promise<number> {
  // Head, outbox, packs, in this order: what leaves the outbox meanwhile is in the packs.
  const head = await store.metadata.head();
  const chain = new Chain(problems, await readOutbox(store, head));
  const seen = new Set<number>();
  // A merge may take a pack away between listing and reading. Its records are in a pack that is there by then, so the
  // list is made anew; what was read is not read again.
  while (await readPacks({ store, chain, seen, problems, commit: head.commit }, options));
  chain.end(head);
  await checkCheckpoints(store, problems, chain);
  return chain.records;
}

/** Two checkpoints can do without what is before the first record that one of them needs. */
function mayBeginAt(rows: readonly JournalPackRow[]): number {
  const firsts = new Map(rows.map(({ journal }) => [journal.lastCommit, journal.firstCommit]));
  const newest = [...firsts].sort(([a], [b]) => b - a).slice(0, 2);
  return newest.length < 2 ? 1 : Math.min(...newest.map(([, first]) => first));
}

/** Is there a head to each checkpoint, and is it of the record that the journal has? */
async function checkCheckpoints(store: CheckedStore, problems: ProblemList, chain: Chain): Promise<void> {
  const rows = await journalPacks(store, 'checkpoint');
  const numbers = new Map(rows.map(({ id, number }) => [toHex(id), number]));
  for (const group of groupCheckpoints(rows)) {
    const packId = toHex(group[0]?.id ?? EMPTY_BYTES);
    try {
      const found = await findCheckpoint(store.packs, group);
      const digest = found && chain.digestAt(found.head.commit);
      if (!digest || equalBytes(digest, found.head.digest)) continue;
      const message = `the checkpoint at commit ${found.head.commit} is of another commit than the journal has`;
      problems.add({ code: 'JOURNAL_FORK', message, packId });
    } catch (error) {
      if (!isProblem(error)) throw error;
      // One that is deleted while it is read looks damaged.
      if (await packNumbered(store.metadata, numbers.get(packId) ?? 0)) problems.addError(error, { packId });
    }
  }
}

/**
 * Reads journal packs that were not seen before and hold something up to `commit`.
 * @returns whether one was taken away
 */
async function readPacks(
  reading: {
    readonly store: CheckedStore;
    readonly chain: Chain;
    readonly seen: Set<number>;
    readonly problems: ProblemList;
    readonly commit: number;
  },
  options: CheckOptions,
): Promise<boolean> {
  const { store, chain, seen, problems, commit } = reading;
  const { signal, onProgress } = options;
  const packs = (await journalPacks(store, 'journal')).filter(
    ({ number, journal }) => !seen.has(number) && journal.firstCommit <= commit,
  );
  // After the packs: what those lack that were listed is behind a checkpoint that is listed now.
  chain.follow(await journalPacks(store, 'checkpoint'));
  for (const [index, pack] of packs.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'check journal', done: index, total: packs.length, bytes: 0 });
    seen.add(pack.number);
    const read = await readLivePack(store, pack, problems);
    if (read === 'taken away') return true;
    if (read === 'unreachable') chain.skip(pack.journal);
    else for (const { record } of read?.entries ?? []) chain.add(record);
  }
  return false;
}

async function readLivePack(
  store: CheckedStore,
  pack: JournalPackRow,
  problems: ProblemList,
): Promise<JournalPack | undefined | 'taken away' | 'unreachable'> {
  try {
    const read = await readJournalPack(store.packs, pack);
    return read === undefined && !(await packNumbered(store.metadata, pack.number)) ? 'taken away' : read;
  } catch (error) {
    // A blob that is deleted while it is read looks damaged.
    if (!(await packNumbered(store.metadata, pack.number))) return 'taken away';
    problems.addError(error, { packId: toHex(pack.id) });
    return isStoreError(error) && error.kind === 'unavailable' ? 'unreachable' : undefined;
  }
}

/** Unflushed records up to the head; what is committed meanwhile has no place in the list of packs. */
async function readOutbox(
  store: CheckedStore,
  head: { readonly flushed: number; readonly commit: number },
): Promise<ReadonlyMap<number, Uint8Array>> {
  const records = new Map<number, Uint8Array>();
  for (let after = head.flushed; after < head.commit; ) {
    const rows = await store.metadata.outbox(after, OUTBOX_BYTES);
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const { commit, record } of rows) if (commit <= head.commit) records.set(commit, record);
    after = last.commit;
  }
  return records;
}

type JournalPackRow = PackRow & { readonly journal: NonNullable<PackRow['journal']> };

/** In order of their first commit; of packs that begin alike the one that holds most comes first. */
async function journalPacks(store: CheckedStore, packClass: 'journal' | 'checkpoint'): Promise<JournalPackRow[]> {
  const packs: JournalPackRow[] = [];
  for await (const { journal, ...pack } of allPacks(store.metadata, packClass))
    if (journal) packs.push({ ...pack, journal });
  return packs.sort(
    (a, b) => a.journal.firstCommit - b.journal.firstCommit || b.journal.lastCommit - a.journal.lastCommit,
  );
}
