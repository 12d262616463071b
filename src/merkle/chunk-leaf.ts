/**
 * What the Merkle tree of an entry is made of, on top of `tree-hashing.ts`. All integers are u64 little-endian.
 *
 *     leaf   H(0x00, offset, length, digest)                  one chunk: its place in the entry, its plain digest
 *     root   H(0x02, total length, leaf count, tree hash)     what is handed out
 *
 * A leaf holds its place, so a chunk proves *where* it belongs. The tree hash alone does not tell how many leaves there
 * are: leaf 0 has one and the same path in trees of 5, 6, 7 and 8 leaves. So the root binds the count and the length,
 * and its first byte keeps it from being taken for a node.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { type Digest, digestOf } from '../hash/index.ts';
import { TREE_DIGEST_BYTES, type TreeHashing } from './tree-hashing.ts';

const ROOT_PREFIX = 0x02;

/** One chunk as a leaf. */
export interface MerkleLeaf {
  /** First byte of the chunk in the entry. */
  readonly offset: number;
  /** Bytes of the chunk, at least 1. */
  readonly length: number;
  /** Plain digest of the chunk, 32 bytes. */
  readonly digest: Digest;
}

/** What a root binds besides the tree hash. */
export interface MerkleExtent {
  /** Bytes of the entry. */
  readonly totalLength: number;
  readonly leafCount: number;
}

/** The hash of a chunk's leaf. The caller has checked the fields. */
export function hashChunkLeaf(hashing: TreeHashing, leaf: MerkleLeaf): Digest {
  const data = new BinaryWriter(16 + TREE_DIGEST_BYTES).u64(leaf.offset).u64(leaf.length).put(leaf.digest);
  return hashing.hashLeaf(data.bytes);
}

/** The root that is handed out for a tree hash. The caller has checked the fields. */
export function bindRoot(hashing: TreeHashing, treeHash: Digest, extent: MerkleExtent): Digest {
  const bound = new BinaryWriter(17 + TREE_DIGEST_BYTES)
    .u8(ROOT_PREFIX)
    .u64(extent.totalLength)
    .u64(extent.leafCount)
    .put(treeHash);
  return digestOf(hashing.algorithm, bound.bytes);
}
