/**
 * Inclusion paths of RFC 9162, section 2.1.3: the hashes beside the way from a leaf up to the tree hash. A path proves
 * for a tree of a *known* number of leaves; whoever has the number from the path's maker too must bind it, as the roots
 * of `bound-root.ts` do.
 */

import { type Digest, equalDigests } from '../hash/index.ts';
import type { TreeHashing } from './tree-hashing.ts';

/** A leaf, its place, and the hashes beside its way up. */
export interface InclusionPath {
  readonly leafHash: Digest;
  /** From 0. */
  readonly leafIndex: number;
  readonly leafCount: number;
  /** Bottom up. */
  readonly path: readonly Digest[];
}

/**
 * The tree hash to which a leaf and its path lead. At most 53 hashes.
 * @returns `undefined` when there is no such leaf, the path is too short or too long for it, or holds other than
 *   digests of the tree
 * @see RFC 9162, section 2.1.3.2, steps 1 to 5
 */
export function treeHashAbove(hashing: TreeHashing, inclusion: InclusionPath): Digest | undefined {
  const { leafHash, leafIndex, leafCount, path } = inclusion;
  const isNode = (digest: Digest) => digest.length === hashing.digestBytes;
  if (!isPlace(leafIndex, leafCount) || !isNode(leafHash) || !path.every(isNode)) return undefined;
  let hash = leafHash;
  let index = leafIndex;
  let lastIndex = leafCount - 1;
  for (const sibling of path) {
    if (lastIndex === 0) return undefined;
    if (index % 2 === 1 || index === lastIndex) {
      hash = hashing.hashNode(sibling, hash);
      // The last node of a level with an odd number goes up alone; its sibling is the first left of it higher up.
      while (index % 2 === 0) {
        index /= 2;
        lastIndex = Math.floor(lastIndex / 2);
      }
    } else {
      hash = hashing.hashNode(hash, sibling);
    }
    index = Math.floor(index / 2);
    lastIndex = Math.floor(lastIndex / 2);
  }
  return lastIndex === 0 ? hash : undefined;
}

function isPlace(leafIndex: number, leafCount: number): boolean {
  return Number.isSafeInteger(leafCount) && Number.isSafeInteger(leafIndex) && leafIndex >= 0 && leafIndex < leafCount;
}

/**
 * Tells whether a leaf stands at its place in the tree of a known hash and number of leaves, as logs of Certificate
 * Transparency publish them.
 * @returns false for any flaw, digests of another length included
 * @see RFC 9162, section 2.1.3.2
 */
export function verifyInclusionPath(hashing: TreeHashing, inclusion: InclusionPath, treeHash: Digest): boolean {
  const computed = treeHashAbove(hashing, inclusion);
  return computed !== undefined && equalDigests(computed, treeHash);
}
