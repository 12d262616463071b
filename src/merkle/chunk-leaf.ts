/**
 * The leaf of a chunk in the Merkle tree of an entry, on top of `tree-hashing.ts`. Integers are u64 little-endian.
 *
 *     leaf   H(0x00, offset, length, digest)     one chunk: its place in the entry, its plain digest
 *
 * A leaf holds its place, so a chunk proves *where* it belongs. The root is that of `bound-root.ts`.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import type { Digest } from '../hash/index.ts';
import type { TreeHashing } from './tree-hashing.ts';

/** One chunk as a leaf. */
export interface MerkleLeaf {
  /** First byte of the chunk in the entry. */
  readonly offset: number;
  /** Bytes of the chunk, at least 1. */
  readonly length: number;
  /** Plain digest of the chunk, made with the algorithm of the tree. */
  readonly digest: Digest;
}

/** The hash of a chunk's leaf. The caller has checked the fields. */
export function hashChunkLeaf(hashing: TreeHashing, leaf: MerkleLeaf): Digest {
  const data = new BinaryWriter(16 + hashing.digestBytes).u64(leaf.offset).u64(leaf.length).put(leaf.digest);
  return hashing.hashLeaf(data.bytes);
}
