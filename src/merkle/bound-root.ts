/**
 * The roots that are handed out: a tree hash together with how much it covers. All integers are u64 little-endian.
 *
 *     entry   H(0x02, total length, leaf count, tree hash)     a tree over chunks
 *     tree    H(0x03, total length, leaf count, tree hash)     any other tree
 *
 * A tree hash alone does not tell how many leaves there are: leaf 0 has one and the same path in trees of 5, 6, 7 and 8
 * leaves. So a root binds the count and the length, and its first byte keeps it from being taken for a node, or the
 * root of one kind for one of the other.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { type Digest, digestOf, equalDigests, parseDigest } from '../hash/index.ts';
import type { TreeHashing } from './tree-hashing.ts';

const ENTRY_PREFIX = 0x02;
const TREE_PREFIX = 0x03;

/** What a root binds besides the tree hash. */
export interface MerkleExtent {
  /** Bytes of the entry, or of all leaves. */
  readonly totalLength: number;
  readonly leafCount: number;
}

/** The root of a tree over chunks. The caller has checked the fields. */
export function bindEntryRoot(hashing: TreeHashing, treeHash: Digest, extent: MerkleExtent): Digest {
  return bindRoot(ENTRY_PREFIX, hashing, { treeHash, extent });
}

/** The root of a tree over anything but chunks. The caller has checked the fields. */
export function bindTreeRoot(hashing: TreeHashing, treeHash: Digest, extent: MerkleExtent): Digest {
  return bindRoot(TREE_PREFIX, hashing, { treeHash, extent });
}

function bindRoot(
  prefix: number,
  hashing: TreeHashing,
  { treeHash, extent }: { readonly treeHash: Digest; readonly extent: MerkleExtent },
): Digest {
  const bound = new BinaryWriter(17 + hashing.digestBytes)
    .u8(prefix)
    .u64(extent.totalLength)
    .u64(extent.leafCount)
    .put(treeHash);
  return digestOf(hashing.algorithm, bound.bytes);
}

/**
 * Tells whether a computed root is the one somebody trusts.
 * @param trusted text, `algorithm:hex`
 * @throws `invalid/DIGEST_INVALID` when `trusted` is no digest
 */
export function isRoot(hashing: TreeHashing, computed: Digest, trusted: string): boolean {
  const { algorithm, digest } = parseDigest(trusted);
  return algorithm === hashing.algorithm && equalDigests(computed, digest);
}
