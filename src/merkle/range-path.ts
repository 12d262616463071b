/**
 * Paths of leaf ranges: the fewest tree hashes from which, with the leaves a to b between them, the tree hash over all
 * n can be made. On the left those of the frontier over the first a leaves, on the right the largest subtrees that can
 * follow, so at most 2 log2(n) of them. A range of no leaves has one hash: the tree's.
 *
 *     leaves 5 and 6 of 11    left  0..3  4      right  7  8..10
 */

import { invariant } from '../errors/store-error.ts';
import type { Digest } from '../hash/index.ts';
import { alignedLeaves, CompactRange } from './compact-range.ts';
import type { TreeHashing } from './tree-hashing.ts';

/** Leaves under the largest node of a tree of n leaves that starts at leaf `start`. */
function nodeLeaves(start: number, leafCount: number): number {
  return Math.min(alignedLeaves(start), leafCount - start);
}

/** Gathers a path while the tree is walked once, left to right, by leaves or whole subtrees. */
export class RangePathBuilder {
  readonly #hashing: TreeHashing;
  readonly #leafCount: number;
  readonly #left: CompactRange;
  readonly #right: Digest[] = [];
  /** The node on the right that is being put together, and where it starts. */
  #open: CompactRange;
  #openStart = 0;

  constructor(hashing: TreeHashing, leafCount: number) {
    this.#hashing = hashing;
    this.#leafCount = leafCount;
    this.#left = new CompactRange(hashing);
    this.#open = new CompactRange(hashing);
  }

  /** Adds a subtree in front of the range. */
  before(treeHash: Digest, leafCount: number): void {
    this.#left.append(treeHash, leafCount);
    this.#openStart = this.#left.leafCount;
  }

  /** Passes over a leaf of the range, which whoever checks the path has. */
  skip(): void {
    this.#openStart += 1;
  }

  /** Adds a subtree behind the range. */
  after(treeHash: Digest, leafCount: number): void {
    const size = nodeLeaves(this.#openStart, this.#leafCount);
    this.#open.append(treeHash, leafCount);
    invariant(this.#open.leafCount <= size, 'subtrees do not reach beyond the nodes of the tree');
    if (this.#open.leafCount < size) return;
    this.#right.push(this.#open.treeHash());
    this.#open = new CompactRange(this.#hashing);
    this.#openStart += size;
  }

  /** The path, left to right, when every leaf was added or passed over. */
  path(): readonly Digest[] {
    invariant(this.#openStart === this.#leafCount, 'a path is over all leaves of its tree');
    return [...this.#left.frontier(), ...this.#right];
  }
}

/** Some neighbouring leaves of a tree, and the path around them. */
export interface LeafRange {
  /** Of the first leaf in the range. */
  readonly firstIndex: number;
  readonly leafCount: number;
  readonly leafHashes: readonly Digest[];
  readonly path: readonly Digest[];
}

/**
 * The tree hash to which a range of leaves and its path lead.
 * @returns `undefined` when the range is not inside the tree, or the path has other hashes than it needs
 */
export function treeHashAround(hashing: TreeHashing, range: LeafRange): Digest | undefined {
  const { firstIndex, leafCount, leafHashes, path } = range;
  if (firstIndex + leafHashes.length > leafCount) return undefined;
  const tree = new CompactRange(hashing);
  let used = 0;
  const takeNode = (end: number): boolean => {
    const node = path[used];
    if (!node) return false;
    tree.append(node, nodeLeaves(tree.leafCount, end));
    used += 1;
    return true;
  };
  for (const leftSize of oneBits(firstIndex)) if (!takeNode(tree.leafCount + leftSize)) return undefined;
  for (const leaf of leafHashes) tree.append(leaf);
  while (tree.leafCount < leafCount) if (!takeNode(leafCount)) return undefined;
  return used === path.length ? tree.treeHash() : undefined;
}

/** The one-bits of a count, highest first: the sizes of the frontier. */
function oneBits(count: number): readonly number[] {
  const bits: number[] = [];
  let bit = 1;
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2), bit *= 2) if (rest % 2 === 1) bits.unshift(bit);
  return bits;
}
