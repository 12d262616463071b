import { storeError } from '../../errors/store-error.ts';
import { SERVER_RATED_CALLERS_MAX } from '../../limits.ts';
import type { Settings } from '../settings.ts';

interface Bucket {
  left: number;
  at: number;
}

/** Bounds the requests of each caller by time: so many a second, and as many at once after a second of rest. */
export class Rate {
  readonly #settings: Pick<Settings, 'limits' | 'clock'>;
  readonly #buckets = new Map<string, Bucket>();

  constructor(settings: Pick<Settings, 'limits' | 'clock'>) {
    this.#settings = settings;
  }

  /** @throws `unavailable/REQUESTS_EXCEEDED` */
  take(caller: string): void {
    const { requestsPerSecond } = this.#settings.limits;
    if (requestsPerSecond === Number.POSITIVE_INFINITY) return;
    const now = this.#settings.clock.monotonicMs();
    // A rate below one a second still lets one in.
    const full = Math.max(1, requestsPerSecond);
    const { left, at } = this.#buckets.get(caller) ?? { left: full, at: now };
    const filled = Math.min(full, left + ((now - at) / 1000) * requestsPerSecond);
    const isIn = filled >= 1;
    // Who is refused keeps what has gathered: however often one asks, one is let in as often as the rate says.
    this.#remember(caller, { left: isIn ? filled - 1 : filled, at: now });
    if (!isIn) throw storeError('REQUESTS_EXCEEDED', `at most ${requestsPerSecond} requests a second`);
  }

  /** The ones that called last are remembered: who is forgotten begins with a full bucket. */
  #remember(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > SERVER_RATED_CALLERS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
