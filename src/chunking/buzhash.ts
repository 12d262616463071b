/**
 * Buzhash chunking as ipfs/boxo does it: a cyclic-polynomial hash of the last 32 bytes; a chunk ends, at the minimum or
 * later, where the low bits of the hash are all zero, or at the maximum. Cuts where `chunker/buzhash.go` of boxo cuts
 * with its bounds (128 KiB, 512 KiB, 17 bits).
 *
 * Source: ipfs/boxo `chunker/buzhash.go`; R. Uzgalis, "Hashing concepts and the Java programming language", 1996.
 *
 * Invariant: cut points depend on the bytes since the last cut alone, never on how they were handed in.
 */
import { BUZHASH_WINDOW_BYTES } from '../limits.ts';
import { BUZHASH_WORDS } from './buzhash-table.ts';
import type { CutFinder } from './cut-finder.ts';
import type { BuzhashRoll, ScanKernel } from './kernel/scan-kernel.ts';
import type { BuzhashSpec } from './spec.ts';

export class BuzhashFinder implements CutFinder {
  readonly chunkBytesMax: number;
  readonly #min: number;
  readonly #kernel: ScanKernel;
  readonly #roll: BuzhashRoll;
  /** Bytes of the current chunk taken so far. */
  #taken = 0;

  /** @param spec one that `checkChunking` accepts */
  constructor(spec: BuzhashSpec, kernel: ScanKernel) {
    this.chunkBytesMax = spec.max;
    this.#min = spec.min;
    this.#kernel = kernel;
    this.#roll = { mask: 2 ** spec.maskBits - 1, history: new Uint8Array(BUZHASH_WINDOW_BYTES), state: 0 };
  }

  next(bytes: Uint8Array, from: number): number {
    const origin = from - this.#taken;
    const end = Math.min(bytes.length, origin + this.chunkBytesMax);
    if (this.#taken < this.#min && this.#prime(bytes, { origin, from, end })) return this.#cut(this.#min);
    const at = Math.max(from, origin + this.#min);
    if (at < end) {
      const fired = this.#kernel.buzhash(bytes.subarray(at, end), this.#roll);
      if (fired >= 0) return this.#cut(at + fired + 1 - origin);
      this.#remember(bytes.subarray(at, end));
    }
    if (end - origin === this.chunkBytesMax) return this.#cut(this.chunkBytesMax);
    this.#taken = end - origin;
    return -1;
  }

  #cut(length: number): number {
    this.#taken = 0;
    this.#roll.state = 0;
    return length;
  }

  /**
   * Fills the window with the last bytes before the minimum, as far as they lie in `bytes`.
   * @returns whether the chunk ends at the minimum
   */
  #prime(bytes: Uint8Array, range: { readonly origin: number; readonly from: number; readonly end: number }): boolean {
    const { origin, from, end } = range;
    const windowStart = origin + this.#min - BUZHASH_WINDOW_BYTES;
    const stop = Math.min(end, origin + this.#min);
    let { state } = this.#roll;
    for (let at = Math.max(from, windowStart); at < stop; at += 1) {
      state = ((state << 1) | (state >>> 31)) ^ BUZHASH_WORDS[bytes[at]!]!;
      this.#roll.history[at - windowStart] = bytes[at]!;
    }
    this.#roll.state = state >>> 0;
    return stop === origin + this.#min && (state & this.#roll.mask) === 0;
  }

  #remember(bytes: Uint8Array): void {
    const { history } = this.#roll;
    if (bytes.length < BUZHASH_WINDOW_BYTES) history.copyWithin(0, bytes.length);
    const latest = bytes.subarray(-BUZHASH_WINDOW_BYTES);
    history.set(latest, BUZHASH_WINDOW_BYTES - latest.length);
  }
}
