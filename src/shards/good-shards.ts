import { shardBytesOf } from '../erasure/index.ts';
import { digestOf, equalDigests } from '../hash/index.ts';
import type { ShardSet } from './shard-set.ts';

/** The shards of a set by what their own bytes and digests tell. Indexes in order. */
export interface ShardStates {
  /** The bytes have the digest that the set names. A forged shard may be among them, with a forged digest. */
  readonly good: readonly number[];
  /** There are bytes, of another digest or length. */
  readonly corrupt: readonly number[];
  readonly missing: readonly number[];
}

/** Hashes every shard of a set whose shape was checked. */
export function shardStates(set: ShardSet): ShardStates {
  const shardBytes = shardBytesOf(set.size, set.redundancy.k);
  const states = { good: [] as number[], corrupt: [] as number[], missing: [] as number[] };
  for (const [index, { bytes, digest }] of set.shards.entries()) {
    if (bytes === undefined) states.missing.push(index);
    else if (bytes.length !== shardBytes || !equalDigests(digestOf(set.algorithm, bytes), digest)) {
      states.corrupt.push(index);
    } else states.good.push(index);
  }
  return states;
}
