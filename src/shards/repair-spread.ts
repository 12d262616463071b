import { invariant, isStoreError } from '../errors/store-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { setShardBytes } from './good-shards.ts';
import { backendError, type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { readPlacedSet, withoutBytes } from './placed-set.ts';
import { readSpread } from './read-spread.ts';
import { repairShardSet } from './repair-shard-set.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import { type ShardFailure, shardFailure } from './shard-failure.ts';
import { forgedLoss, type ShardLoss, tooFewShards } from './shard-loss.ts';
import type { ShardLocation, ShardSet } from './shard-set.ts';
import { progressOf } from './spread-progress.ts';
import { type SpreadTolerance, shardCounts, spreadTolerance } from './spread-tolerance.ts';
import { checkConfirmation, type ShardConfirmation, storeShard } from './store-shard.ts';

/** How a spread set is repaired. */
export interface RepairSpreadOptions extends SpreadCallOptions {
  /** How each shard is looked for once it is stored. Default `bytes`. */
  readonly confirm?: ShardConfirmation;
}

/** A shard that was made anew. */
export interface RepairedShard {
  readonly index: number;
  /** Where it is now. */
  readonly location: ShardLocation;
  /** Where it was before, when that is elsewhere: a backend that comes back may have it still. */
  readonly left?: ShardLocation;
}

/** A spread set after its repair. */
export interface RepairedSpread extends SpreadTolerance {
  /**
   * What to keep from now on: without bytes, with the new locations, digests and root. A shard that nobody took has the
   * location that it had.
   */
  readonly set: ShardSet;
  /** What was wrong, by index. */
  readonly losses: readonly ShardLoss[];
  /** By index. */
  readonly repaired: readonly RepairedShard[];
  /** Backends that did not take a shard which was tried there, whether another did or not. */
  readonly failures: readonly ShardFailure[];
  /** Every shard is good and stored now. If not, repair again when more backends can be reached. */
  readonly isWhole: boolean;
}

/**
 * Makes every shard of a spread set that is missing, corrupt, forged or out of reach anew, and stores it: where it was,
 * or, when that cannot be, on the backend that has the fewest shards of the set. Nothing is written before the content
 * was restored and has its digest. Goes on past failures. A set from before a repair stays good for what did not move.
 * @param placed the set as it was spread, or its JSON; bytes that it has are not used
 * @throws `unavailable/BACKEND_UNREACHABLE`, `corrupt/SHARDS_INSUFFICIENT`, `corrupt/SHARD_SET_CORRUPT` when the
 *   content cannot be restored, and nothing was written then; `invalid/SHARD_SET_INVALID`,
 *   `unsupported/FORMAT_UNSUPPORTED`, `conflict/BACKEND_EXISTS`; TypeError or RangeError for other arguments; the
 *   signal's reason, which may leave shards that the next repair takes for its own
 */
export async function repairSpread(
  placed: ShardSet | string,
  backends: readonly NamedBackend[],
  options: RepairSpreadOptions = {},
): Promise<RepairedSpread> {
  const described = readPlacedSet(placed);
  const named = new NamedBackends(backends, options);
  checkConfirmation(options.confirm ?? 'bytes');
  const { set: read, losses } = await readSpread(described, named, { ...options, phase: 'verify' });
  const good = read.shards.length - losses.length;
  if (good < read.redundancy.k) throw tooFewShards(read, good, losses);
  const { set, repaired } = repairShardSet(read, { clock: options.clock ?? systemClock });
  const forged = repaired.filter((index) => !losses.some((loss) => loss.index === index));
  const told = [...losses, ...forged.map((index) => forgedLoss(set, index))];
  return new SpreadRepair({ set, wanting: repaired, losses: told, backends: named }, options).run();
}

class SpreadRepair {
  readonly #set: ShardSet;
  readonly #backends: NamedBackends;
  readonly #losses: readonly ShardLoss[];
  readonly #options: RepairSpreadOptions;
  readonly #settled: (bytes: number) => void;
  /** Shards that still have to be stored. */
  readonly #wanting: Set<number>;
  /** Where the good shards are, by index. */
  readonly #places = new Map<number, ShardLocation>();
  readonly #failures: ShardFailure[] = [];
  /** Backends that failed for a shard, or cannot be asked. */
  readonly #refused = new Map<number, Set<string>>();

  constructor(
    what: {
      readonly set: ShardSet;
      readonly wanting: readonly number[];
      readonly losses: readonly ShardLoss[];
      readonly backends: NamedBackends;
    },
    options: RepairSpreadOptions,
  ) {
    this.#set = what.set;
    this.#backends = what.backends;
    this.#losses = what.losses.toSorted((a, b) => a.index - b.index);
    this.#options = options;
    this.#wanting = new Set(what.wanting);
    this.#settled = progressOf('repair', what.wanting.length, options);
    for (const [index, { location }] of what.set.shards.entries()) {
      if (location && !this.#wanting.has(index)) this.#places.set(index, location);
    }
    for (const { index, reason, location } of this.#losses) {
      if (location && reason === 'unreachable') this.#refuse(index, location.backend);
    }
  }

  async run(): Promise<RepairedSpread> {
    const repaired = [...this.#wanting];
    for (let round = this.#choose(); round.size > 0; round = this.#choose()) {
      await Promise.all([...round].map(([index, location]) => this.#store(index, location)));
    }
    for (const _ of this.#wanting) this.#settled(0);
    return this.#result(repaired);
  }

  /** A place for each shard that has none, of those that have not refused it. */
  #choose(): ReadonlyMap<number, ShardLocation> {
    this.#options.signal?.throwIfAborted();
    const counts = shardCounts([...this.#places.values()].map(({ backend }) => backend));
    const failed = (name: string): number => this.#failures.filter(({ location }) => location.backend === name).length;
    const chosen = new Map<number, ShardLocation>();
    const choose = (index: number, backend: string | undefined): void => {
      if (backend === undefined) return;
      chosen.set(index, { backend, key: shardBlobKey(this.#set.id, index) });
      counts.set(backend, (counts.get(backend) ?? 0) + 1);
    };
    // Those that stay where they were first, so that the others know where there are few.
    for (const index of this.#wanting) choose(index, this.#own(index));
    for (const index of this.#wanting) {
      if (chosen.has(index)) continue;
      const open = this.#backends.names.filter((name) => !this.#refused.get(index)?.has(name));
      const [best] = open.toSorted((a, b) => failed(a) - failed(b) || (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
      choose(index, best);
    }
    return chosen;
  }

  /** The backend that it was on, if that may take it. */
  #own(index: number): string | undefined {
    const name = this.#set.shards[index]?.location?.backend;
    return name !== undefined && this.#backends.has(name) && !this.#refused.get(index)?.has(name) ? name : undefined;
  }

  async #store(index: number, location: ShardLocation): Promise<void> {
    const { confirm = 'bytes', signal } = this.#options;
    const before = this.#set.shards[index]?.location;
    const replaces = before?.backend === location.backend && before.key === location.key;
    const upload = { set: this.#set, index, location, confirm, replaces, onPut: () => undefined };
    try {
      await this.#backends.call(
        location.backend,
        (backend, inner) => storeShard(backend, { ...upload, signal: inner }),
        signal,
      );
      this.#places.set(index, location);
      this.#wanting.delete(index);
      this.#settled(setShardBytes(this.#set));
    } catch (error) {
      signal?.throwIfAborted();
      this.#failures.push(shardFailure(index, location, backendError(error)));
      this.#refuse(index, location.backend);
      // What it did not answer for one shard it will not answer for the others.
      if (isStoreError(error, 'BACKEND_UNREACHABLE'))
        for (const other of this.#wanting) this.#refuse(other, location.backend);
    }
  }

  #refuse(index: number, backend: string): void {
    const names = this.#refused.get(index) ?? new Set();
    this.#refused.set(index, names.add(backend));
  }

  #result(indexes: readonly number[]): RepairedSpread {
    const described = withoutBytes(this.#set);
    const shards = described.shards.map((shard, index) => {
      const location = this.#places.get(index);
      return location ? { ...shard, location } : shard;
    });
    const places = [...this.#places.values()].map(({ backend }) => backend);
    return Object.freeze({
      set: { ...described, shards },
      losses: this.#losses,
      repaired: indexes.flatMap((index) => this.#repaired(index) ?? []),
      failures: this.#failures.toSorted((a, b) => a.index - b.index),
      isWhole: this.#wanting.size === 0,
      ...spreadTolerance(places, this.#set.redundancy.k),
    });
  }

  #repaired(index: number): RepairedShard | undefined {
    const location = this.#places.get(index);
    if (location === undefined) return undefined;
    const before = this.#set.shards[index]?.location;
    invariant(!this.#wanting.has(index), 'what has a place is not wanting');
    const hasMoved = before && (before.backend !== location.backend || before.key !== location.key);
    return { index, location, ...(hasMoved && { left: before }) };
  }
}
