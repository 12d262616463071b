/**
 * Lets go of what checkpoints make needless: journal packs whose records the two newest ones cover, and checkpoints
 * before those. Two, so that one which is damaged costs nothing; and both are read whole first, since with the records
 * the last other way to that state goes.
 */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { PACK_BYTES_TARGET } from '../limits.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { allPacks } from './all-packs.ts';
import { findCheckpoint, groupCheckpoints, proveCheckpoint } from './checkpoint-reader.ts';
import type { JournalPackName } from './journal-reader.ts';
import { dropJournal, type MergeContext } from './merge.ts';
import type { ProblemList } from './problems.ts';

/** Checkpoints that are kept. */
const KEPT = 2;
const GROUP_PACKS_MAX = 256;

type JournalRow = PackRow & JournalPackName;

/** What went. */
export interface TrimReport {
  readonly packs: number;
  /** Bytes of their shards. */
  readonly bytes: number;
}

/** @throws what reading, writing and committing throw; a damaged checkpoint is told, and not counted on */
export async function trimJournal(context: MergeContext, problems: ProblemList): Promise<TrimReport> {
  const { metadata, packs } = context;
  const [checkpoints, journal] = [await rowsOf(metadata, 'checkpoint'), await rowsOf(metadata, 'journal')];
  if (needlessOf({ checkpoints, journal }, newestOf(checkpoints)).length === 0) return NOTHING;
  const kept = await soundCheckpoints(packs, { checkpoints, journal }, problems);
  const total: { packs: number; bytes: number } = { ...NOTHING };
  for (const group of grouped(needlessOf({ checkpoints, journal }, kept))) {
    context.signal.throwIfAborted();
    const done = await dropJournal(context, group);
    if (!done) continue;
    total.packs += done.dropped;
    for (const { storedBytes } of group) total.bytes += storedBytes;
  }
  return total;
}

const NOTHING: TrimReport = { packs: 0, bytes: 0 };

interface JournalRows {
  readonly checkpoints: readonly JournalRow[];
  readonly journal: readonly JournalRow[];
}

type Kept = readonly { readonly commit: number; readonly first: number }[];

function newestOf(checkpoints: readonly JournalRow[]): Kept {
  const firsts = new Map(checkpoints.map(({ journal }) => [journal.lastCommit, journal.firstCommit]));
  return [...firsts].map(([commit, first]) => ({ commit, first })).slice(-KEPT);
}

/** What is before the checkpoints that are kept; nothing while they are too few. */
function needlessOf({ checkpoints, journal }: JournalRows, kept: Kept): readonly JournalRow[] {
  if (kept.length < KEPT) return [];
  const oldest = Math.min(...kept.map(({ commit }) => commit));
  const first = Math.min(...kept.map((one) => one.first));
  return [
    ...checkpoints.filter(({ journal: { lastCommit } }) => lastCommit < oldest),
    ...journal.filter(({ journal: { lastCommit } }) => lastCommit < first),
  ];
}

async function rowsOf(metadata: Metadata, packClass: 'journal' | 'checkpoint'): Promise<readonly JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const { journal, ...pack } of allPacks(metadata, packClass)) if (journal) rows.push({ ...pack, journal });
  return rows.sort((a, b) => a.journal.lastCommit - b.journal.lastCommit || a.number - b.number);
}

/** The newest that are whole, of different commits, as many as are kept. */
async function soundCheckpoints(packs: PackStore, rows: JournalRows, problems: ProblemList): Promise<Kept> {
  const sound = new Map<number, Kept[number]>();
  const journal = rows.journal.toSorted((a, b) => a.journal.firstCommit - b.journal.firstCommit);
  for (const group of groupCheckpoints(rows.checkpoints)) {
    const { lastCommit = 0 } = group[0]?.journal ?? {};
    if (sound.size === KEPT) break;
    if (sound.has(lastCommit)) continue;
    try {
      const found = await findCheckpoint(packs, group);
      if (!found) continue;
      await proveCheckpoint(packs, found, journal);
      sound.set(lastCommit, found.head);
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      problems.addError(error, { packId: toHex(group[0]?.id ?? new Uint8Array()) });
    }
  }
  return [...sound.values()];
}

/** So many that what is live in them fits one pack. */
function* grouped(rows: readonly JournalRow[]): Generator<readonly JournalRow[]> {
  let group: JournalRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = row.items > 0 ? row.packBytes : 0;
    if (group.length > 0 && (group.length === GROUP_PACKS_MAX || bytes + size > PACK_BYTES_TARGET)) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(row);
    bytes += size;
  }
  if (group.length > 0) yield group;
}
