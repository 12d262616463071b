import { toHex } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { asDigest, type Digest, type DigestAlgorithm } from '../hash/index.ts';
import { PROOF_CHUNKS_MAX } from '../limits.ts';
import type { MerkleExtent } from './bound-root.ts';
import { hashChunkLeaf, type MerkleLeaf } from './chunk-leaf.ts';
import { RangePathBuilder } from './range-path.ts';
import type { ByteRange, ProvenChunk, RangeProof } from './range-proof.ts';
import { createTreeHashing, type TreeHashing } from './tree-hashing.ts';

/** What a range proof is made for. */
export interface RangeProverOptions extends MerkleExtent {
  /** Must end inside the entry. */
  readonly range: ByteRange;
  /** Default `blake3`. */
  readonly algorithm?: DigestAlgorithm;
}

/**
 * Makes a range proof while the chunks of an entry go by in order. What the range does not touch may be added as whole
 * subtrees, as inner manifest nodes list them; so a proof of a long entry needs few of its nodes.
 */
export interface RangeProver {
  /** Whether the range touches any of the next `length` bytes; if so they must be added chunk by chunk. */
  touchesNext(length: number): boolean;
  /**
   * Adds the next chunk, which starts where what was added before it ended.
   * @param length bytes, at least 1
   * @param digest plain digest; copied
   * @throws `invalid/CHUNKS_INVALID` beyond the end of the entry, `invalid/RANGE_INVALID` when the range touches more
   *   than `PROOF_CHUNKS_MAX` chunks, `invalid/DIGEST_INVALID` for a digest of another length, RangeError for a length
   *   of none
   */
  addChunk(length: number, digest: Digest): this;
  /**
   * Adds the next `leafCount` chunks, of `length` bytes together, by their tree hash.
   * @throws as `addChunk`, and `invalid/CHUNKS_INVALID` when the range touches them; RangeError when such a subtree
   *   cannot stand here
   */
  addSubtree(treeHash: Digest, subtree: { readonly length: number; readonly leafCount: number }): this;
  /**
   * The proof: plain frozen JSON.
   * @throws `invalid/CHUNKS_INVALID` when what was added is not the whole entry
   */
  finish(): RangeProof;
}

class ChunkRangeProver implements RangeProver {
  readonly #hashing: TreeHashing;
  readonly #extent: MerkleExtent;
  readonly #start: number;
  readonly #end: number;
  readonly #path: RangePathBuilder;
  readonly #chunks: ProvenChunk[] = [];
  #offset = 0;
  #index = 0;
  /** Where the first touched chunk stands. */
  #first = { index: 0, offset: 0 };

  constructor(hashing: TreeHashing, { range, totalLength, leafCount }: RangeProverOptions) {
    this.#hashing = hashing;
    this.#extent = { totalLength, leafCount };
    // An empty range lies before everything, wherever it was asked for: its proof is the shortest.
    this.#start = range.length === 0 ? 0 : range.offset;
    this.#end = range.length === 0 ? 0 : range.offset + range.length;
    this.#path = new RangePathBuilder(hashing, leafCount);
  }

  touchesNext(length: number): boolean {
    return this.#offset < this.#end && this.#offset + length > this.#start;
  }

  addChunk(length: number, digest: Digest): this {
    this.#checkNext(length, 1);
    asDigest(digest, this.#hashing.algorithm);
    if (!this.touchesNext(length)) return this.#pass(this.#leafHash(length, digest), length, 1);
    if (this.#chunks.length === PROOF_CHUNKS_MAX) {
      throw storeError('RANGE_INVALID', `a proof holds at most ${PROOF_CHUNKS_MAX} chunks; prove the range in parts`, {
        details: { offset: this.#start, length: this.#end - this.#start, size: this.#extent.totalLength },
      });
    }
    if (this.#chunks.length === 0) this.#first = { index: this.#index, offset: this.#offset };
    this.#chunks.push(Object.freeze({ length, digest: toHex(digest) }));
    this.#path.skip();
    this.#advance(length, 1);
    return this;
  }

  addSubtree(treeHash: Digest, subtree: { readonly length: number; readonly leafCount: number }): this {
    const { length, leafCount } = subtree;
    this.#checkNext(length, leafCount);
    asDigest(treeHash, this.#hashing.algorithm);
    if (this.touchesNext(length)) throw storeError('CHUNKS_INVALID', 'the range touches a subtree: add its chunks');
    return this.#pass(treeHash, length, leafCount);
  }

  #leafHash(length: number, digest: Digest): Digest {
    const leaf: MerkleLeaf = { offset: this.#offset, length, digest };
    return hashChunkLeaf(this.#hashing, leaf);
  }

  #checkNext(length: number, leafCount: number): void {
    checkInteger('length', length, { min: 1 });
    checkInteger('leafCount', leafCount, { min: 1 });
    const { totalLength } = this.#extent;
    if (length > totalLength - this.#offset || leafCount > this.#extent.leafCount - this.#index) {
      throw storeError('CHUNKS_INVALID', 'chunks reach beyond the end of their entry', {
        details: { offset: this.#offset, length, size: totalLength },
      });
    }
  }

  #pass(treeHash: Digest, length: number, leafCount: number): this {
    if (this.#offset < this.#start) this.#path.before(treeHash, leafCount);
    else this.#path.after(treeHash, leafCount);
    this.#advance(length, leafCount);
    return this;
  }

  #advance(length: number, leafCount: number): void {
    this.#offset += length;
    this.#index += leafCount;
  }

  finish(): RangeProof {
    const { totalLength, leafCount } = this.#extent;
    if (this.#offset !== totalLength || this.#index !== leafCount) {
      throw storeError('CHUNKS_INVALID', `chunks end at ${this.#offset}, their entry at ${totalLength}`, {
        details: { expected: totalLength, actual: this.#offset },
      });
    }
    return Object.freeze({
      type: 'holdfast range proof',
      version: 1,
      algorithm: this.#hashing.algorithm,
      size: totalLength,
      chunkCount: leafCount,
      ...this.#first,
      chunks: Object.freeze(this.#chunks),
      path: Object.freeze(this.#path.path().map(toHex)),
    });
  }
}

/**
 * Starts a range proof of an entry.
 * @throws `invalid/RANGE_INVALID` for a range over the end, TypeError or RangeError for what is no range, no size or an
 *   unknown algorithm
 */
export function createRangeProver(options: RangeProverOptions): RangeProver {
  const { range, totalLength, leafCount } = options;
  checkInteger('totalLength', totalLength, { min: 0 });
  checkInteger('leafCount', leafCount, { min: Math.min(1, totalLength), max: totalLength });
  checkInteger('range.offset', range.offset, { min: 0 });
  checkInteger('range.length', range.length, { min: 0 });
  if (range.offset > totalLength || range.length > totalLength - range.offset) {
    throw storeError('RANGE_INVALID', `the range ends beyond the ${totalLength} bytes of the entry`, {
      details: { offset: range.offset, length: range.length, size: totalLength },
    });
  }
  return new ChunkRangeProver(createTreeHashing(options.algorithm), options);
}

/**
 * Proves a range of an entry whose chunks are all at hand.
 * @throws as `createRangeProver` and `RangeProver.addChunk`; `invalid/CHUNKS_INVALID` too when a chunk does not start
 *   where the one before it ended
 */
export function proveRange(
  leaves: readonly MerkleLeaf[],
  range: ByteRange,
  algorithm: DigestAlgorithm = 'blake3',
): RangeProof {
  const totalLength = leaves.reduce((sum, { length }) => sum + length, 0);
  const prover = createRangeProver({ totalLength, leafCount: leaves.length, range, algorithm });
  let end = 0;
  for (const { offset, length, digest } of leaves) {
    if (offset !== end) {
      throw storeError('CHUNKS_INVALID', `the next chunk starts at ${end}, not ${offset}`, {
        details: { expected: end, actual: offset },
      });
    }
    prover.addChunk(length, digest);
    end += length;
  }
  return prover.finish();
}
