import { argumentTypeError } from '../errors/argument-error.ts';
import { type ErrorDetails, storeError } from '../errors/store-error.ts';

/** One array a shard; `undefined` for one that is not at hand. */
export type ShardArrays = readonly (Uint8Array | undefined)[];

/** The error of shards that cannot belong together. */
export function shardsInvalid(message: string, details: ErrorDetails): Error {
  return storeError('SHARDS_INVALID', message, { details });
}

/** The error of too few shards. */
export function shardsInsufficient(expected: number, actual: number): Error {
  const message = `needs ${expected} good shards, has ${actual}`;
  return storeError('SHARDS_INSUFFICIENT', message, { details: { expected, actual } });
}

/**
 * Checks the shards of one stripe against each other.
 * @param count how many places there must be
 * @returns their common length in bytes; 0 when none is at hand
 * @throws `invalid/SHARDS_INVALID` for another number of places or different lengths, TypeError for what is no array
 */
export function checkShardArrays(shards: ShardArrays, count: number): number {
  if (!Array.isArray(shards)) throw argumentTypeError('shards', 'an array', shards);
  if (shards.length !== count) {
    const details = { expected: count, actual: shards.length };
    throw shardsInvalid(`there are ${count} shards, not ${shards.length}`, details);
  }
  let expected: number | undefined;
  for (const [index, shard] of shards.entries()) {
    if (shard === undefined) continue;
    if (!(shard instanceof Uint8Array)) throw argumentTypeError(`shards[${index}]`, 'a Uint8Array', shard);
    expected ??= shard.length;
    if (shard.length === expected) continue;
    const details = { expected, actual: shard.length };
    throw shardsInvalid(`shard ${index} has ${shard.length} bytes where another has ${expected}`, details);
  }
  return expected ?? 0;
}
