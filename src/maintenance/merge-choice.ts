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

/** Data or meta packs to merge into one: of the lowest size tier where enough have gathered, as many as fit a full pack. */
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

/**
 * Journal packs to merge into one, in order of their commits. A journal pack holds a gap-free run of commits, so only
 * neighbours merge, and tiers would not do: a few large commits in between would keep small ones apart for ever.
 * Instead any run of enough neighbours is due in which no pack has more commits than the others together, the run of the
 * fewest commits first. Commits are counted and not bytes, because what makes a journal pack large are mostly chunks,
 * and these move to a data pack once.
 */
export function dueJournalPacks(small: readonly PackRow[]): readonly JournalPackRow[] | undefined {
  const packs = small
    .flatMap((pack) => (pack.journal ? [{ ...pack, journal: pack.journal }] : []))
    .sort((a, b) => a.journal.firstCommit - b.journal.firstCommit || a.journal.lastCommit - b.journal.lastCommit);
  let best: { readonly start: number; readonly end: number; readonly commits: number } | undefined;
  for (let start = 0; start + MERGE_FAN_IN <= packs.length; start += 1) {
    const found = dueRun(packs, start, best?.commits ?? Number.POSITIVE_INFINITY);
    if (found) best = { start, ...found };
  }
  return best && packs.slice(best.start, best.end);
}

/** The shortest due run that begins with a pack, if it has fewer commits than `commitsBelow`. */
function dueRun(
  packs: readonly JournalPackRow[],
  start: number,
  commitsBelow: number,
): { readonly end: number; readonly commits: number } | undefined {
  const { incarnation } = (packs[start] as JournalPackRow).journal;
  let commits = 0;
  let most = 0;
  let bytes = 0;
  let last = Number.POSITIVE_INFINITY;
  for (let index = start; index < packs.length; index += 1) {
    const { journal, storedBytes } = packs[index] as JournalPackRow;
    const count = journal.lastCommit - journal.firstCommit + 1;
    bytes += storedBytes;
    commits += count;
    most = Math.max(most, count);
    const follows = index === start || journal.firstCommit <= last + 1;
    if (!follows || !equalBytes(journal.incarnation, incarnation)) return undefined;
    if (bytes > PACK_BYTES_TARGET || commits >= commitsBelow) return undefined;
    last = index === start ? journal.lastCommit : Math.max(last, journal.lastCommit);
    if (index - start + 1 >= MERGE_FAN_IN && 2 * most <= commits) return { end: index + 1, commits };
  }
  return undefined;
}
