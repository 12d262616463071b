/** How long the last calls took: enough to tell what is usual, and what is slow. */

const KEPT = 128;
/** Fewer say nothing about the slowest in twenty. */
const NEEDED = 20;

export class Latencies {
  readonly #kept: number[] = [];
  #next = 0;

  /** @param ms of one call */
  add(ms: number): void {
    this.#kept[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** @param share from 0 to 1 @returns milliseconds that this share of the last calls stayed below */
  quantile(share: number): number | undefined {
    if (this.#kept.length < NEEDED) return undefined;
    const sorted = this.#kept.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}
