import { createReedSolomon, joinShards, type ReedSolomon } from '../erasure/index.ts';
import { shardsInsufficient } from '../erasure/shard-arrays.ts';
import { storeError } from '../errors/store-error.ts';
import { digestOf, equalDigests } from '../hash/index.ts';
import { SHARD_SET_CHOICES_MAX, SHARD_SET_CHOICES_MIN, SHARD_SET_WORK_BYTES_MAX } from '../limits.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { scatteredChoices } from './choices.ts';
import { type ShardStates, shardStates } from './good-shards.ts';
import { checkShardSet, type ShardSet } from './shard-set.ts';

/** Where times come from. */
export interface ShardSetOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Content that was restored, and how. */
export interface DecodedShardSet {
  /** The content; its digest is the one the set names. The caller's own. */
  readonly content: Uint8Array;
  /** Indexes of the k shards it was restored from. */
  readonly used: readonly number[];
  /** Indexes of shards whose bytes have another digest or length than they must have. */
  readonly corrupt: readonly number[];
  readonly missing: readonly number[];
  /** Choices of k shards that were decoded: more than one when a shard is forged together with its digest. */
  readonly choices: number;
  readonly elapsedMs: number;
}

/**
 * Restores the content of a set from any k good shards. Shards with a wrong digest are dropped. When those that are left do
 * not give the content whose digest the set names, one of them was forged together with its digest, and other choices of
 * k are tried: all of them up to 10,000, fewer for large sets (16 GiB of work, at least 32 choices).
 * @throws `corrupt/SHARDS_INSUFFICIENT` when fewer than k shards have their digest; `corrupt/SHARD_SET_CORRUPT` when no
 *   choice that was tried gives the content; `invalid/SHARD_SET_INVALID` for what is no shard set
 */
export function decodeShardSet(set: ShardSet, options: ShardSetOptions = {}): DecodedShardSet {
  checkShardSet(set);
  const { clock = systemClock } = options;
  const start = clock.monotonicMs();
  const states = shardStates(set);
  const found = findContent(set, states);
  const { corrupt, missing } = states;
  return { ...found, corrupt, missing, elapsedMs: clock.monotonicMs() - start };
}

/**
 * Decodes a set whose shape was checked and whose shards were hashed.
 * @throws `corrupt/SHARDS_INSUFFICIENT`, `corrupt/SHARD_SET_CORRUPT`
 */
export function findContent(set: ShardSet, { good }: ShardStates) {
  const code = createReedSolomon(set.redundancy);
  if (good.length < code.k) throw shardsInsufficient(code.k, good.length);
  let choices = 0;
  for (const choice of scatteredChoices(good.length, code.k, choicesMax(set.size))) {
    choices += 1;
    const used = choice.map((at) => good[at]!);
    const content = decode(code, set, used);
    if (equalDigests(digestOf(set.algorithm, content), set.digest)) return { content, used, choices };
  }
  throw storeError('SHARD_SET_CORRUPT', 'no choice of its shards gives the content that the shard set names', {
    details: { actual: choices },
  });
}

function choicesMax(size: number): number {
  const affordable = Math.floor(SHARD_SET_WORK_BYTES_MAX / Math.max(1, size));
  return Math.min(SHARD_SET_CHOICES_MAX, Math.max(SHARD_SET_CHOICES_MIN, affordable));
}

function decode(code: ReedSolomon, set: ShardSet, used: readonly number[]): Uint8Array {
  const shards = set.shards.map(({ bytes }, index) => (used.includes(index) ? bytes : undefined));
  return joinShards(code, shards, set.size);
}
