import { isStoreError } from '../errors/store-error.ts';
import { equalDigests } from '../hash/index.ts';
import { SPREAD_HEDGE_MS } from '../limits.ts';
import { systemClock } from '../runtime/clock.ts';
import { findContent } from './decode-shard-set.ts';
import { fetchShard } from './fetch-shard.ts';
import { type Gathered, gatherEnough } from './gather-enough.ts';
import { type ShardStates, shardStates } from './good-shards.ts';
import { checkWaitMs, type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { readPlacedSet, withBytes } from './placed-set.ts';
import { remakeShards } from './remake-shards.ts';
import { forgedLoss, isLoss, type ShardLoss, tooFewShards } from './shard-loss.ts';
import type { ShardSet } from './shard-set.ts';
import { namedRoot } from './shard-set-root.ts';
import { progressOf } from './spread-progress.ts';

/** How a set is gathered. */
export interface GatherOptions extends SpreadCallOptions {
  /** After how many milliseconds without an answer another shard is read besides. Default 100. */
  readonly hedgeMs?: number;
}

/** Content that was gathered, and how. */
export interface GatheredShardSet {
  /** The content; its digest is the one the set names. The caller's own. */
  readonly content: Uint8Array;
  /** Indexes of the k shards it was restored from. */
  readonly used: readonly number[];
  /** Indexes of the shards that backends were asked for, in the order in which they were. */
  readonly asked: readonly number[];
  /** Those that were asked for and are not there. Shards that were forged together with their digests are `corrupt`. */
  readonly losses: readonly ShardLoss[];
  /** Whether the root is that of the digests that the set names. */
  readonly rootMatches: boolean;
  /** Choices of k shards that were decoded. */
  readonly choices: number;
  readonly elapsedMs: number;
}

/**
 * Restores content from a set that is spread over backends. Reads k shards, data shards first; each one that is
 * missing, corrupt, slow or out of reach is made up for by another. Where the content does not come out of k shards
 * with the right digests, one was forged together with its digest: then all others are read and other choices tried.
 * Shards whose bytes the set has already are not read. Nothing is written.
 * @param placed the set as it was spread, or its JSON
 * @throws `unavailable/BACKEND_UNREACHABLE` when there are too few shards and backends that could not be asked may have
 *   enough; `corrupt/SHARDS_INSUFFICIENT`, `corrupt/SHARD_SET_CORRUPT` when the content is lost;
 *   `invalid/SHARD_SET_INVALID`, `unsupported/FORMAT_UNSUPPORTED`, `conflict/BACKEND_EXISTS`; TypeError or RangeError
 *   for other arguments; the signal's reason
 */
export async function gatherShardSet(
  placed: ShardSet | string,
  backends: readonly NamedBackend[],
  options: GatherOptions = {},
): Promise<GatheredShardSet> {
  const set = readPlacedSet(placed);
  const { clock = systemClock } = options;
  const start = clock.monotonicMs();
  const gathering = new SetGathering(set, new NamedBackends(backends, options), options);
  const found = await gathering.run();
  const rootMatches = equalDigests(namedRoot(set), set.root);
  return Object.freeze({ ...found, rootMatches, elapsedMs: clock.monotonicMs() - start });
}

type Restored = Omit<GatheredShardSet, 'rootMatches' | 'elapsedMs'>;

class SetGathering {
  readonly #backends: NamedBackends;
  readonly #options: GatherOptions;
  readonly #hedgeMs: number;
  readonly #settled: (bytes: number) => void;
  readonly #asked = new Set<number>();
  readonly #losses: ShardLoss[] = [];
  /** Indexes of shards that are there and have their digests: none is hashed twice. */
  readonly #good: Set<number>;
  /** With the bytes that were read so far. */
  #set: ShardSet;

  constructor(set: ShardSet, backends: NamedBackends, options: GatherOptions) {
    this.#set = set;
    this.#good = new Set(shardStates(set).good);
    this.#backends = backends;
    this.#options = options;
    this.#hedgeMs = checkWaitMs('hedgeMs', options.hedgeMs ?? SPREAD_HEDGE_MS);
    this.#settled = progressOf('gather', set.redundancy.k, options);
  }

  async run(): Promise<Restored> {
    const { k } = this.#set.redundancy;
    const lacking = this.#states.missing;
    await this.#read(lacking, k - this.#good.size);
    if (this.#good.size < k) throw tooFewShards(this.#set, this.#good.size, this.#losses);
    try {
      return this.#restore(false);
    } catch (error) {
      const rest = lacking.filter((index) => !this.#hasAnswered(index));
      if (!isStoreError(error, 'SHARD_SET_CORRUPT') || rest.length === 0) throw error;
      await this.#read(rest, rest.length);
      return this.#restore(true);
    }
  }

  /** Those that were too slow, and given up, have not. */
  #hasAnswered(index: number): boolean {
    return this.#good.has(index) || this.#losses.some((loss) => loss.index === index);
  }

  async #read(order: readonly number[], need: number): Promise<void> {
    const gathered: Gathered = await gatherEnough({
      order,
      need,
      hedgeMs: this.#hedgeMs,
      signal: this.#options.signal,
      fetch: async (index, signal) => {
        const fetched = await fetchShard(this.#backends, { set: this.#set, index }, signal);
        if (!isLoss(fetched)) this.#settled(fetched.length);
        return fetched;
      },
    });
    for (const index of gathered.asked) this.#asked.add(index);
    this.#losses.push(...gathered.losses);
    for (const index of gathered.found.keys()) this.#good.add(index);
    this.#set = withBytes(this.#set, gathered.found);
  }

  get #states(): ShardStates {
    const missing = this.#set.shards.flatMap((_, index) => (this.#good.has(index) ? [] : [index]));
    return { good: [...this.#good].sort((a, b) => a - b), corrupt: [], missing };
  }

  #restore(isForged: boolean): Restored {
    const states = this.#states;
    const { content, used, choices } = findContent(this.#set, states);
    const forged = isForged || choices > 1 ? this.#forged(states, content) : [];
    const losses = [...this.#losses, ...forged].sort((a, b) => a.index - b.index);
    return { content, used, choices, asked: [...this.#asked], losses };
  }

  /** Only looked for where there must be one: it costs making all shards anew. */
  #forged(states: ShardStates, content: Uint8Array): readonly ShardLoss[] {
    const { corrupt } = remakeShards(this.#set, states, content).states;
    return corrupt.map((index) => forgedLoss(this.#set, index));
  }
}
