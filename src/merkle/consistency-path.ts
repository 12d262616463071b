/**
 * Consistency paths of RFC 9162, section 2.1.4: the hashes from which both the tree hash over the first m leaves and
 * the one over all n can be made, so that the larger tree is seen to begin with the smaller one.
 */

import { type Digest, equalDigests } from '../hash/index.ts';
import type { TreeHashing } from './tree-hashing.ts';

/** A tree as its hash and number of leaves. */
export interface TreeSize {
  readonly leafCount: number;
  readonly treeHash: Digest;
}

/** Two trees, of which the first is meant to be the front of the second. */
export interface ConsistencyPath {
  readonly first: TreeSize;
  readonly second: TreeSize;
  /** Bottom up; empty for trees of one size. */
  readonly path: readonly Digest[];
}

/**
 * Tells whether one tree is the front of another: all its leaves are the first ones there, in the same order. A tree is
 * the front of itself; one of no leaves would be the front of everything, which proves nothing and is refused.
 * @returns false for any flaw, digests of another length included
 * @see RFC 9162, section 2.1.4.2
 */
export function verifyConsistencyPath(hashing: TreeHashing, consistency: ConsistencyPath): boolean {
  const { first, second, path } = consistency;
  const counts = [first.leafCount, second.leafCount];
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0)) return false;
  if (first.leafCount > second.leafCount) return false;
  if (first.leafCount === second.leafCount) return path.length === 0 && equalDigests(first.treeHash, second.treeHash);
  const digests = [first.treeHash, second.treeHash, ...path];
  return digests.every(({ length }) => length === hashing.digestBytes) && leadsToBoth(hashing, consistency);
}

/** Steps 2 to 8 of section 2.1.4.2, for 0 < first < second. */
function leadsToBoth(hashing: TreeHashing, { first, second, path }: ConsistencyPath): boolean {
  let index = first.leafCount - 1;
  let lastIndex = second.leafCount - 1;
  const up = () => {
    index = Math.floor(index / 2);
    lastIndex = Math.floor(lastIndex / 2);
  };
  while (index % 2 === 1) up();
  // A first tree that is one node of the second is known already, and its hash left out of the path.
  const [start, ...rest] = index === 0 ? [first.treeHash, ...path] : path;
  if (!start) return false;
  let firstHash = start;
  let secondHash = start;
  for (const sibling of rest) {
    if (lastIndex === 0) return false;
    if (index % 2 === 1 || index === lastIndex) {
      firstHash = hashing.hashNode(sibling, firstHash);
      secondHash = hashing.hashNode(sibling, secondHash);
      while (index % 2 === 0 && index > 0) up();
    } else {
      secondHash = hashing.hashNode(secondHash, sibling);
    }
    up();
  }
  return lastIndex === 0 && equalDigests(firstHash, first.treeHash) && equalDigests(secondHash, second.treeHash);
}
