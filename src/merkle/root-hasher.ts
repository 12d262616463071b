import { storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { type Digest, type DigestAlgorithm, formatDigest, type Hasher } from '../hash/index.ts';
import { bindTreeRoot, type MerkleExtent } from './bound-root.ts';
import { CompactRange } from './compact-range.ts';
import { checkLeafBytes, type DataTreeOptions } from './create-tree.ts';
import { createTreeHashing, startLeaf, type TreeHashing } from './tree-hashing.ts';

/** What there is to know of a tree without its leaves. */
export interface TreeHead extends MerkleExtent {
  /** Text, as `MerkleTree.root` gives it. */
  readonly root: string;
  /** The tree hash of RFC 9162. */
  readonly treeHash: Digest;
}

/** Makes the root over data that arrives in pieces. How they are cut makes no difference to the root. */
export interface RootHasher {
  readonly algorithm: DigestAlgorithm;
  /**
   * Adds data. The array is read before the call returns, never kept or changed.
   * @returns the hasher itself
   * @throws TypeError when `data` is no `Uint8Array`, `invalid/HASHER_FINISHED` after `finish`
   */
  update(data: Uint8Array): this;
  /**
   * Ends the data.
   * @throws `invalid/HASHER_FINISHED` when called again
   */
  finish(): TreeHead;
}

class StreamRootHasher implements RootHasher {
  readonly #hashing: TreeHashing;
  readonly #leafBytes: number;
  readonly #range: CompactRange;
  /** The leaf that is not full yet, and what is in it; absent between leaves. */
  #leaf: Hasher | undefined;
  #filled = 0;
  #totalLength = 0;
  #isFinished = false;

  constructor(hashing: TreeHashing, leafBytes: number) {
    this.#hashing = hashing;
    this.#leafBytes = leafBytes;
    this.#range = new CompactRange(hashing);
  }

  get algorithm(): DigestAlgorithm {
    return this.#hashing.algorithm;
  }

  update(data: Uint8Array): this {
    this.#checkRunning();
    checkBytes('data', data);
    for (let start = 0; start < data.length; ) {
      const piece = data.subarray(start, start + this.#leafBytes - this.#filled);
      this.#add(piece);
      start += piece.length;
    }
    this.#totalLength += data.length;
    return this;
  }

  #add(piece: Uint8Array): void {
    // A leaf that arrives in one piece takes the quicker way.
    if (piece.length === this.#leafBytes) {
      this.#range.append(this.#hashing.hashLeaf(piece));
      return;
    }
    this.#leaf ??= startLeaf(this.algorithm);
    this.#leaf.update(piece);
    this.#filled += piece.length;
    if (this.#filled === this.#leafBytes) this.#closeLeaf();
  }

  #closeLeaf(): void {
    if (this.#leaf) this.#range.append(this.#leaf.digest());
    this.#leaf = undefined;
    this.#filled = 0;
  }

  finish(): TreeHead {
    this.#checkRunning();
    this.#isFinished = true;
    this.#closeLeaf();
    const extent = { totalLength: this.#totalLength, leafCount: this.#range.leafCount };
    const treeHash = this.#range.treeHash();
    return { ...extent, treeHash, root: formatDigest(this.algorithm, bindTreeRoot(this.#hashing, treeHash, extent)) };
  }

  #checkRunning(): void {
    if (this.#isFinished) throw storeError('HASHER_FINISHED', 'the root was given; make a new hasher for other data');
  }
}

/**
 * Starts the root over a stream of data: that of `createDataTree` over the whole, in O(log n) memory and with nothing
 * held back.
 * @throws TypeError or RangeError as `createDataTree`
 * @example createRootHasher({ leafBytes: 4096 }).update(head).update(tail).finish().root
 */
export function createRootHasher(options: DataTreeOptions = {}): RootHasher {
  return new StreamRootHasher(createTreeHashing(options.algorithm), checkLeafBytes(options.leafBytes));
}
