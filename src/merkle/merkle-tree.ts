/**
 * A whole Merkle tree in memory, to make proofs from: RFC 9162, sections 2.1.3.1 and 2.1.4.1.
 *
 * RFC 9162 splits n leaves after the largest power of two below n. That is the same tree as pairing neighbours level by
 * level and letting an odd last node go up as it is, which is how the levels are kept here. (Pairing an odd node with
 * itself instead, as Bitcoin does, gives [a,b,c] and [a,b,c,c] one hash: CVE-2012-2459.)
 *
 *     5 leaves   a b c d e
 *                ab  cd  e
 *                abcd    e
 *                abcde
 *
 * Memory: twice the leaf hashes. What needs no proofs takes `createRootHasher` or `CompactRange` instead.
 */

import { toHex } from '../bytes/bytes.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { type Digest, type DigestAlgorithm, equalDigests, formatDigest } from '../hash/index.ts';
import { MERKLE_DOCUMENT_LEAVES_MAX } from '../limits.ts';
import { bindTreeRoot, type MerkleExtent } from './bound-root.ts';
import type { ConsistencyProof } from './consistency-proof.ts';
import type { InclusionProof } from './inclusion-proof.ts';
import type { MerkleTreeDocument } from './tree-document.ts';
import type { TreeHashing } from './tree-hashing.ts';

/**
 * A tree that does not change. Made by `createDataTree`, `createDigestTree`, `createShardTree` or `parseMerkleTree`.
 */
export class MerkleTree {
  /** Bytes of all leaves together; the root binds them. */
  readonly totalLength: number;
  readonly #hashing: TreeHashing;
  /** Hashes back to back, leaves first; the last level has one node, or none in a tree without leaves. */
  readonly #levels: readonly Uint8Array[];

  /** @param leafHashes hashes of the leaves back to back; kept, so no one may change them */
  constructor(hashing: TreeHashing, leafHashes: Uint8Array, totalLength: number) {
    this.totalLength = totalLength;
    this.#hashing = hashing;
    this.#levels = levelsOver(hashing, leafHashes);
  }

  get algorithm(): DigestAlgorithm {
    return this.#hashing.algorithm;
  }

  get leafCount(): number {
    return this.#nodeCount(0);
  }

  /** Levels from leaves to the tree hash, both counted: 1 for one leaf or none, 3 for four. */
  get height(): number {
    return this.#levels.length;
  }

  /** The tree hash (RFC 9162: MTH), which tells neither length nor number of leaves. Owned by the caller. */
  treeHash(): Digest {
    return this.leafCount === 0 ? this.#hashing.hashEmpty() : this.#node(this.height - 1, 0);
  }

  /** The root that proofs are verified against, as text: the tree hash with total length and number of leaves. */
  root(): string {
    return formatDigest(this.algorithm, bindTreeRoot(this.#hashing, this.treeHash(), this));
  }

  /**
   * The hash of a leaf. Owned by the caller.
   * @throws TypeError or RangeError when there is no such leaf
   */
  leafHash(leafIndex: number): Digest {
    return this.#node(0, this.#checkLeaf(leafIndex));
  }

  /**
   * Tells whether a leaf holds this data.
   * @param leafIndex from 0; there is nothing at an index that is none, so the answer is false
   * @throws TypeError when `data` is no `Uint8Array`
   */
  verifyLeaf(leafIndex: number, data: Uint8Array): boolean {
    checkBytes('data', data);
    if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= this.leafCount) return false;
    return equalDigests(this.#hashing.hashLeaf(data), this.#node(0, leafIndex));
  }

  /**
   * Hashes beside the way from a leaf up to the tree hash.
   * @throws TypeError or RangeError when there is no such leaf
   * @see RFC 9162, section 2.1.3.1
   */
  inclusionPath(leafIndex: number): readonly Digest[] {
    return this.#siblingsAbove(0, this.#checkLeaf(leafIndex));
  }

  /**
   * Hashes from which both the tree hash over the first leaves and that over all can be made.
   * @param firstCount 1 to `leafCount`
   * @throws TypeError or RangeError for another count
   * @see RFC 9162, section 2.1.4.1
   */
  consistencyPath(firstCount: number): readonly Digest[] {
    checkInteger('firstCount', firstCount, { min: 1, max: this.leafCount });
    if (firstCount === this.leafCount) return [];
    // Up to the largest complete subtree that ends where the first tree ends.
    let level = 0;
    let index = firstCount - 1;
    for (; index % 2 === 1; index = (index - 1) / 2) level += 1;
    const above = this.#siblingsAbove(level, index);
    return index === 0 ? above : [this.#node(level, index), ...above];
  }

  /**
   * Proves that a leaf stands at its place, against `root()`: for `verifyInclusion`.
   * @throws TypeError or RangeError when there is no such leaf
   */
  proveInclusion(leafIndex: number): InclusionProof {
    return Object.freeze({
      type: 'holdfast inclusion proof',
      version: 1,
      algorithm: this.algorithm,
      leafIndex,
      leafCount: this.leafCount,
      totalLength: this.totalLength,
      path: Object.freeze(this.inclusionPath(leafIndex).map(toHex)),
    });
  }

  /**
   * Proves that an earlier tree is the front of this one, against both roots: for `verifyConsistency`.
   * @param first what the earlier root binds; a tree does not know how many bytes its first leaves have, so a wrong
   *   length gives a proof that is refused
   * @throws TypeError or RangeError for a count that is none, or a length above that of this tree
   */
  proveConsistency(first: MerkleExtent): ConsistencyProof {
    const { leafCount, totalLength } = first;
    checkInteger('first.totalLength', totalLength, { min: 0, max: this.totalLength });
    const path = this.consistencyPath(leafCount);
    return Object.freeze({
      type: 'holdfast consistency proof',
      version: 1,
      algorithm: this.algorithm,
      first: Object.freeze({ leafCount, totalLength, treeHash: toHex(this.#treeHashOf(leafCount)) }),
      second: Object.freeze({
        leafCount: this.leafCount,
        totalLength: this.totalLength,
        treeHash: toHex(this.treeHash()),
      }),
      path: Object.freeze(path.map(toHex)),
    });
  }

  /**
   * The tree as a JSON document, from which `parseMerkleTree` makes it again.
   * @throws RangeError for more than `MERKLE_DOCUMENT_LEAVES_MAX` leaves
   */
  toJSON(): MerkleTreeDocument {
    const { leafCount } = this;
    if (leafCount > MERKLE_DOCUMENT_LEAVES_MAX) {
      throw argumentRangeError('leafCount', `at most ${MERKLE_DOCUMENT_LEAVES_MAX} in a document`, leafCount);
    }
    return Object.freeze({
      type: 'holdfast merkle tree',
      version: 1,
      algorithm: this.algorithm,
      totalLength: this.totalLength,
      leaves: Object.freeze(Array.from({ length: leafCount }, (_, index) => toHex(this.#node(0, index)))),
      root: this.root(),
    });
  }

  #checkLeaf(leafIndex: number): number {
    return checkInteger('leafIndex', leafIndex, { min: 0, max: this.leafCount - 1 });
  }

  #nodeCount(level: number): number {
    return (this.#levels[level]?.length ?? 0) / this.#hashing.digestBytes;
  }

  /** A copy: callers own what they get. */
  #node(level: number, index: number): Digest {
    const { digestBytes } = this.#hashing;
    return this.#levels[level]?.slice(index * digestBytes, (index + 1) * digestBytes) as Digest;
  }

  #siblingsAbove(fromLevel: number, fromIndex: number): Digest[] {
    const siblings: Digest[] = [];
    let index = fromIndex;
    for (let level = fromLevel; level < this.height - 1; level += 1) {
      const sibling = index % 2 === 1 ? index - 1 : index + 1;
      if (sibling < this.#nodeCount(level)) siblings.push(this.#node(level, sibling));
      index = Math.floor(index / 2);
    }
    return siblings;
  }

  /** The tree hash over the first leaves: its one-bits are complete nodes here, joined from the right. */
  #treeHashOf(leafCount: number): Digest {
    let hash: Digest | undefined;
    let nodes = leafCount;
    for (let level = 0; nodes > 0; level += 1, nodes = Math.floor(nodes / 2)) {
      if (nodes % 2 === 0) continue;
      const node = this.#node(level, nodes - 1);
      hash = hash === undefined ? node : this.#hashing.hashNode(node, hash);
    }
    return hash ?? this.#hashing.hashEmpty();
  }
}

function levelsOver(hashing: TreeHashing, leafHashes: Uint8Array): readonly Uint8Array[] {
  const levels = [leafHashes];
  for (let level = leafHashes; level.length > hashing.digestBytes; ) {
    level = levelAbove(hashing, level);
    levels.push(level);
  }
  return levels;
}

function levelAbove({ digestBytes, hashNode }: TreeHashing, level: Uint8Array): Uint8Array {
  const nodeCount = level.length / digestBytes;
  const above = new Uint8Array(Math.ceil(nodeCount / 2) * digestBytes);
  const node = (index: number) => level.subarray(index * digestBytes, (index + 1) * digestBytes) as Digest;
  for (let index = 0; index + 1 < nodeCount; index += 2) {
    above.set(hashNode(node(index), node(index + 1)), (index / 2) * digestBytes);
  }
  if (nodeCount % 2 === 1) above.set(node(nodeCount - 1), above.length - digestBytes);
  return above;
}
