import { argumentTypeError } from '../errors/argument-error.ts';
import { equalDigests } from '../hash/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { findShard } from './fetch-shard.ts';
import { type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { readPlacedSet, withoutBytes } from './placed-set.ts';
import { readSpread } from './read-spread.ts';
import { forgedLoss, type ShardLoss } from './shard-loss.ts';
import type { ShardSet } from './shard-set.ts';
import { namedRoot } from './shard-set-root.ts';
import { progressOf } from './spread-progress.ts';
import { type SpreadTolerance, shardCounts, spreadTolerance } from './spread-tolerance.ts';
import { verifyShardSet } from './verify-shard-set.ts';

/** How deep a spread set is looked into. */
export interface InspectOptions extends SpreadCallOptions {
  /**
   * - `check`: asks every backend for the sizes of what it holds, and reads nothing
   * - `verify` (default): reads every shard, restores the content and compares all shards with it
   */
  readonly depth?: 'check' | 'verify';
}

/** One backend of a spread set. */
export interface SpreadBackend {
  readonly name: string;
  /** Indexes of the good shards it holds. */
  readonly good: readonly number[];
  /** Indexes of the shards it should hold, and does not, or not well. */
  readonly lost: readonly number[];
  /** Whether the content survives the loss of this one, as things stand. */
  readonly mayBeLost: boolean;
}

/** What became of a spread set: plain data. */
export interface SpreadReport extends SpreadTolerance {
  readonly depth: 'check' | 'verify';
  /** Every shard is good and where it should be, and root and content are right as far as was looked. */
  readonly isWhole: boolean;
  /** The content can be restored; at the depth `check`, if what is there is what it should be. */
  readonly canDecode: boolean;
  /** Whether the root is that of the digests that the set names. */
  readonly rootMatches: boolean;
  /** Indexes. */
  readonly good: readonly number[];
  /** Every other shard, by index. */
  readonly losses: readonly ShardLoss[];
  /** In the order in which they were given; then those that the set names and that were not. */
  readonly backends: readonly SpreadBackend[];
  /** When this was found out: ISO 8601, UTC. */
  readonly inspectedAt: string;
}

/**
 * Reports on a spread set: which backend has what, and what may still be lost. Changes nothing; damage, and backends
 * that cannot be asked, are reported and not thrown.
 * @param placed the set as it was spread, or its JSON; bytes that it has are not looked at
 * @throws `invalid/SHARD_SET_INVALID`, `unsupported/FORMAT_UNSUPPORTED`, `conflict/BACKEND_EXISTS`; TypeError or
 *   RangeError for other arguments; the signal's reason
 */
export async function inspectSpread(
  placed: ShardSet | string,
  backends: readonly NamedBackend[],
  options: InspectOptions = {},
): Promise<SpreadReport> {
  const set = readPlacedSet(placed);
  const named = new NamedBackends(backends, options);
  const { depth = 'verify', clock = systemClock } = options;
  if (depth !== 'check' && depth !== 'verify') throw argumentTypeError('depth', "'check' or 'verify'", depth);
  const seen = depth === 'check' ? await checkSpread(set, named, options) : await verifySpread(set, named, options);
  const { losses, canDecode } = seen;
  const lost = new Set(losses.map(({ index }) => index));
  const good = set.shards.flatMap((_, index) => (lost.has(index) ? [] : [index]));
  const places = good.flatMap((index) => set.shards[index]?.location?.backend ?? []);
  const rootMatches = equalDigests(namedRoot(set), set.root);
  return Object.freeze({
    depth,
    isWhole: losses.length === 0 && canDecode && rootMatches,
    canDecode,
    rootMatches,
    good,
    losses,
    backends: backendsOf(set, named.names, places, lost),
    ...spreadTolerance(places, set.redundancy.k),
    inspectedAt: new Date(clock.now()).toISOString(),
  });
}

interface Seen {
  readonly losses: readonly ShardLoss[];
  readonly canDecode: boolean;
}

async function checkSpread(set: ShardSet, backends: NamedBackends, options: InspectOptions): Promise<Seen> {
  const settled = progressOf('check', set.shards.length, options);
  const found = await Promise.all(
    set.shards.map(async (_, index) => {
      const loss = await findShard(backends, { set, index }, options.signal);
      settled(0);
      return loss;
    }),
  );
  const losses = found.filter((loss) => loss !== undefined);
  return { losses, canDecode: set.shards.length - losses.length >= set.redundancy.k };
}

async function verifySpread(set: ShardSet, backends: NamedBackends, options: InspectOptions): Promise<Seen> {
  const read = await readSpread(withoutBytes(set), backends, { ...options, phase: 'verify' });
  const { canDecode, corrupt } = verifyShardSet(read.set, options);
  const forged = corrupt.map((index) => forgedLoss(set, index));
  return { losses: [...read.losses, ...forged].sort((a, b) => a.index - b.index), canDecode };
}

function backendsOf(set: ShardSet, names: readonly string[], places: readonly string[], lost: ReadonlySet<number>) {
  const unknown = set.shards.flatMap(({ location }) => location?.backend ?? []);
  const counts = shardCounts(places);
  return [...new Set([...names, ...unknown])].map((name): SpreadBackend => {
    const here = set.shards.flatMap(({ location }, index) => (location?.backend === name ? [index] : []));
    return {
      name,
      good: here.filter((index) => !lost.has(index)),
      lost: here.filter((index) => lost.has(index)),
      mayBeLost: places.length - (counts.get(name) ?? 0) >= set.redundancy.k,
    };
  });
}
