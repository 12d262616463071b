import { invariant } from '../errors/store-error.ts';

interface Waiter {
  readonly units: number;
  readonly resolve: () => void;
}

/**
 * A fair counting semaphore over units (bytes or slots). Requests larger than the capacity are granted alone, so a
 * single huge item makes progress instead of waiting for ever. First come, first served: large requests are not
 * starved.
 */
export class Semaphore {
  readonly #capacity: number;
  #free: number;
  readonly #waiting: Waiter[] = [];

  constructor(capacity: number) {
    invariant(capacity > 0, 'a semaphore has capacity');
    this.#capacity = capacity;
    this.#free = capacity;
  }

  get inUse(): number {
    return this.#capacity - this.#free;
  }

  /**
   * Takes `units` (default 1) and resolves when they are granted; every grant needs one `release` of the same units.
   * @throws the signal's reason when aborted while waiting; nothing is taken then
   */
  async acquire(units = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const wanted = Math.min(units, this.#capacity);
    if (this.#waiting.length === 0 && this.#free >= wanted) {
      this.#free -= wanted;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { units: wanted, resolve };
    this.#waiting.push(waiter);
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(waiter);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      this.#grant();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  release(units = 1): void {
    this.#free += Math.min(units, this.#capacity);
    invariant(this.#free <= this.#capacity, 'a semaphore is released once per grant');
    this.#grant();
  }

  #grant(): void {
    for (let next = this.#waiting[0]; next && this.#free >= next.units; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.units;
      next.resolve();
    }
  }
}
