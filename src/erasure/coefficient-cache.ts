import { ERASURE_CACHE_BYTES } from '../limits.ts';
import { coefficientsOf } from './interpolation.ts';

/** What an entry costs besides its coefficients: key, array and place in the map. */
const ENTRY_BYTES = 256;

/**
 * Coefficients by the shards they lead from and to, the latest used of them within a bound of bytes. A reader that lost
 * a backend asks for the same ones again and again; others are cheap to make anew (microseconds for ten shards, a
 * millisecond for two hundred).
 */
export class CoefficientCache {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param bytesMax default `ERASURE_CACHE_BYTES` */
  constructor(bytesMax: number = ERASURE_CACHE_BYTES) {
    this.#bytesMax = bytesMax;
  }

  /** Coefficients held now. */
  get size(): number {
    return this.#entries.size;
  }

  /** As `coefficientsOf`; the array is shared and must not be changed. The same array as long as it is held. */
  get(sources: readonly number[], targets: readonly number[]): Uint8Array {
    const key = String.fromCharCode(...sources, 0xffff, ...targets);
    const found = this.#entries.get(key);
    // A map keeps the order of insertion: what was just used becomes the last to go.
    if (found !== undefined) this.#entries.delete(key);
    else this.#bytes += ENTRY_BYTES + sources.length * targets.length;
    const coefficients = found ?? coefficientsOf(sources, targets);
    this.#entries.set(key, coefficients);
    this.#evict();
    return coefficients;
  }

  #evict(): void {
    for (const [key, coefficients] of this.#entries) {
      if (this.#bytes <= this.#bytesMax || this.#entries.size === 1) return;
      this.#entries.delete(key);
      this.#bytes -= ENTRY_BYTES + coefficients.length;
    }
  }
}
