import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { type BackendLink, isUnreachable } from './backend-link.ts';

/**
 * Why a shard could not be used.
 * - `missing`: the backend says that it has none, the metadata that it lies nowhere, or its backend has left the store
 * - `corrupt`: what is there is not the shard
 * - `unreachable`: the backend could not be asked
 */
export type LossReason = 'missing' | 'corrupt' | 'unreachable';

/** A shard that a reader had to do without. */
export interface ShardLoss {
  readonly index: number;
  /** Number of the backend, 0 where it is on none. */
  readonly place: number;
  /** Name of the backend; absent where it is on none. */
  readonly backend?: string;
  readonly reason: LossReason;
  readonly error?: StoreError;
}

/** A loss on its way to whoever makes up for it. */
export class ShardLost extends Error {
  readonly loss: ShardLoss;

  constructor(loss: ShardLoss) {
    super(`shard ${loss.index} is ${loss.reason}`);
    this.loss = loss;
  }
}

/** The loss of a shard that should be on a backend. */
export function lostOn({ facts }: BackendLink, index: number, reason: LossReason, error?: StoreError): ShardLost {
  return new ShardLost({ index, place: facts.number, backend: facts.name, reason, ...(error && { error }) });
}

/** A shard on a backend. */
export interface ShardAt {
  readonly packId: Uint8Array;
  readonly index: number;
  readonly link: BackendLink;
}

/** The loss that an error of a backend, or of a shard's frame, means; every other error is thrown on. */
export function lossOf(error: unknown, { packId, index, link }: ShardAt): ShardLost {
  if (error instanceof ShardLost) return error;
  if (isStoreError(error, 'SHARD_CORRUPT')) return lostOn(link, index, 'corrupt', error);
  if (isStoreError(error, 'BACKEND_RANGE_INVALID')) {
    const { offset, length } = error.details;
    const details = {
      packId: toHex(packId),
      ...(offset !== undefined && { offset }),
      ...(length !== undefined && { length }),
    };
    const message = `shard ${index} of pack ${toHex(packId)} is shorter than it should be`;
    const short = storeError('SHARD_CORRUPT', message, { details, cause: error });
    return lostOn(link, index, 'corrupt', short);
  }
  if (isUnreachable(error)) return lostOn(link, index, 'unreachable', error);
  throw error;
}

/**
 * The error of a stripe of which fewer than k shards are good.
 * @returns `unavailable/BACKEND_UNREACHABLE` where backends that cannot be asked may have enough of them,
 *   `corrupt/SHARDS_INSUFFICIENT` otherwise; of a lone shard its own error
 */
export function tooFewShards(
  pack: { readonly id: Uint8Array; readonly k: number; readonly shards: number },
  losses: readonly ShardLoss[],
): StoreError {
  const [first] = losses;
  if (pack.shards === 1 && first?.error) return first.error;
  const packId = toHex(pack.id);
  const good = pack.shards - losses.length;
  const unreachable = losses.filter(({ reason }) => reason === 'unreachable');
  const told = losses.map(
    ({ index, backend, reason }) => `shard ${index}${backend ? ` on ${backend}` : ''} is ${reason}`,
  );
  const message = `pack ${packId} needs ${pack.k} of its ${pack.shards} shards, ${good} are good: ${told.join(', ')}`;
  const details = { packId, expected: pack.k, actual: good };
  const cause = losses.find(({ error }) => error)?.error;
  const code = good + unreachable.length >= pack.k ? 'BACKEND_UNREACHABLE' : 'SHARDS_INSUFFICIENT';
  return storeError(code, message, { details, ...(cause && { cause }) });
}
