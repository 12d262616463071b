/**
 * Which losses the packs of a store would survive as they lie now: not what their redundancy could bear if every shard
 * were somewhere else, but what it bears where they are.
 */

/** Packs whose shards lie alike. */
export interface PlacePattern {
  /** Shards that are needed. */
  readonly k: number;
  /** What holds each good shard: numbers of backends, or names of domains. */
  readonly holders: readonly string[];
  readonly packs: number;
}

/** A smallest set of losses that packs would not survive. */
export interface FatalLoss {
  readonly lost: readonly string[];
  /** How many packs could not be read any more. */
  readonly packs: number;
}

export interface Tolerance {
  /** Any so many holders may be lost at once; -1 when packs cannot be read as it is. */
  readonly lossesMax: number;
  /** Some of the smallest sets whose loss is too much, those that hit most packs first. Empty when all may be lost. */
  readonly fatal: readonly FatalLoss[];
}

const FATAL_LISTED_MAX = 10;
/** Sets that are looked at for one pattern; beyond it some are not listed. */
const FATAL_TRIED_MAX = 10_000;

/** Without packs anything may be lost: `lossesMax` is the number of holders then. */
export function tolerate(patterns: readonly PlacePattern[], holders: number): Tolerance {
  const deadly = patterns.map((pattern) => ({ pattern, size: fewestDeadly(pattern) }));
  const size = Math.min(holders + 1, ...deadly.map((one) => one.size));
  const sets = new Map<string, readonly string[]>();
  for (const { pattern } of deadly.filter((one) => one.size === size && size > 0)) {
    for (const lost of deadlySets(pattern, size)) sets.set(lost.join(' '), lost);
  }
  const fatal = [...sets.values()].map((lost) => ({ lost, packs: packsLost(patterns, lost) }));
  return {
    lossesMax: size - 1,
    fatal: fatal.toSorted((a, b) => b.packs - a.packs || compare(a.lost, b.lost)).slice(0, FATAL_LISTED_MAX),
  };
}

function compare(a: readonly string[], b: readonly string[]): number {
  return a.join(' ') < b.join(' ') ? -1 : 1;
}

/** How few holders must be lost until fewer than k shards are left: those that hold most, first. */
function fewestDeadly({ k, holders }: PlacePattern): number {
  let left = holders.length;
  if (left < k) return 0;
  const counts = [...countsOf(holders).values()].toSorted((a, b) => b - a);
  let lost = 0;
  for (const count of counts) {
    left -= count;
    lost += 1;
    if (left < k) return lost;
  }
  return lost + 1;
}

function countsOf(holders: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const holder of holders) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  return counts;
}

/** Sets of a size whose loss leaves a pattern with fewer than k shards. */
function deadlySets({ k, holders }: PlacePattern, size: number): readonly (readonly string[])[] {
  const counts = [...countsOf(holders)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const found: (readonly string[])[] = [];
  let tried = 0;
  const choose = (from: number, lost: readonly string[], left: number): void => {
    if (lost.length === size) {
      tried += 1;
      if (left < k) found.push(lost);
      return;
    }
    for (let at = from; at < counts.length && tried < FATAL_TRIED_MAX; at += 1) {
      const [holder, count] = counts[at] as [string, number];
      choose(at + 1, [...lost, holder], left - count);
    }
  };
  choose(0, [], holders.length);
  return found;
}

function packsLost(patterns: readonly PlacePattern[], lost: readonly string[]): number {
  const gone = new Set(lost);
  let packs = 0;
  for (const { k, holders, packs: count } of patterns) {
    if (holders.filter((holder) => !gone.has(holder)).length < k) packs += count;
  }
  return packs;
}
