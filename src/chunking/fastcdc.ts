/**
 * FastCDC, 2020 version: gear hash, no test below the minimum, a stricter mask below the average than above it
 * (normalised chunking), a hard maximum. Cuts where fastcdc-rs 4 (`v2020`) cuts, for every setting and seed.
 *
 * Source: Wen Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage Systems",
 * IEEE TPDS 31 (9), 2020, sections 3.3 to 3.7; the masks are those of fastcdc-rs.
 *
 * The paper's section 3.7 rolls two bytes a step. One byte a step gives the same hashes, so only two effects of the
 * pairs are left, and both decide cut points: bounds are rounded down to even, and a byte at an even index counts only
 * if the chunk may hold the byte after it too.
 *
 * Invariant: cut points depend on the bytes since the last cut alone, never on how they were handed in.
 */
import type { CutFinder } from './cut-finder.ts';
import { gearTable } from './gear-table.ts';
import type { GearRoll, ScanKernel } from './kernel/scan-kernel.ts';
import type { FastCdcSpec } from './spec.ts';

/**
 * By the number of bits that decide, from 5 on: they are spread, as the paper measured that to find more duplicates.
 */
const MASKS: readonly bigint[] = [
  0x0000000001804110n,
  0x0000000001803110n,
  0x0000000018035100n,
  0x0000001800035300n,
  0x0000019000353000n,
  0x0000590003530000n,
  0x0000d90003530000n,
  0x0000d90103530000n,
  0x0000d90303530000n,
  0x0000d90313530000n,
  0x0000d90f03530000n,
  0x0000d90303537000n,
  0x0000d90703537000n,
  0x0000d90707537000n,
  0x0000d91707537000n,
  0x0000d91747537000n,
  0x0000d91767537000n,
  0x0000d93767537000n,
  0x0000d93777537000n,
  0x0000d93777577000n,
  0x0000db3777577000n,
];
const MASK_BITS_MIN = 5;

/** The bytes of a chunk before `end` that are tested against one mask. */
interface Phase {
  readonly end: number;
  readonly maskHi: number;
  readonly maskLo: number;
}

function phase(end: number, bits: number): Phase {
  const mask = MASKS[bits - MASK_BITS_MIN]!;
  return { end: roundDownToEven(end), maskHi: Number(mask >> 32n), maskLo: Number(mask & 0xffffffffn) };
}

function roundDownToEven(count: number): number {
  return count - (count % 2);
}

export class FastCdcFinder implements CutFinder {
  readonly chunkBytesMax: number;
  readonly #kernel: ScanKernel;
  readonly #roll: GearRoll;
  readonly #testedFrom: number;
  readonly #phases: readonly Phase[];
  /** Bytes of the current chunk taken so far. */
  #taken = 0;
  /** An even index at which the current chunk ends if another byte follows; -1 if there is none. */
  #pendingCut = -1;

  /** @param spec one that `checkChunking` accepts */
  constructor(spec: FastCdcSpec, kernel: ScanKernel) {
    const bits = Math.round(Math.log2(spec.avg));
    this.chunkBytesMax = spec.max;
    this.#kernel = kernel;
    this.#testedFrom = roundDownToEven(spec.min);
    this.#phases = [phase(spec.avg, bits + spec.normalisation), phase(spec.max, bits - spec.normalisation)];
    this.#roll = { table: gearTable(spec.seed), maskHi: 0, maskLo: 0, hashHi: 0, hashLo: 0 };
  }

  next(bytes: Uint8Array, from: number): number {
    if (this.#pendingCut >= 0 && from < bytes.length) return this.#cut(this.#pendingCut, 1);
    const origin = from - this.#taken;
    const end = Math.min(bytes.length, origin + this.chunkBytesMax);
    const fired = this.#scan(bytes, { origin, from, end });
    if (fired >= 0) {
      if (fired % 2 === 1 || origin + fired + 1 < end) return this.#cut(fired, 0);
      this.#pendingCut = fired;
    } else if (end - origin === this.chunkBytesMax) {
      return this.#cut(this.chunkBytesMax, 0);
    }
    this.#taken = end - origin;
    return -1;
  }

  #cut(length: number, takenOfNext: number): number {
    this.#taken = takenOfNext;
    this.#pendingCut = -1;
    this.#roll.hashHi = 0;
    this.#roll.hashLo = 0;
    return length;
  }

  /**
   * Tests `bytes` from `from` to `end`, the current chunk having begun at `origin` (which may be negative).
   * @returns the index within the chunk of the first byte that fires, or -1
   */
  #scan(bytes: Uint8Array, range: { readonly origin: number; readonly from: number; readonly end: number }): number {
    const { origin, from, end } = range;
    let at = Math.max(from, origin + this.#testedFrom);
    for (const { end: phaseEnd, maskHi, maskLo } of this.#phases) {
      const stop = Math.min(end, origin + phaseEnd);
      if (at >= stop) continue;
      this.#roll.maskHi = maskHi;
      this.#roll.maskLo = maskLo;
      const fired = this.#kernel.gear(bytes.subarray(at, stop), this.#roll);
      if (fired >= 0) return at + fired - origin;
      at = stop;
    }
    return -1;
  }
}
