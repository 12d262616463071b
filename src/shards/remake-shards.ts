import { createReedSolomon, splitIntoShards } from '../erasure/index.ts';
import { digestOf, equalDigests } from '../hash/index.ts';
import type { ShardStates } from './good-shards.ts';
import type { SetShard, ShardSet } from './shard-set.ts';

/** The shards that content has, held against those of a set. */
export interface RemadeShards {
  /** All of them, made anew. */
  readonly shards: readonly SetShard[];
  /** Those of the set, judged by the content: a shard that was forged together with its digest is corrupt. */
  readonly states: ShardStates;
}

/** Makes all shards of a set anew from its content. @param own what the shards' own digests told */
export function remakeShards(set: ShardSet, own: ShardStates, content: Uint8Array): RemadeShards {
  const made = splitIntoShards(createReedSolomon(set.redundancy), content);
  const shards = made.map((bytes) => ({ bytes, digest: digestOf(set.algorithm, bytes) }));
  const isForged = (index: number) => !equalDigests(set.shards[index]!.digest, shards[index]!.digest);
  const good = own.good.filter((index) => !isForged(index));
  const corrupt = [...own.corrupt, ...own.good.filter(isForged)].sort((a, b) => a - b);
  return { shards, states: { good, corrupt, missing: own.missing } };
}
