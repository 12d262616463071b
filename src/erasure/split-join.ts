/** Content in memory to the shards of one stripe and back; `stripe-layout.ts` has the layout. */
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import type { ReedSolomon } from './reed-solomon.ts';
import { checkShardArrays, type ShardArrays, shardsInvalid } from './shard-arrays.ts';
import { shardBytesOf } from './stripe-layout.ts';

/**
 * Splits content into data shards and makes their parity.
 * @param content copied
 * @returns k + m arrays of `shardBytesOf(content.length, k)` bytes, data first; the caller's own, in one buffer
 * @throws TypeError when `content` is no Uint8Array
 * @example splitIntoShards(createReedSolomon({ k: 3, m: 2 }), content)
 */
export function splitIntoShards(code: ReedSolomon, content: Uint8Array): Uint8Array[] {
  if (!(content instanceof Uint8Array)) throw argumentTypeError('content', 'a Uint8Array', content);
  const bytes = shardBytesOf(content.length, code.k);
  const buffer = new Uint8Array((code.k + code.m) * bytes);
  buffer.set(content);
  const count = code.k + code.m;
  const shards = Array.from({ length: count }, (_, index) => buffer.subarray(index * bytes, (index + 1) * bytes));
  code.encode(shards);
  return shards;
}

/**
 * Gives content back from any k of its shards: copied where data shards are at hand, decoded where they are not. Believes
 * the bytes it is given: check their digests first.
 * @param shards k + m places, `undefined` for those not at hand; read only
 * @param length bytes of the content
 * @returns the content, the caller's own
 * @throws `corrupt/SHARDS_INSUFFICIENT` for fewer than k shards; `invalid/SHARDS_INVALID` for another number of places and
 *   shards of another length than the content gives; TypeError for what is no array of bytes
 */
export function joinShards(code: ReedSolomon, shards: ShardArrays, length: number): Uint8Array {
  const bytes = shardBytesOf(checkInteger('length', length, { min: 0 }), code.k);
  const actual = checkShardArrays(shards, code.k + code.m);
  if (actual !== bytes && shards.some((shard) => shard !== undefined)) {
    const details = { expected: bytes, actual };
    throw shardsInvalid(`these are shards of ${bytes} bytes, not of ${actual}`, details);
  }
  const content = new Uint8Array(code.k * bytes);
  const places = [...shards];
  const missing: number[] = [];
  for (let index = 0; index < code.k; index += 1) {
    const place = content.subarray(index * bytes, (index + 1) * bytes);
    const shard = shards[index];
    if (shard === undefined) missing.push(index);
    else place.set(shard);
    places[index] = shard ?? place;
  }
  code.reconstruct(places, missing);
  return content.subarray(0, length);
}
