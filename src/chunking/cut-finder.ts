/**
 * Finds where the chunks of one content stream end, seeing each byte once and keeping none. The chunker in front of it
 * keeps the bytes.
 */
export interface CutFinder {
  /** No chunk is longer. */
  readonly chunkBytesMax: number;
  /**
   * Takes `bytes` from index `from` to their end as the next bytes of the current chunk.
   *
   * After a cut the next chunk is current and begins at its first byte: if that byte lies in `bytes`, call again with
   * its index. A cut may also lie a byte before `from`, in what an earlier call took; that byte counts as taken, and
   * the call is repeated with the same `from`.
   * @returns the length of the current chunk, if it is known now; -1 if all bytes are taken and none ends it
   */
  next(bytes: Uint8Array, from: number): number;
}

/** Cuts every `chunkBytesMax` bytes. */
export class FixedCutFinder implements CutFinder {
  readonly chunkBytesMax: number;
  #taken = 0;

  constructor(chunkBytes: number) {
    this.chunkBytesMax = chunkBytes;
  }

  next(bytes: Uint8Array, from: number): number {
    const available = bytes.length - from;
    if (this.#taken + available >= this.chunkBytesMax) {
      this.#taken = 0;
      return this.chunkBytesMax;
    }
    this.#taken += available;
    return -1;
  }
}
