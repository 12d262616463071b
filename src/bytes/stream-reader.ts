import { concatBytes, EMPTY_BYTES } from './bytes.ts';

/**
 * Reads a stream of bytes in lengths of the reader's choice. What it holds beyond the piece that the source gave last is
 * no more than what `peek` or `take` were asked for. Not for concurrent use.
 */
export class StreamReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = EMPTY_BYTES;
  #offset = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Bytes given so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Makes the piece at hand longer than nothing; false at the end of the source. */
  async #fill(): Promise<boolean> {
    while (this.#piece.length === 0) {
      if (this.#ended) return false;
      const next = await this.#iterator.next();
      if (next.done) this.#ended = true;
      else this.#piece = next.value;
    }
    return true;
  }

  #give(length: number): Uint8Array {
    const given = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(length);
    this.#offset += length;
    return given;
  }

  /** What comes next, up to `max` bytes of it; empty only at the end. A view of what the source gave. */
  async some(max: number): Promise<Uint8Array> {
    return (await this.#fill()) ? this.#give(Math.min(max, this.#piece.length)) : EMPTY_BYTES;
  }

  /** Exactly `length` bytes, or fewer where the source ends. A view where the source gave them in one piece. */
  async take(length: number): Promise<Uint8Array> {
    if (this.#piece.length >= length) return this.#give(length);
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#give(Math.min(missing, this.#piece.length));
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : concatBytes(parts);
  }

  /** Like `take`, but the next call gives the same bytes again. */
  async peek(length: number): Promise<Uint8Array> {
    const taken = await this.take(length);
    this.#piece = this.#piece.length === 0 ? taken : concatBytes([taken, this.#piece]);
    this.#offset -= taken.length;
    return taken;
  }

  /** Passes over bytes. @returns how many there were: fewer than `length` where the source ends */
  async skip(length: number): Promise<number> {
    let skipped = 0;
    while (skipped < length && (await this.#fill())) {
      skipped += this.#give(Math.min(length - skipped, this.#piece.length)).length;
    }
    return skipped;
  }

  /** Everything that is left, piece by piece; ending it early closes the source. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = await this.some(Number.MAX_SAFE_INTEGER);
        if (piece.length === 0) return;
        yield piece;
      }
    } finally {
      await this.close();
    }
  }

  /** Tells the source that no more will be read, unless it has ended. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#piece = EMPTY_BYTES;
    await this.#iterator.return?.();
  }
}
