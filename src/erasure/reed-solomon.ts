import { equalBytes } from '../bytes/bytes.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { ERASURE_COLUMN_BYTES } from '../limits.ts';
import { CoefficientCache } from './coefficient-cache.ts';
import type { GfKernel } from './kernel/gf-kernel.ts';
import { gfKernel } from './kernel/gf-wasm.ts';
import { checkRedundancy, type Redundancy } from './redundancy.ts';
import { checkShardArrays, type ShardArrays, shardsInsufficient, shardsInvalid } from './shard-arrays.ts';

/** A range of byte columns: the same bytes of every shard. */
export interface ColumnRange {
  /** First column, from 0. */
  readonly offset: number;
  /** Columns, from 0. */
  readonly length: number;
}

/**
 * The Reed-Solomon code of one redundancy: systematic (the first k shards are the data), and any k shards restore all
 * others. Byte-compatible with `New(k, m)` of klauspost/reedsolomon and with Backblaze's JavaReedSolomon; what the code is
 * stands in `interpolation.ts`.
 *
 * Works on the caller's arrays, in place, and keeps none of them. Shards must not overlap in memory. Columns are
 * independent: whoever has only some columns of the shards passes arrays of just those. It corrects losses at known places
 * (erasures); it does not find wrong bytes, for which shards carry digests. Synchronous; any number may be in use side
 * by side.
 */
export interface ReedSolomon {
  readonly k: number;
  readonly m: number;
  /**
   * Makes the parity of the data: reads the first k shards, overwrites the other m.
   * @param shards k + m arrays of one length, which may be 0
   * @throws `invalid/SHARDS_INVALID` for another number of shards or different lengths, TypeError for what is no array of
   *   bytes; nothing was written then
   */
  encode(shards: readonly Uint8Array[]): void;
  /**
   * Whether the parity is that of the data. Writes nothing. With a wrong shard among them it is false, without saying
   * which.
   * @throws as `encode`
   */
  verify(shards: readonly Uint8Array[]): boolean;
  /**
   * Makes missing shards anew, data and parity alike, from k that are there.
   * @param shards k + m places of arrays of one length. Those named by `missing` are overwritten, the others are read;
   *   `undefined` is a shard that neither is there nor is wanted
   * @param missing indexes of the shards to make, each of which has an array; none for nothing to do
   * @param columns the columns to make; default all. Other columns stay as they are, of the shards that are read too
   * @throws `corrupt/SHARDS_INSUFFICIENT` when fewer than k shards are there, `invalid/SHARDS_INVALID` as `encode` and for
   *   a missing shard without an array, TypeError or RangeError for indexes and columns; nothing was written then
   * @example code.reconstruct([lost, second, third, parity], [0]) // for 3+1: fills `lost`
   */
  reconstruct(shards: ShardArrays, missing: readonly number[], columns?: ColumnRange): void;
}

function indexesFrom(start: number, end: number): readonly number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function cut(shards: readonly Uint8Array[], start: number, end: number): readonly Uint8Array[] {
  return shards.map((shard) => shard.subarray(start, end));
}

class KernelCode implements ReedSolomon {
  readonly k: number;
  readonly m: number;
  readonly #kernel: GfKernel;
  readonly #data: readonly number[];
  readonly #parity: readonly number[];
  readonly #cache = new CoefficientCache();

  constructor({ k, m }: Redundancy, kernel: GfKernel) {
    this.k = k;
    this.m = m;
    this.#kernel = kernel;
    this.#data = indexesFrom(0, k);
    this.#parity = indexesFrom(k, k + m);
  }

  encode(shards: readonly Uint8Array[]): void {
    this.#checkAll(shards);
    this.#multiply(shards.slice(0, this.k), shards.slice(this.k));
  }

  verify(shards: readonly Uint8Array[]): boolean {
    const length = this.#checkAll(shards);
    const [data, parity] = [shards.slice(0, this.k), shards.slice(this.k)];
    const scratch = parity.map(() => new Uint8Array(Math.min(length, ERASURE_COLUMN_BYTES)));
    for (let start = 0; start < length; start += ERASURE_COLUMN_BYTES) {
      const end = Math.min(length, start + ERASURE_COLUMN_BYTES);
      const made = cut(scratch, 0, end - start);
      this.#multiply(cut(data, start, end), made);
      if (!parity.every((shard, index) => equalBytes(shard.subarray(start, end), made[index]!))) return false;
    }
    return true;
  }

  reconstruct(shards: ShardArrays, missing: readonly number[], columns?: ColumnRange): void {
    const length = checkShardArrays(shards, this.k + this.m);
    const targets = this.#checkMissing(shards, missing);
    const offset = checkInteger('columns.offset', columns?.offset ?? 0, { min: 0, max: length });
    const count = checkInteger('columns.length', columns?.length ?? length - offset, { min: 0, max: length - offset });
    const present = indexesFrom(0, shards.length).filter((at) => shards[at] !== undefined && !targets.includes(at));
    if (present.length < this.k) throw shardsInsufficient(this.k, present.length);
    if (targets.length === 0) return;
    const sources = present.slice(0, this.k);
    const [inputs, outputs] = [sources, targets].map((indexes) => {
      const arrays = indexes.map((index) => shards[index] as Uint8Array);
      return count === length ? arrays : cut(arrays, offset, offset + count);
    });
    this.#kernel.multiply(this.#cache.get(sources, targets), inputs!, outputs!);
  }

  #multiply(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void {
    if (this.m > 0) this.#kernel.multiply(this.#cache.get(this.#data, this.#parity), data, parity);
  }

  #checkAll(shards: readonly Uint8Array[]): number {
    const length = checkShardArrays(shards, this.k + this.m);
    for (const [index, shard] of shards.entries()) {
      if (shard === undefined) throw argumentTypeError(`shards[${index}]`, 'a Uint8Array', shard);
    }
    return length;
  }

  #checkMissing(shards: ShardArrays, missing: readonly number[]): readonly number[] {
    if (!Array.isArray(missing)) throw argumentTypeError('missing', 'an array of indexes', missing);
    const targets = [...new Set(missing)].sort((a, b) => a - b);
    for (const index of targets) {
      checkInteger('missing', index, { min: 0, max: shards.length - 1 });
      if (shards[index] === undefined) throw shardsInvalid(`shard ${index} has no array to be made in`, {});
    }
    return targets;
  }
}

/**
 * The Reed-Solomon code of a redundancy. Cheap to make; one that is kept remembers the coefficients it used, up to 1 MiB.
 * @throws `invalid/REDUNDANCY_INVALID`, TypeError as `checkRedundancy`
 * @example createReedSolomon({ k: 3, m: 2 }).encode([a, b, c, parity1, parity2])
 */
export function createReedSolomon(redundancy: Redundancy): ReedSolomon {
  return createReedSolomonOver(redundancy, gfKernel());
}

/** As `createReedSolomon`, over a kernel of choice. */
export function createReedSolomonOver(redundancy: Redundancy, kernel: GfKernel): ReedSolomon {
  checkRedundancy(redundancy);
  return new KernelCode(redundancy, kernel);
}
