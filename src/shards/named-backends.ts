import type { Backend } from '../backend/contract.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import {
  SHARD_SET_TEXT_BYTES_MAX,
  SPREAD_CALLS_MAX,
  SPREAD_CALLS_PER_BACKEND,
  SPREAD_GRACE_MS,
  SPREAD_TIMEOUT_MS,
  SPREAD_WAIT_MS_MAX,
} from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { sleep } from '../runtime/timers.ts';

/** A backend under the name that `ShardLocation.backend` has for it. */
export interface NamedBackend {
  /** 1 to 256 bytes of UTF-8; whoever keeps the set has to know it again. */
  readonly name: string;
  readonly backend: Backend;
}

/** How far an operation over backends has come. */
export interface SpreadProgress {
  /** `spread`, `gather`, `check`, `verify`, `repair`, `remove` or `backends`. */
  readonly phase: string;
  /** Shards, or backends, that are settled, well or not, and how many there are; of `gather`, those read and needed. */
  readonly done: number;
  readonly total: number;
  /** Bytes of shards read or written so far. */
  readonly bytes: number;
}

/** Options of every operation over backends. */
export interface SpreadCallOptions {
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SpreadProgress) => void;
  /** Shards on their way to or from one backend at once, 1 to 64, never more than it takes. Default 4. */
  readonly concurrency?: number;
  /**
   * How long one shard may take on one backend, milliseconds. After that the backend counts as unreachable for the rest
   * of the operation. Default 30,000.
   */
  readonly timeoutMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

interface Link {
  readonly name: string;
  readonly backend: Backend;
  readonly slots: Semaphore;
  /** Set when it let a call wait for too long: nobody waits for it twice. */
  problem?: StoreError;
}

/** The backends of one operation: each is asked for a few shards at once, and not waited for without end. */
export class NamedBackends {
  readonly #links = new Map<string, Link>();
  readonly #timeoutMs: number;

  /**
   * @throws `conflict/BACKEND_EXISTS` for two of one name, or one under two names; TypeError or RangeError for what is
   *   no list of named backends, and for options out of range
   */
  constructor(backends: readonly NamedBackend[], options: SpreadCallOptions) {
    if (!Array.isArray(backends) || backends.length === 0) {
      throw argumentTypeError('backends', 'a list of at least one named backend', backends);
    }
    const bounds = { min: 1, max: SPREAD_CALLS_MAX };
    const calls = checkInteger('concurrency', options.concurrency ?? SPREAD_CALLS_PER_BACKEND, bounds);
    this.#timeoutMs = checkWaitMs('timeoutMs', options.timeoutMs ?? SPREAD_TIMEOUT_MS);
    for (const one of backends as readonly NamedBackend[]) this.#add(one, calls);
  }

  /** In the order in which they were given. */
  get names(): readonly string[] {
    return [...this.#links.keys()];
  }

  has(name: string): boolean {
    return this.#links.has(name);
  }

  /**
   * Does the work for one shard on one backend, when it has a slot free.
   * @param work is given a signal that aborts when the caller's does or time is up
   * @throws what the work throws; `not-found/BACKEND_NOT_FOUND` for a name that none has;
   *   `unavailable/BACKEND_UNREACHABLE` when it took too long, now or earlier; the signal's reason
   */
  async call<T>(
    name: string,
    work: (backend: Backend, signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const link = this.#links.get(name);
    if (link === undefined) throw backendNotFound(name);
    await link.slots.acquire(1, signal);
    try {
      if (link.problem) throw link.problem;
      return await this.#inTime(link, work, signal);
    } finally {
      link.slots.release();
    }
  }

  #add({ name, backend }: NamedBackend, calls: number): void {
    if (typeof name !== 'string' || name === '' || !name.isWellFormed()) {
      throw argumentTypeError('backends.name', 'text', name);
    }
    const bytes = Buffer.byteLength(name);
    checkInteger('the length of backends.name', bytes, { min: 1, max: SHARD_SET_TEXT_BYTES_MAX });
    if (typeof backend?.capabilities !== 'object') throw argumentTypeError('backends.backend', 'a backend', backend);
    const twin = [...this.#links.values()].find((link) => link.name === name || link.backend === backend);
    if (twin) {
      const message = twin.name === name ? `two backends are named ${name}` : `${name} is ${twin.name} once more`;
      throw storeError('BACKEND_EXISTS', message, { details: { backend: name } });
    }
    const slots = new Semaphore(Math.min(calls, backend.capabilities.concurrencyMax));
    this.#links.set(name, { name, backend, slots });
  }

  async #inTime<T>(
    link: Link,
    work: (backend: Backend, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const [ended, stop] = [new AbortController(), new AbortController()];
    const working = work(link.backend, anySignal(stop.signal, signal));
    try {
      return await Promise.race([working, this.#tooLate(link, { ended: ended.signal, stop, signal })]);
    } finally {
      ended.abort();
    }
  }

  /**
   * Rejects when time is up or the caller aborts. A backend that heeds its signal has ended by then, so that what it
   * wrote can be taken back; one that does not is left behind.
   */
  async #tooLate(
    link: Link,
    call: { readonly ended: AbortSignal; readonly stop: AbortController; readonly signal: AbortSignal | undefined },
  ): Promise<never> {
    const { ended, stop, signal } = call;
    const wake = anySignal(ended, signal);
    await sleep(this.#timeoutMs, { signal: wake }).catch(() => undefined);
    ended.throwIfAborted();
    if (!signal?.aborted) link.problem ??= this.#timedOut(link.name);
    const reason = signal?.aborted ? signal.reason : link.problem;
    stop.abort(reason);
    await sleep(SPREAD_GRACE_MS, { signal: ended });
    throw reason;
  }

  #timedOut(name: string): StoreError {
    const message = `backend ${name} did not answer within ${this.#timeoutMs} ms`;
    return storeError('BACKEND_UNREACHABLE', message, { details: { backend: name } });
  }
}

/** A signal that aborts when either does. */
export function anySignal(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other ? AbortSignal.any([one, other]) : one;
}

/** Checks a time to wait, milliseconds. @throws TypeError or RangeError */
export function checkWaitMs(parameter: string, ms: number): number {
  return checkInteger(parameter, ms, { min: 0, max: SPREAD_WAIT_MS_MAX });
}

/** The error of a name that no backend has. */
export function backendNotFound(name: string): StoreError {
  return storeError('BACKEND_NOT_FOUND', `no backend is named ${name}`, { details: { backend: name } });
}

/**
 * The error as one of a backend: something to report and to make up for.
 * @throws every other error, which is a bug, a wrong argument, or the caller's own abort reason
 */
export function backendError(error: unknown): StoreError {
  if (isStoreError(error) && error.kind !== 'internal') return error;
  throw error;
}
