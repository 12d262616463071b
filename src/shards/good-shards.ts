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
  const states = { good: [] as number[], corrupt: [] as number[], missing: [] as number[] };
  for (const [index, { bytes }] of set.shards.entries()) {
    if (bytes === undefined) states.missing.push(index);
    else if (isShard(set, index, bytes)) states.good.push(index);
    else states.corrupt.push(index);
  }
  return states;
}

/** Whether bytes have the length and digest of a shard. */
export function isShard(set: ShardSet, index: number, bytes: Uint8Array): boolean {
  const digest = set.shards[index]?.digest;
  if (digest === undefined || bytes.length !== setShardBytes(set)) return false;
  return equalDigests(digestOf(set.algorithm, bytes), digest);
}

/** Bytes of each shard of a set. */
export function setShardBytes({ size, redundancy }: Pick<ShardSet, 'size' | 'redundancy'>): number {
  return shardBytesOf(size, redundancy.k);
}
