import { type StoreError, storeError } from '../errors/store-error.ts';
import { sleep } from '../runtime/timers.ts';
import type { BackendLink } from './backend-link.ts';

/** Options of one question. */
interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, instead of the usual time. */
  readonly timeoutMs?: number;
}

/**
 * Asks backends without waiting for ever. One that took too long is not asked again before it is due to be tried: a job
 * over thousands of packs would wait for it thousands of times.
 */
export class Patience {
  readonly #timeoutMs: number;
  readonly #late = new Set<BackendLink>();

  /** @param timeoutMs how long an answer may take */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Whether asking is worth nothing just now. */
  isOut(link: BackendLink): boolean {
    return link.isAvoided && (link.backend === undefined || this.#late.has(link));
  }

  /**
   * Does work that asks a backend.
   * @param work is told to stop when the time is over, or the caller's signal aborts
   * @throws what `work` throws; `unavailable/BACKEND_IO` when the time is over; the signal's reason
   */
  async ask<T>(link: BackendLink, work: (signal: AbortSignal) => Promise<T>, options: AskOptions = {}): Promise<T> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#late.has(link) && this.isOut(link)) throw tooLong(link);
    const [stop, over] = [new AbortController(), new AbortController()];
    const working = work(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
    // When the time is over nobody looks at its outcome any more.
    working.catch(() => undefined);
    const timeout = sleep(timeoutMs, { signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal });
    timeout.catch(() => undefined);
    try {
      return await Promise.race([working, timeout.then(() => this.#giveUp(link, stop))]);
    } finally {
      over.abort();
    }
  }

  #giveUp(link: BackendLink, stop: AbortController): never {
    const error = tooLong(link);
    link.noteFailure(error.message);
    this.#late.add(link);
    stop.abort(error);
    throw error;
  }
}

function tooLong({ facts: { name } }: BackendLink): StoreError {
  return storeError('BACKEND_IO', `backend ${name} took too long`, { details: { backend: name } });
}
