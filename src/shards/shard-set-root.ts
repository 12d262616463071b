import { invariant } from '../errors/store-error.ts';
import type { Digest, DigestAlgorithm } from '../hash/index.ts';
import { merkleRoot } from '../merkle/index.ts';
import { setShardBytes } from './good-shards.ts';
import type { ShardSet } from './shard-set.ts';

/**
 * The Merkle root of a shard set: that of the shards laid end to end, each of them a chunk. It binds how many shards
 * there are, their length, and the digest and place of each; so one shard can be proven to belong, like a range of an
 * entry.
 * @param digests of all shards, in order, made with `algorithm`
 * @param shardBytes bytes of each; of empty shards the root is that of empty content
 */
export function shardSetRoot(digests: readonly Digest[], shardBytes: number, algorithm: DigestAlgorithm): Digest {
  invariant(digests.length > 0, 'a set has shards');
  const leaves = digests.map((digest, index) => ({ offset: index * shardBytes, length: shardBytes, digest }));
  return merkleRoot(shardBytes === 0 ? [] : leaves, digests.length * shardBytes, algorithm);
}

/** The root of the digests that a set names, which its own root should be. */
export function namedRoot({ shards, size, redundancy, algorithm }: Omit<ShardSet, 'root'>): Digest {
  const digests = shards.map(({ digest }) => digest);
  return shardSetRoot(digests, setShardBytes({ size, redundancy }), algorithm);
}
