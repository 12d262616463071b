import type { Clock } from '../../runtime/clock.ts';
import { every } from '../../runtime/timers.ts';
import type { Settings } from '../settings.ts';

/** Looked at so many times while a client may keep the server waiting. */
const LOOKS = 4;

/**
 * The progress rule against slow clients: whoever lets the server wait for `progressMs` in all has to move `progressBytesMin`
 * meanwhile. Time that the store takes is not the client's.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #watch: { stop(): void };
  #waitedMs = 0;
  #bytes = 0;
  #since: number | undefined;

  /** @param onSlow called once */
  constructor({ limits, clock }: Settings, onSlow: () => void) {
    this.#clock = clock;
    this.#watch = every(Math.max(1, limits.progressMs / LOOKS), () => {
      if (this.#waited() < limits.progressMs) return;
      if (this.#bytes >= limits.progressBytesMin) return this.#begin();
      this.end();
      onSlow();
    });
  }

  /** From now on it is the client that is waited for. */
  wait(): void {
    this.#since = this.#clock.monotonicMs();
  }

  /** The client has moved so many bytes. */
  moved(bytes: number): void {
    this.#waitedMs = this.#waited();
    this.#since = undefined;
    this.#bytes += bytes;
  }

  end(): void {
    this.#watch.stop();
  }

  #waited(): number {
    return this.#waitedMs + (this.#since === undefined ? 0 : this.#clock.monotonicMs() - this.#since);
  }

  /** What was moved so far is no credit for later. */
  #begin(): void {
    this.#waitedMs = 0;
    this.#bytes = 0;
    if (this.#since !== undefined) this.wait();
  }
}
