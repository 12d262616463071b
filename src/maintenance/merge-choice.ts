/**
 * Which small packs are worth merging. The rule bounds both sides: packs that stay are O(log n) after n commits, and
 * every byte is copied O(log n) times.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { MERGE_FAN_IN, PACK_BYTES_TARGET } from '../limits.ts';
import type { PackRow } from '../metadata/contract.ts';

type JournalPlace = NonNullable<PackRow['journal']>;
type JournalPackRow = PackRow & { readonly journal: JournalPlace };

const TIER_BYTES_FIRST = 8 * 1024;

function tierOf(pack: PackRow): number {
  return Math.max(0, Math.floor(Math.log2(pack.storedBytes / TIER_BYTES_FIRST) / Math.log2(MERGE_FAN_IN)) + 1);
}

/**
 * Data or meta packs to merge into one: of the lowest size tier where enough have gathered, as many as fit a full pack.
 */
export function duePacks(small: readonly PackRow[]): readonly PackRow[] | undefined {
  const tiers = Map.groupBy(small, tierOf);
  for (const tier of [...tiers.keys()].sort((a, b) => a - b)) {
    let bytes = 0;
    const packs = (tiers.get(tier) ?? []).filter((pack) => {
      bytes += pack.storedBytes;
      return bytes <= PACK_BYTES_TARGET;
    });
    if (packs.length >= MERGE_FAN_IN) return packs;
  }
  return undefined;
}

/** A run of neighbours that may be merged: `packs[start]` up to but without `packs[end]`. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly commits: number;
}

/**
 * Journal packs to merge into one, in order of their commits. A journal pack holds a gap-free run of commits, so only
 * neighbours merge, and tiers would not do: a few large commits in between would keep small ones apart for ever.
 * Instead any run of enough neighbours is due in which no pack has more commits than the others together, and the run
 * that copies the fewest commits for each pack goes first. Commits are counted and not bytes, because what makes a
 * journal pack large are mostly chunks, and these move to a data pack once.
 */
export function dueJournalPacks(small: readonly PackRow[]): readonly JournalPackRow[] | undefined {
  const packs = small
    .flatMap((pack) => (pack.journal ? [{ ...pack, journal: pack.journal }] : []))
    .sort((a, b) => a.journal.firstCommit - b.journal.firstCommit || a.journal.lastCommit - b.journal.lastCommit);
  let best: Run | undefined;
  for (let start = 0; start + MERGE_FAN_IN <= packs.length; start += 1) best = bestRun(packs, start, best);
  return best && packs.slice(best.start, best.end);
}

/** The best of the due runs that begin with a pack, if it is better than the best so far. */
function bestRun(packs: readonly JournalPackRow[], start: number, known: Run | undefined): Run | undefined {
  let best = known;
  const first = packs[start] as JournalPackRow;
  let { lastCommit } = first.journal;
  let commits = 0;
  let most = 0;
  let bytes = 0;
  for (let index = start; index < packs.length; index += 1) {
    const { journal, storedBytes } = packs[index] as JournalPackRow;
    if (journal.firstCommit > lastCommit + 1 || !equalBytes(journal.incarnation, first.journal.incarnation)) break;
    bytes += storedBytes;
    if (bytes > PACK_BYTES_TARGET) break;
    const count = journal.lastCommit - journal.firstCommit + 1;
    commits += count;
    most = Math.max(most, count);
    lastCommit = Math.max(lastCommit, journal.lastCommit);
    const run = { start, end: index + 1, commits };
    if (sizeOf(run) >= MERGE_FAN_IN && 2 * most <= commits && isBetter(run, best)) best = run;
  }
  return best;
}

function sizeOf(run: Run): number {
  return run.end - run.start;
}

function isBetter(run: Run, best: Run | undefined): boolean {
  if (best === undefined) return true;
  const difference = run.commits * sizeOf(best) - best.commits * sizeOf(run);
  return difference < 0 || (difference === 0 && sizeOf(run) > sizeOf(best));
}
