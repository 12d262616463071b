import { equalBytes, fromHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { createHasher, type Hasher } from '../hash/index.ts';
import { parseRangeProof, type RangeProof, verifyRangeProof } from './range-proof.ts';

/** Checks the bytes of proven chunks as they arrive in pieces, in constant memory. */
export interface RangeDataCheck {
  /**
   * Adds bytes: those of `coveredRange(proof)` from its front. The array is neither kept nor changed.
   * @throws TypeError when `data` is no `Uint8Array`, `invalid/HASHER_FINISHED` after `finish`
   */
  update(data: Uint8Array): this;
  /**
   * Ends the bytes.
   * @returns whether they are those of the proven chunks, all of them and nothing more
   * @throws `invalid/HASHER_FINISHED` when called again
   */
  finish(): boolean;
}

class ChunkDataCheck implements RangeDataCheck {
  readonly #proof: RangeProof;
  /** False for ever once anything was wrong. */
  #isSound: boolean;
  #position = 0;
  #filled = 0;
  #hasher: Hasher | undefined;
  #isFinished = false;

  constructor(proof: RangeProof, isProven: boolean) {
    this.#proof = proof;
    this.#isSound = isProven;
  }

  update(data: Uint8Array): this {
    this.#checkRunning();
    checkBytes('data', data);
    for (let start = 0; start < data.length && this.#isSound; ) {
      const chunk = this.#proof.chunks[this.#position];
      if (!chunk) {
        this.#isSound = false;
        return this;
      }
      const piece = data.subarray(start, start + chunk.length - this.#filled);
      this.#hasher ??= createHasher(this.#proof.algorithm);
      this.#hasher.update(piece);
      this.#filled += piece.length;
      start += piece.length;
      if (this.#filled === chunk.length) this.#closeChunk(this.#hasher, chunk.digest);
    }
    return this;
  }

  #closeChunk(hasher: Hasher, expected: string): void {
    const digest = fromHex(expected);
    this.#isSound = digest !== undefined && equalBytes(hasher.digest(), digest);
    this.#hasher = undefined;
    this.#filled = 0;
    this.#position += 1;
  }

  finish(): boolean {
    this.#checkRunning();
    this.#isFinished = true;
    return this.#isSound && this.#position === this.#proof.chunks.length;
  }

  #checkRunning(): void {
    if (this.#isFinished) throw storeError('HASHER_FINISHED', 'the check has given its answer; make a new one');
  }
}

/**
 * Starts a check of the bytes that a range proof is about. The proof itself is verified first: one that proves nothing
 * makes every answer false.
 * @throws as `verifyRangeProof`
 */
export function createRangeDataCheck(proof: string | RangeProof, root: string): RangeDataCheck {
  const parsed = parseRangeProof(proof);
  return new ChunkDataCheck(parsed, verifyRangeProof(parsed, root));
}

/**
 * Tells whether bytes at hand are those of an entry at the place that a proof says.
 * @param root from a source the verifier trusts: the text that `stat` gives
 * @param data the bytes of `coveredRange(proof)`: whole chunks, which a range is a part of
 * @throws as `verifyRangeProof`, and TypeError when `data` is no `Uint8Array`
 */
export function verifyRangeData(proof: string | RangeProof, root: string, data: Uint8Array): boolean {
  return createRangeDataCheck(proof, root).update(data).finish();
}
