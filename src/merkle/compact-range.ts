/**
 * The frontier of a growing RFC 9162 tree (section 2.1.1): the roots of the largest complete subtrees over the leaves
 * so far, left to right. n leaves leave one root per one-bit of n, so memory is O(log n), and the tree hash of any
 * prefix can be had without its leaves.
 *
 *     leaves   frontier (leaves under each root)
 *          5   4 1
 *          6   4 2
 *          7   4 2 1
 *          8   8
 *
 * RFC 9162 splits n leaves after the largest power of two below n; folding the frontier from the right gives just that
 * tree. Nothing here knows what a leaf is: chunk leaves and the plain RFC 9162 leaves of its test vectors both fit.
 */

import { copyBytes } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { asDigest, type Digest } from '../hash/index.ts';
import type { TreeHashing } from './tree-hashing.ts';

/** The largest complete subtree that can start after this many leaves: the lowest one-bit of the count. */
export function alignedLeaves(leafCount: number): number {
  if (leafCount === 0) return Number.MAX_SAFE_INTEGER;
  let leaves = 1;
  while (leafCount % (2 * leaves) === 0) leaves *= 2;
  return leaves;
}

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

/** A tree that grows to the right, by leaves or by whole subtrees. */
export class CompactRange {
  readonly #hashing: TreeHashing;
  readonly #frontier: Digest[] = [];
  /** A subtree that is not complete; the last thing a tree can hold. */
  #partial: Digest | undefined;
  #leafCount = 0;

  constructor(hashing: TreeHashing) {
    this.#hashing = hashing;
  }

  /** Leaves so far, those under added subtrees included. */
  get leafCount(): number {
    return this.#leafCount;
  }

  /**
   * Adds the next leaf by its hash, or the next `leafCount` leaves by the tree hash over them: the result is the same
   * as if each had been added. A subtree must be a node of the final tree, so it has at most as many leaves as the
   * largest power of two that divides the leaves before it; when its leaves are not a power of two, it is the last.
   * At most log2(n) node hashes, one on average. The digest is copied.
   * @param leafCount default 1
   * @throws RangeError when a subtree cannot stand here, `invalid/DIGEST_INVALID` for a digest of a wrong length,
   *   `invalid/CHUNKS_INVALID` after a subtree that had to be the last; nothing was added then
   */
  append(digest: Digest, leafCount = 1): void {
    const hash = copyBytes(asDigest(digest, this.#hashing.algorithm)) as Digest;
    if (this.#partial) throw storeError('CHUNKS_INVALID', 'nothing can follow a subtree that is not complete');
    const max = Math.min(alignedLeaves(this.#leafCount), Number.MAX_SAFE_INTEGER - this.#leafCount);
    checkInteger('leafCount', leafCount, { min: 1, max });
    if (isPowerOfTwo(leafCount)) this.#merge(hash, leafCount);
    else this.#partial = hash;
    this.#leafCount += leafCount;
  }

  // Like a carry in binary addition: two neighbours of one size become one of twice the size.
  #merge(digest: Digest, leafCount: number): void {
    let merged = digest;
    for (let index = this.#leafCount / leafCount; index % 2 === 1; index = (index - 1) / 2) {
      const left = this.#frontier.pop() as Digest;
      merged = this.#hashing.hashNode(left, merged);
    }
    this.#frontier.push(merged);
  }

  /** Copies of the roots of the largest complete subtrees so far, left to right, then of what was not complete. */
  frontier(): Digest[] {
    const roots = this.#partial ? [...this.#frontier, this.#partial] : this.#frontier;
    return roots.map((root) => copyBytes(root) as Digest);
  }

  /** The tree hash over all leaves so far (RFC 9162: MTH). O(log n) hashes; more leaves may follow. */
  treeHash(): Digest {
    const roots = this.frontier();
    if (roots.length === 0) return this.#hashing.hashEmpty();
    return roots.reduceRight((right, left) => this.#hashing.hashNode(left, right));
  }
}
