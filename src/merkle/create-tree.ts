/** Trees from what they are about: data that is cut into leaves, digests, or shards. */

import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { asDigest, type Digest, type DigestAlgorithm } from '../hash/index.ts';
import { MERKLE_LEAF_BYTES, MERKLE_LEAF_BYTES_MAX } from '../limits.ts';
import { MerkleTree } from './merkle-tree.ts';
import { createTreeHashing, type TreeHashing } from './tree-hashing.ts';

/** How a tree hashes. */
export interface TreeOptions {
  /** Default `blake3`. */
  readonly algorithm?: DigestAlgorithm;
}

/** How data becomes leaves. */
export interface DataTreeOptions extends TreeOptions {
  /** Bytes of each leaf but the last, which is as short as it is; default `MERKLE_LEAF_BYTES`, 64 KiB. */
  readonly leafBytes?: number;
}

/** @throws TypeError or RangeError for what is no size of leaves */
export function checkLeafBytes(leafBytes: number = MERKLE_LEAF_BYTES): number {
  return checkInteger('leafBytes', leafBytes, { min: 1, max: MERKLE_LEAF_BYTES_MAX });
}

/**
 * The tree over data, cut into leaves of one size. Empty data has no leaves. Data that does not fit in memory:
 * `createRootHasher` gives the same root.
 * @throws TypeError or RangeError for data that is no `Uint8Array`, an unknown algorithm or a size of leaves outside 1
 *   to `MERKLE_LEAF_BYTES_MAX`
 * @example createDataTree(bytes, { leafBytes: 4096 }).proveInclusion(3)
 */
export function createDataTree(data: Uint8Array, options: DataTreeOptions = {}): MerkleTree {
  checkBytes('data', data);
  const leafBytes = checkLeafBytes(options.leafBytes);
  const leafCount = Math.ceil(data.length / leafBytes);
  const leaves = Array.from({ length: leafCount }, (_, index) =>
    data.subarray(index * leafBytes, (index + 1) * leafBytes),
  );
  return treeOver(createTreeHashing(options.algorithm), leaves);
}

/**
 * The tree whose leaves are digests of things that are elsewhere, of any algorithm. A digest is the data of its leaf
 * and hashed as such, so no node of a tree is ever taken for one.
 * @throws `invalid/DIGEST_INVALID` for bytes that have the length of no digest, TypeError or RangeError for an unknown
 *   algorithm
 */
export function createDigestTree(digests: Iterable<Digest>, options: TreeOptions = {}): MerkleTree {
  return treeOver(
    createTreeHashing(options.algorithm),
    Array.from(digests, (digest) => asDigest(digest)),
  );
}

/**
 * The tree whose leaves are shards, or whatever else comes in pieces of any length, whole.
 * @throws TypeError for a shard that is no `Uint8Array`, TypeError or RangeError for an unknown algorithm
 */
export function createShardTree(shards: Iterable<Uint8Array>, options: TreeOptions = {}): MerkleTree {
  if (shards instanceof Uint8Array) throw argumentTypeError('shards', 'a list of Uint8Array', shards);
  return treeOver(
    createTreeHashing(options.algorithm),
    Array.from(shards, (shard) => checkBytes('shard', shard)),
  );
}

function treeOver(hashing: TreeHashing, leaves: readonly Uint8Array[]): MerkleTree {
  const hashes = new Uint8Array(leaves.length * hashing.digestBytes);
  let totalLength = 0;
  for (const [index, leaf] of leaves.entries()) {
    hashes.set(hashing.hashLeaf(leaf), index * hashing.digestBytes);
    totalLength += leaf.length;
  }
  return new MerkleTree(hashing, hashes, totalLength);
}
