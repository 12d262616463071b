/** Is every record up to the head there, each naming the digest of the one before it? */

import { equalBytes, toHex } from '../bytes/bytes.ts';
import { decodeJournalRecord } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import { isLive } from './check-packs.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import { readJournalPack } from './journal-reader.ts';
import { ProblemList } from './problems.ts';

const OUTBOX_BYTES = 4 * 1024 * 1024;

/** The chain of records seen so far. */
class Chain {
  readonly #problems: ProblemList;
  #commit = 0;
  #digest: Uint8Array = new Uint8Array(32);
  /** Known bytes to compare with: false once records were missing. */
  #whole = true;
  records = 0;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** Records that two journal packs hold are looked at once. */
  add(record: Uint8Array): void {
    const { commit, previous } = decodeJournalRecord(record);
    if (commit <= this.#commit) return;
    if (commit !== this.#commit + 1) {
      this.#report('JOURNAL_GAP', `the journal lacks the commits ${this.#commit + 1} to ${commit - 1}`);
    } else if (this.#whole && !equalBytes(previous, this.#digest)) {
      this.#report('JOURNAL_FORK', `commit ${commit} does not follow the commit ${commit - 1} that is there`);
    }
    this.#commit = commit;
    this.#digest = blake3(record);
    this.#whole = true;
    this.records += 1;
  }

  end(head: { readonly commit: number; readonly digest: Uint8Array }): void {
    if (this.#commit < head.commit)
      this.#report('JOURNAL_GAP', `the journal ends at commit ${this.#commit}, the metadata is at ${head.commit}`);
    else if (this.#commit === head.commit && !equalBytes(this.#digest, head.digest)) {
      this.#report('JOURNAL_FORK', `the journal's commit ${head.commit} is not the one the metadata knows`);
    }
  }

  #report(code: string, message: string): void {
    this.#problems.add({ code, message });
    this.#whole = false;
  }
}

/** Merges that go on may take a pack away between listing and reading; each new attempt sees their result. */
const ATTEMPTS_MAX = 5;

/** @returns how many records were read */
export async function checkJournal(store: CheckedStore, problems: ProblemList, options: CheckOptions): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const found = new ProblemList();
    const { records, moved } = await readJournal(store, found, options);
    if (moved && attempt < ATTEMPTS_MAX) continue;
    problems.addAll(found);
    return records;
  }
}

/** `moved`: a pack was dropped by a merge before it could be read. */
async function readJournal(
  store: CheckedStore,
  problems: ProblemList,
  options: CheckOptions,
): Promise<{ readonly records: number; readonly moved: boolean }> {
  const { signal, onProgress } = options;
  // Head, outbox, packs, in this order: what leaves the outbox meanwhile is in the packs.
  const head = await store.metadata.head();
  const outbox = await readOutbox(store, head.flushed);
  const chain = new Chain(problems);
  let moved = false;
  const packs = await journalPacks(store);
  for (const [index, pack] of packs.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'check journal', done: index, total: packs.length, bytes: 0 });
    try {
      const read = await readJournalPack(store.packs, pack);
      moved ||= read === undefined && !(await isLive(store.metadata, pack));
      for (const { record } of read?.entries ?? []) chain.add(record);
    } catch (error) {
      problems.addError(error, { packId: toHex(pack.id) });
    }
  }
  for (const record of outbox) chain.add(record);
  chain.end(head);
  return { records: chain.records, moved };
}

async function readOutbox(store: CheckedStore, flushed: number): Promise<readonly Uint8Array[]> {
  const records: Uint8Array[] = [];
  for (let after = flushed; ; ) {
    const rows = await store.metadata.outbox(after, OUTBOX_BYTES);
    const last = rows.at(-1);
    if (last === undefined) return records;
    for (const row of rows) records.push(row.record);
    after = last.commit;
  }
}

type JournalPackRow = PackRow & { readonly journal: NonNullable<PackRow['journal']> };

/** In order of their first commit; of packs that begin alike the one that holds most comes first. */
async function journalPacks(store: CheckedStore): Promise<JournalPackRow[]> {
  const packs: JournalPackRow[] = [];
  for (let after: number | undefined; ; ) {
    const page = await store.metadata.listPacks({
      class: 'journal',
      limit: 1000,
      ...(after !== undefined && { after }),
    });
    const last = page.at(-1);
    if (last === undefined) break;
    for (const pack of page) if (pack.journal) packs.push({ ...pack, journal: pack.journal });
    after = last.number;
  }
  return packs.sort(
    (a, b) => a.journal.firstCommit - b.journal.firstCommit || b.journal.lastCommit - a.journal.lastCommit,
  );
}
