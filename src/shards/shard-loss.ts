import type { ErrorCode } from '../errors/codes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import type { ShardLocation, ShardSet } from './shard-set.ts';

/**
 * Why a shard is not there for whoever needs it.
 * - `unplaced`: the set says that it lies nowhere
 * - `missing`: its backend says that it has none
 * - `corrupt`: what is there is not the shard
 * - `unreachable`: its backend could not be asked, or is not among those that were given
 */
export type ShardLossReason = 'unplaced' | 'missing' | 'corrupt' | 'unreachable';

/** A shard that is not there, as plain data. */
export interface ShardLoss {
  readonly index: number;
  readonly reason: ShardLossReason;
  /** Where it should be; absent when `unplaced`. */
  readonly location?: ShardLocation;
  /** What the backend said. */
  readonly code?: ErrorCode;
  readonly message?: string;
}

/**
 * The error of a set of which fewer than k shards could be read.
 * @returns `unavailable/BACKEND_UNREACHABLE` where backends that could not be asked may have enough of them,
 *   `corrupt/SHARDS_INSUFFICIENT` otherwise
 */
export function tooFewShards({ redundancy }: ShardSet, good: number, losses: readonly ShardLoss[]): StoreError {
  const told = losses.map(
    ({ index, location, reason }) => `${index}${location ? ` on ${location.backend}` : ''} ${reason}`,
  );
  const unreachable = losses.filter(({ reason }) => reason === 'unreachable');
  const code = good + unreachable.length >= redundancy.k ? 'BACKEND_UNREACHABLE' : 'SHARDS_INSUFFICIENT';
  const message = `${redundancy.k} shards are needed, ${good} are good: ${told.join(', ')}`;
  return storeError(code, message, { details: { expected: redundancy.k, actual: good } });
}

/** Whether a read of a shard came to nothing. */
export function isLoss(fetched: Uint8Array | ShardLoss): fetched is ShardLoss {
  return !(fetched instanceof Uint8Array);
}

/** The loss of a shard whose bytes have the digest that the set names, and are not those that the content has. */
export function forgedLoss({ shards }: ShardSet, index: number): ShardLoss {
  const location = shards[index]?.location;
  const message = `shard ${index} was forged together with its digest`;
  return { index, reason: 'corrupt', ...(location && { location }), message };
}
