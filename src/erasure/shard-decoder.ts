import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import type { Redundancy } from './redundancy.ts';
import { type ColumnRange, createReedSolomon, type ReedSolomon } from './reed-solomon.ts';
import { type ShardArrays, shardsInvalid } from './shard-arrays.ts';
import { joinShards } from './split-join.ts';
import { columnBytesOf, type StreamOptions, shardBytesOf } from './stripe-layout.ts';

/** What a decoder must know besides the redundancy. */
export interface ShardDecoderOptions extends StreamOptions {
  /** Bytes of the content, as the encoder counted them. */
  readonly length: number;
}

/**
 * Gives content back from any k of its shards, block by block in bounded memory. Which shards are at hand may change from
 * block to block. It believes the bytes it is given: check their digests first.
 */
export interface ShardDecoder {
  /** The columns that the next `push` needs of k shards; `undefined` when the content is complete. */
  readonly next: ColumnRange | undefined;
  /**
   * Takes the columns `next` of the shards.
   * @param shards k + m places, `undefined` for those not at hand; read only
   * @returns the content of the block, the caller's own
   * @throws `corrupt/SHARDS_INSUFFICIENT` for fewer than k; `invalid/SHARDS_INVALID` for wrong lengths or numbers, and when
   *   the content is complete; TypeError for what is no array of bytes. The decoder stays where it was then
   */
  push(shards: ShardArrays): Uint8Array;
}

class BlockDecoder implements ShardDecoder {
  readonly #code: ReedSolomon;
  readonly #columnBytes: number;
  readonly #length: number;
  #offset = 0;
  #decoded = 0;

  constructor(code: ReedSolomon, length: number, columnBytes: number) {
    this.#code = code;
    this.#length = length;
    this.#columnBytes = columnBytes;
  }

  get next(): ColumnRange | undefined {
    const rest = this.#length - this.#decoded;
    if (rest === 0) return undefined;
    return { offset: this.#offset, length: Math.min(this.#columnBytes, shardBytesOf(rest, this.#code.k)) };
  }

  push(shards: ShardArrays): Uint8Array {
    const { next } = this;
    if (next === undefined) throw shardsInvalid('the content is complete', {});
    const length = Math.min(this.#code.k * next.length, this.#length - this.#decoded);
    const content = joinShards(this.#code, shards, length);
    this.#offset += next.length;
    this.#decoded += length;
    return content;
  }
}

/**
 * Starts to read one content back.
 * @throws as `createReedSolomon`; TypeError or RangeError for a length or `columnBytes` out of its range
 * @example while (decoder.next) yield decoder.push(await readColumns(decoder.next))
 */
export function createShardDecoder(redundancy: Redundancy, options: ShardDecoderOptions): ShardDecoder {
  if (typeof options !== 'object' || options === null) throw argumentTypeError('options', 'an object', options);
  const length = checkInteger('length', options.length, { min: 0 });
  return new BlockDecoder(createReedSolomon(redundancy), length, columnBytesOf(options));
}
