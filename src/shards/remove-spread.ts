import type { StoreError } from '../errors/store-error.ts';
import { backendError, type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { readPlacedSet, withoutBytes } from './placed-set.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import { type ShardFailure, shardFailure } from './shard-failure.ts';
import { type SetShard, type ShardLocation, type ShardSet, shardSetInvalid } from './shard-set.ts';
import { progressOf } from './spread-progress.ts';

/** What was removed of a spread set. */
export interface RemovedSpread {
  /** The set without bytes; shards that are still there have their locations. */
  readonly set: ShardSet;
  /** Indexes of the shards that are gone; those that were not there count too. */
  readonly removed: readonly number[];
  /** By index. */
  readonly failures: readonly ShardFailure[];
}

/**
 * Deletes the shards of a spread set from their backends. Goes on past failures, and may be called again with the set
 * that it gives back.
 * @param placed the set as it was spread, or its JSON
 * @throws `invalid/SHARD_SET_INVALID` also when a shard lies under a key that is not its own (`shardBlobKey`), and then
 *   nothing was deleted; `unsupported/FORMAT_UNSUPPORTED`, `conflict/BACKEND_EXISTS`; TypeError or RangeError for other
 *   arguments; the signal's reason
 */
export async function removeSpread(
  placed: ShardSet | string,
  backends: readonly NamedBackend[],
  options: SpreadCallOptions = {},
): Promise<RemovedSpread> {
  const set = withoutBytes(readPlacedSet(placed));
  const named = new NamedBackends(backends, options);
  for (const [index, { location }] of set.shards.entries()) {
    if (location && location.key !== shardBlobKey(set.id, index)) {
      throw shardSetInvalid(`shards.${index}.location.key`, 'the key of that very shard');
    }
  }
  const settled = progressOf('remove', set.shards.length, options);
  const ends = await Promise.all(
    set.shards.map(async ({ location }) => {
      const error = location && (await remove(named, location, options.signal));
      settled(0);
      return error;
    }),
  );
  const shards = set.shards.map((shard, index) => (ends[index] ? shard : withoutLocation(shard)));
  const failures = set.shards.flatMap(({ location }, index) => {
    const error = ends[index];
    return error && location ? [shardFailure(index, location, error)] : [];
  });
  const removed = set.shards.flatMap(({ location }, index) => (location && !ends[index] ? [index] : []));
  return Object.freeze({ set: { ...set, shards }, removed, failures });
}

async function remove(
  backends: NamedBackends,
  { backend, key }: ShardLocation,
  signal: AbortSignal | undefined,
): Promise<StoreError | undefined> {
  try {
    await backends.call(backend, (one, inner) => one.delete(key, { signal: inner, spendReserve: true }), signal);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return backendError(error);
  }
}

function withoutLocation({ digest, bytes }: SetShard): SetShard {
  return { digest, bytes };
}
