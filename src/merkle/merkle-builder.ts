import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { asDigest, type Digest, type DigestAlgorithm } from '../hash/index.ts';
import { bindEntryRoot } from './bound-root.ts';
import { hashChunkLeaf, type MerkleLeaf } from './chunk-leaf.ts';
import { CompactRange } from './compact-range.ts';
import { createTreeHashing, type TreeHashing } from './tree-hashing.ts';

/**
 * Builds the Merkle tree of an entry from its chunks in order, in O(log n) memory. Digests are copied.
 *
 * A builder may also build one aligned group of a larger tree (the chunks of one manifest leaf): add the group's chunks
 * with their offsets in the entry, take `treeHash()`, and add it to the builder of the whole with `addSubtree`.
 */
export interface MerkleBuilder {
  readonly algorithm: DigestAlgorithm;
  /** Leaves so far, those under added subtrees included. */
  readonly leafCount: number;
  /**
   * Adds the next chunk. It must start where the leaf before it ended; the first of a builder, and one after a subtree,
   * may start anywhere, because its place cannot be known here.
   * @param offset first byte of the chunk in the entry
   * @param length bytes of the chunk, at least 1
   * @param digest plain digest of the chunk, made with the algorithm of the tree
   * @throws `invalid/CHUNKS_INVALID` for a gap or an overlap or after an incomplete subtree, `invalid/DIGEST_INVALID`
   *   for a digest of another length, RangeError for a number that is no size; nothing was added then
   */
  addLeaf(offset: number, length: number, digest: Digest): this;
  /**
   * Adds the next `leafCount` chunks by the tree hash of a builder that was given just them; the result is the same as
   * if each had been added. A tree hash tells nothing of bytes: that the group follows what came before, the caller
   * has checked.
   * @param treeHash unbound tree hash, as `treeHash()` gives it, never a root
   * @param leafCount 1 to the largest power of two that divides the leaves so far (any number for the first group). If
   *   it is no power of two the group is the last
   * @throws RangeError when such a group cannot stand here, `invalid/CHUNKS_INVALID` after an incomplete subtree,
   *   `invalid/DIGEST_INVALID` for a digest of another length; nothing was added then
   */
  addSubtree(treeHash: Digest, leafCount: number): this;
  /** The unbound tree hash over what was added, for `addSubtree`; more may follow. Owned by the caller. */
  treeHash(): Digest;
  /**
   * The root of the entry: the tree hash bound to the total length and the number of chunks. More may follow.
   * @param totalLength bytes of the entry
   * @throws `invalid/CHUNKS_INVALID` when the leaves are seen not to cover 0 to `totalLength`: the first chunk starts
   *   elsewhere or the last ends elsewhere (a subtree in their place is not seen into)
   */
  root(totalLength: number): Digest;
}

function misplaced(message: string, expected: number, actual: number): Error {
  return storeError('CHUNKS_INVALID', `${message} ${expected}, not ${actual}`, { details: { expected, actual } });
}

class ChunkTreeBuilder implements MerkleBuilder {
  readonly #hashing: TreeHashing;
  readonly #range: CompactRange;
  /** Offset of leaf 0; `undefined` when it came in a subtree. */
  #start: number | undefined = 0;
  /** End of the last leaf; `undefined` when it came in a subtree. */
  #end: number | undefined = 0;

  constructor(hashing: TreeHashing) {
    this.#hashing = hashing;
    this.#range = new CompactRange(hashing);
  }

  get algorithm(): DigestAlgorithm {
    return this.#hashing.algorithm;
  }

  get leafCount(): number {
    return this.#range.leafCount;
  }

  addLeaf(offset: number, length: number, digest: Digest): this {
    checkInteger('offset', offset, { min: 0 });
    checkInteger('length', length, { min: 1, max: Number.MAX_SAFE_INTEGER - offset });
    asDigest(digest, this.algorithm);
    const isFirst = this.leafCount === 0;
    if (!isFirst && this.#end !== undefined && offset !== this.#end) {
      throw misplaced('the next chunk starts at', this.#end, offset);
    }
    this.#range.append(hashChunkLeaf(this.#hashing, { offset, length, digest }));
    if (isFirst) this.#start = offset;
    this.#end = offset + length;
    return this;
  }

  addSubtree(treeHash: Digest, leafCount: number): this {
    const isFirst = this.leafCount === 0;
    this.#range.append(treeHash, leafCount);
    if (isFirst) this.#start = undefined;
    this.#end = undefined;
    return this;
  }

  treeHash(): Digest {
    return this.#range.treeHash();
  }

  root(totalLength: number): Digest {
    checkInteger('totalLength', totalLength, { min: 0 });
    if (this.#start !== undefined && this.#start !== 0) throw misplaced('the first chunk starts at', 0, this.#start);
    if (this.#end !== undefined && this.#end !== totalLength) {
      throw misplaced('the last chunk ends at', totalLength, this.#end);
    }
    return bindEntryRoot(this.#hashing, this.treeHash(), { totalLength, leafCount: this.leafCount });
  }
}

/**
 * Starts the Merkle tree of an entry or of one aligned group of its chunks.
 * @param algorithm default `blake3`
 * @throws TypeError or RangeError for another algorithm
 * @example createMerkleBuilder().addLeaf(0, 5, first).addLeaf(5, 3, second).root(8)
 */
export function createMerkleBuilder(algorithm: DigestAlgorithm = 'blake3'): MerkleBuilder {
  return new ChunkTreeBuilder(createTreeHashing(algorithm));
}

/**
 * The root of an entry whose chunks are all at hand; the same as a builder's that was given them one by one.
 * @param totalLength bytes of the entry
 * @param algorithm default `blake3`
 * @throws as `MerkleBuilder.addLeaf` and `MerkleBuilder.root`
 */
export function merkleRoot(leaves: Iterable<MerkleLeaf>, totalLength: number, algorithm?: DigestAlgorithm): Digest {
  const builder = createMerkleBuilder(algorithm);
  for (const { offset, length, digest } of leaves) builder.addLeaf(offset, length, digest);
  return builder.root(totalLength);
}
