import { checkInteger } from '../errors/argument-error.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { setShardBytes } from './good-shards.ts';
import { anySignal, backendError, type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { withoutBytes } from './placed-set.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import { type ShardFailure, shardFailure } from './shard-failure.ts';
import { type ShardPlaces, shardPlaces } from './shard-places.ts';
import type { ShardLocation, ShardSet } from './shard-set.ts';
import { progressOf } from './spread-progress.ts';
import { type SpreadTolerance, spreadTolerance } from './spread-tolerance.ts';
import { checkConfirmation, type ShardConfirmation, storeShard } from './store-shard.ts';
import { verifyShardSet } from './verify-shard-set.ts';

/** How a set is spread. */
export interface SpreadOptions extends SpreadCallOptions {
  /** Default round robin. */
  readonly places?: ShardPlaces;
  /**
   * Shards that must be stored, from k to k + m, or everything is taken back. Default k + max(1, m - 1), all of them
   * when m is 0: as many as a store asks for.
   */
  readonly shardsMin?: number;
  /** How each shard is looked for once it is stored. Default `length`. */
  readonly confirm?: ShardConfirmation;
}

/** A set that was spread. */
export interface SpreadShardSet extends SpreadTolerance {
  /**
   * What to keep: the set without bytes, with the location of every shard that is stored. A shard that failed has none,
   * and is placed by `repairSpread`.
   */
  readonly set: ShardSet;
  /** Indexes of the shards that are stored. */
  readonly stored: readonly number[];
  /** By index. */
  readonly failures: readonly ShardFailure[];
}

/**
 * Spreads a whole set over backends: each shard a blob (`shardBlobKey`), side by side. A blob that is there already is
 * compared: the same shard counts as stored, anything else is left alone and counts as failed. What is too little is
 * taken back, as far as this call has put it. More shards than backends are allowed; the result tells how many backends
 * may be lost.
 * @param set whole, as `encodeShardSet` and `repairShardSet` give it; verifying that costs about what encoding did
 * @throws `unavailable/REDUNDANCY_UNMET` when fewer than `shardsMin` could be stored, with all reasons in the message;
 *   `corrupt/SHARD_SET_CORRUPT` for a set that is not whole, `invalid/SHARD_SET_INVALID` for what is none;
 *   `not-found/BACKEND_NOT_FOUND`, `conflict/BACKEND_EXISTS`; TypeError or RangeError for other arguments; the signal's
 *   reason, when all is taken back
 * @example await spreadShardSet(set, [{ name: 'attic', backend }, { name: 'cellar', backend: other }])
 */
export async function spreadShardSet(
  set: ShardSet,
  backends: readonly NamedBackend[],
  options: SpreadOptions = {},
): Promise<SpreadShardSet> {
  checkWhole(set, options);
  const named = new NamedBackends(backends, options);
  const { k, m } = set.redundancy;
  const shardsMin = checkInteger('shardsMin', options.shardsMin ?? k + Math.min(m, Math.max(1, m - 1)), {
    min: k,
    max: k + m,
  });
  checkConfirmation(options.confirm ?? 'length');
  const names = shardPlaces(options.places ?? { strategy: 'round-robin' }, k + m, named.names);
  options.signal?.throwIfAborted();
  return new Spreading({ set, backends: named, names, shardsMin }, options).run();
}

/** A set that is wrong when it is spread would be found out when it is needed. */
function checkWhole(set: ShardSet, { clock = systemClock }: SpreadOptions): void {
  const { isWhole, corrupt, missing } = verifyShardSet(set, { clock });
  if (isWhole) return;
  const wrong = [...corrupt, ...missing].sort((a, b) => a - b);
  const what = wrong.length > 0 ? `shards ${wrong.join(', ')} are missing or wrong` : 'its root or content is wrong';
  throw storeError('SHARD_SET_CORRUPT', `a set has to be whole to be spread, and ${what}`, {
    details: { actual: set.shards.length - wrong.length },
  });
}

class Spreading {
  readonly #set: ShardSet;
  readonly #backends: NamedBackends;
  readonly #locations: readonly ShardLocation[];
  readonly #shardsMin: number;
  readonly #options: SpreadOptions;
  readonly #stop = new AbortController();
  readonly #settled: (bytes: number) => void;
  readonly #stored: number[] = [];
  readonly #failures = new Map<number, StoreError>();
  /** Shards of which there may be a blob that was not there before. */
  readonly #put = new Set<number>();

  constructor(
    what: {
      readonly set: ShardSet;
      readonly backends: NamedBackends;
      readonly names: readonly string[];
      readonly shardsMin: number;
    },
    options: SpreadOptions,
  ) {
    this.#set = what.set;
    this.#backends = what.backends;
    this.#locations = what.names.map((backend, index) => ({ backend, key: shardBlobKey(what.set.id, index) }));
    this.#shardsMin = what.shardsMin;
    this.#options = options;
    this.#settled = progressOf('spread', what.set.shards.length, options);
  }

  async run(): Promise<SpreadShardSet> {
    const ends = await Promise.allSettled(this.#locations.map((_, index) => this.#store(index)));
    const bug = ends.find(({ status }) => status === 'rejected');
    const isAborted = this.#options.signal?.aborted ?? false;
    if (!bug && !isAborted && this.#stored.length >= this.#shardsMin) {
      await this.#takeBack([...this.#put].filter((index) => this.#failures.has(index)));
      return this.#result();
    }
    const left = await this.#takeBack([...this.#put]);
    if (isAborted) throw this.#options.signal?.reason;
    throw bug ? (bug as PromiseRejectedResult).reason : this.#tooFew(left);
  }

  async #store(index: number): Promise<void> {
    const location = this.#locations[index] as ShardLocation;
    const { confirm = 'length', signal } = this.#options;
    const [set, onPut] = [this.#set, () => void this.#put.add(index)];
    const stop = anySignal(this.#stop.signal, signal);
    try {
      await this.#backends.call(
        location.backend,
        (backend, inner) =>
          storeShard(backend, { set, index, location, confirm, replaces: false, onPut, signal: inner }),
        stop,
      );
      this.#stored.push(index);
      this.#settled(setShardBytes(set));
    } catch (error) {
      if (stop.aborted) return;
      this.#fail(index, error);
      this.#settled(0);
    }
  }

  /** When too many have failed, nobody waits for the others. */
  #fail(index: number, error: unknown): void {
    if (!isStoreError(error)) this.#stop.abort();
    this.#failures.set(index, backendError(error));
    if (this.#failures.size > this.#set.shards.length - this.#shardsMin) this.#stop.abort();
  }

  /** @returns those that are or may be left behind */
  async #takeBack(indexes: readonly number[]): Promise<readonly number[]> {
    const left: number[] = [];
    await Promise.all(
      indexes.map(async (index) => {
        const { backend, key } = this.#locations[index] as ShardLocation;
        try {
          await this.#backends.call(backend, (one, signal) => one.delete(key, { signal, spendReserve: true }));
        } catch (error) {
          backendError(error);
          left.push(index);
        }
      }),
    );
    return left.sort((a, b) => a - b);
  }

  #result(): SpreadShardSet {
    const stored = this.#stored.sort((a, b) => a - b);
    const described = withoutBytes(this.#set);
    const shards = described.shards.map(({ digest, bytes }, index) => {
      const location = this.#locations[index];
      return stored.includes(index) && location ? { digest, bytes, location } : { digest, bytes };
    });
    const places = stored.map((index) => (this.#locations[index] as ShardLocation).backend);
    return Object.freeze({
      set: { ...described, shards },
      stored,
      failures: [...this.#failures]
        .sort(([a], [b]) => a - b)
        .map(([index, error]) => shardFailure(index, this.#locations[index] as ShardLocation, error)),
      ...spreadTolerance(places, this.#set.redundancy.k),
    });
  }

  #tooFew(left: readonly number[]): StoreError {
    const failures = [...this.#failures].sort(([a], [b]) => a - b);
    const told = failures.map(([index, error]) => `${this.#name(index)}: ${error.message}`);
    const names = left.map((index) => this.#name(index)).join(', ');
    const behind = left.length > 0 ? `; left behind, as far as they are there: ${names}` : '';
    const [needed, actual] = [this.#shardsMin, this.#stored.length];
    const message = `${needed} shards must be stored, ${actual} could be: ${told.join('; ')}${behind}`;
    return storeError('REDUNDANCY_UNMET', message, {
      details: { expected: needed, actual },
      cause: failures[0]?.[1],
    });
  }

  #name(index: number): string {
    const { backend, key } = this.#locations[index] as ShardLocation;
    return `shard ${index} on ${backend} (${key})`;
  }
}
