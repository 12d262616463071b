/** How long the past counts: after this time a change of speed shows by 63 %. */
const SMOOTHING_MS = 3000;

/** Bytes a second, smoothed exponentially over time so that the figure can be read and the ETA does not jump. */
export class RateEstimator {
  readonly #startMs: number;
  #lastMs: number;
  #lastBytes = 0;
  #rate = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#lastMs = startMs;
  }

  /** @param bytes bytes done so far. @returns bytes a second */
  update(nowMs: number, bytes: number): number {
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs <= 0) return this.#rate;
    const momentary = ((bytes - this.#lastBytes) / elapsedMs) * 1000;
    // Early on the average since the start is truer than a smoothing that begins at zero.
    const share = Math.max(1 - Math.exp(-elapsedMs / SMOOTHING_MS), elapsedMs / (nowMs - this.#startMs));
    this.#rate += (momentary - this.#rate) * share;
    this.#lastMs = nowMs;
    this.#lastBytes = bytes;
    return this.#rate;
  }
}
