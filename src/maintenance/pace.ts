import type { Clock } from '../runtime/clock.ts';
import type { sleep } from '../runtime/timers.ts';

/** How fast a job may read and write, and how much. */
export interface PaceOptions {
  /** Bytes of shards a second, on average since the job began. Default: as fast as it goes. */
  readonly bytesPerSecond?: number;
  /** Bytes of shards after which no further pack is begun. Default: no bound. */
  readonly budgetBytes?: number;
}

/** Keeps a job to its pace. */
export class Pace {
  readonly #clock: Clock;
  readonly #sleep: typeof sleep;
  readonly #options: PaceOptions;
  readonly #startMs: number;
  #bytes = 0;

  constructor(parts: { readonly clock: Clock; readonly sleep: typeof sleep }, options: PaceOptions) {
    this.#clock = parts.clock;
    this.#sleep = parts.sleep;
    this.#options = options;
    this.#startMs = parts.clock.monotonicMs();
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the job has had what it may have. */
  get isSpent(): boolean {
    return this.#bytes >= (this.#options.budgetBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Counts bytes that were read or written; resolves when the next ones may be. @throws the signal's reason */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    this.#bytes += bytes;
    const { bytesPerSecond } = this.#options;
    if (bytesPerSecond === undefined) return;
    const dueMs = this.#startMs + (this.#bytes / bytesPerSecond) * 1000;
    const waitMs = Math.ceil(dueMs - this.#clock.monotonicMs());
    if (waitMs > 0) await this.#sleep(waitMs, signal && { signal });
  }
}
