import { argumentTypeError } from '../errors/argument-error.ts';
import type { Redundancy } from './redundancy.ts';
import { createReedSolomon, type ReedSolomon } from './reed-solomon.ts';
import { shardsInvalid } from './shard-arrays.ts';
import { columnBytesOf, type StreamOptions, shardBytesOf } from './stripe-layout.ts';

/** The next bytes of every shard of a stream. */
export interface ShardBlock {
  /** Where they lie in each shard. */
  readonly offset: number;
  /** k + m arrays of one length, data first. The caller's own; they share one buffer. */
  readonly shards: readonly Uint8Array[];
}

/**
 * Makes shards of content that comes in pieces, of any length, in bounded memory. What the shards hold depends on the
 * content and the settings alone, never on how it is split into pushes; `stripe-layout.ts` has the layout.
 */
export interface ShardEncoder {
  /** Bytes of content so far: what a decoder has to be told. */
  readonly length: number;
  /**
   * Takes the next bytes of the content; they are neither changed nor kept.
   * @returns the blocks that are complete now, in order
   * @throws TypeError when `bytes` is no Uint8Array, `invalid/SHARDS_INVALID` after `finish`
   */
  push(bytes: Uint8Array): ShardBlock[];
  /**
   * Ends the content.
   * @returns the last block, if any bytes are left; it is shorter than the others, or as long
   * @throws `invalid/SHARDS_INVALID` when called again
   */
  finish(): ShardBlock[];
}

class BlockEncoder implements ShardEncoder {
  readonly #code: ReedSolomon;
  readonly #columnBytes: number;
  /** Room for a whole block of data with its parity behind it, since the first byte of it came. */
  #block: Uint8Array | undefined;
  #filled = 0;
  #offset = 0;
  #length = 0;
  #finished = false;

  constructor(code: ReedSolomon, columnBytes: number) {
    this.#code = code;
    this.#columnBytes = columnBytes;
  }

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): ShardBlock[] {
    if (!(bytes instanceof Uint8Array)) throw argumentTypeError('bytes', 'a Uint8Array', bytes);
    this.#assertOpen();
    const { k, m } = this.#code;
    const blockBytes = k * this.#columnBytes;
    const blocks: ShardBlock[] = [];
    for (let from = 0; from < bytes.length; ) {
      this.#block ??= new Uint8Array((k + m) * this.#columnBytes);
      const part = bytes.subarray(from, from + blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === blockBytes) blocks.push(this.#encode(this.#block));
    }
    this.#length += bytes.length;
    return blocks;
  }

  finish(): ShardBlock[] {
    this.#assertOpen();
    this.#finished = true;
    return this.#block === undefined ? [] : [this.#encode(this.#block)];
  }

  // Memory comes zeroed, so the padding of a last block is in place.
  #encode(block: Uint8Array): ShardBlock {
    const bytes = shardBytesOf(this.#filled, this.#code.k);
    const count = this.#code.k + this.#code.m;
    const shards = Array.from({ length: count }, (_, index) => block.subarray(index * bytes, (index + 1) * bytes));
    this.#code.encode(shards);
    const offset = this.#offset;
    this.#offset += bytes;
    this.#block = undefined;
    this.#filled = 0;
    return { offset, shards };
  }

  #assertOpen(): void {
    if (this.#finished) throw shardsInvalid('the content of this encoder has ended', {});
  }
}

/**
 * Starts the shards of one content.
 * @throws as `createReedSolomon`; TypeError or RangeError for a `columnBytes` out of its range
 * @example for (const { shards } of [...encoder.push(bytes), ...encoder.finish()]) await writeAll(shards)
 */
export function createShardEncoder(redundancy: Redundancy, options: StreamOptions = {}): ShardEncoder {
  return new BlockEncoder(createReedSolomon(redundancy), columnBytesOf(options));
}
