import { CallCounter, type CallCounts } from '../backend/call-counter.ts';
import type { Backend, ServiceRequests } from '../backend/contract.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import type { ConfigBackend } from '../format/index.ts';
import type { Clock } from '../runtime/clock.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { Latencies } from './latencies.ts';

/** What placement needs to know of a backend; `ConfigBackend` fits. */
export type BackendFacts = Pick<ConfigBackend, 'number' | 'name' | 'domain' | 'weight' | 'mode'>;

/** How a backend has been lately, as this process has seen it. Nothing here survives it. */
export interface BackendHealth {
  /** `down`: it could not be opened, or its last call failed for want of it. */
  readonly state: 'up' | 'down';
  /** Calls since the store was opened, and how many failed because the backend could not be used. */
  readonly calls: number;
  readonly failures: number;
  /** Of the last reads, milliseconds; absent before there were enough to tell. */
  readonly readMs50?: number;
  readonly readMs95?: number;
  /** Of the last read, milliseconds. */
  readonly lastMs?: number;
  /** Why it is down, or last was. */
  readonly lastError?: string;
}

/** What was asked of a backend since the store was opened. */
export interface BackendRequests {
  /** Name of the backend. */
  readonly backend: string;
  readonly calls: CallCounts;
  /** What the backend sent to a service for that, and to be opened; absent where there is none. */
  readonly service?: ServiceRequests;
}

/** Told when a backend goes down, with why, and when it is back. */
export type BackendStateListener = (backend: string, state: BackendHealth['state'], message: string) => void;

/** Whether an error says that a backend could not be asked: it does not answer, or lets nobody in. */
export function isUnreachable(error: unknown): error is StoreError {
  return isStoreError(error) && (error.kind === 'unavailable' || error.kind === 'denied');
}

/** A backend that is down is tried again after this; each further failure doubles it. */
const RETRY_MS = 1000;
const RETRY_MS_MAX = 60_000;

/**
 * One backend of a store, reached or not: keeps to the number of calls it takes at once (B15), measures it, and
 * remembers when it could not be used. Every call of the placement goes through here, and is counted.
 */
export class BackendLink {
  readonly facts: BackendFacts;
  readonly #reopen: (() => Promise<Backend>) | undefined;
  readonly #onState: BackendStateListener | undefined;
  readonly #clock: Clock;
  #backend: Backend | undefined;
  #problem: StoreError | undefined;
  #opening: Promise<Backend> | undefined;
  #slots: Semaphore;
  readonly #counter: CallCounter;
  readonly #reads = new Latencies();
  #calls = 0;
  #failures = 0;
  #failuresInRow = 0;
  #downSince: number | undefined;
  #lastMs: number | undefined;
  #lastError: string | undefined;

  constructor(parts: {
    readonly facts: BackendFacts;
    /** The backend, or why it could not be opened. */
    readonly backend: Backend | StoreError;
    /** Tries once more to open one that could not be opened: its disk may be back. */
    readonly reopen?: () => Promise<Backend>;
    readonly clock: Clock;
    readonly onState?: BackendStateListener;
    /** The link that was to the same backend before, as others knew it: its counts go on. */
    readonly before?: BackendLink;
  }) {
    const opened = isStoreError(parts.backend) ? undefined : parts.backend;
    this.facts = parts.facts;
    this.#reopen = parts.reopen;
    this.#onState = parts.onState;
    this.#clock = parts.clock;
    this.#counter = parts.before ? parts.before.#counter : new CallCounter();
    this.#backend = opened;
    this.#slots = new Semaphore(opened?.capabilities.concurrencyMax ?? 1);
    if (isStoreError(parts.backend)) this.#failToOpen(parts.backend);
  }

  /** `undefined` while it could not be opened. */
  get backend(): Backend | undefined {
    return this.#backend;
  }

  /** Whether shards may be put there and deleted. */
  get writable(): boolean {
    return this.facts.mode !== 'read-only' && this.#backend?.capabilities.writable !== false;
  }

  /** Whether new shards should go there when it can be reached. */
  get takesShards(): boolean {
    return this.writable && this.facts.mode === 'active' && this.facts.weight > 0;
  }

  /** Whether it failed lately and is not due to be tried again: whoever has a choice takes another. */
  get isAvoided(): boolean {
    if (this.#downSince === undefined) return false;
    if (this.#backend === undefined && this.#reopen === undefined) return true;
    const waitMs = Math.min(RETRY_MS * 2 ** (this.#failuresInRow - 1), RETRY_MS_MAX);
    return this.#clock.monotonicMs() - this.#downSince < waitMs;
  }

  /** How long a read may take before another backend is asked besides, milliseconds; `undefined`: not known yet. */
  get readMs95(): number | undefined {
    return this.#reads.quantile(0.95);
  }

  get health(): BackendHealth {
    const [readMs50, readMs95] = [this.#reads.quantile(0.5), this.readMs95];
    return Object.freeze({
      state: this.#downSince === undefined ? 'up' : 'down',
      calls: this.#calls,
      failures: this.#failures,
      ...(readMs50 !== undefined && { readMs50 }),
      ...(readMs95 !== undefined && { readMs95 }),
      ...(this.#lastMs !== undefined && { lastMs: this.#lastMs }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    });
  }

  get requests(): BackendRequests {
    const service = this.#backend?.service;
    return Object.freeze({ backend: this.facts.name, calls: this.#counter.counts, ...(service && { service }) });
  }

  /**
   * Makes one call, when a slot is free.
   * @param kind reads are measured
   * @throws what the call throws; `unavailable/BACKEND_UNREACHABLE` where the backend could not be opened
   */
  async call<T>(kind: 'read' | 'write', work: (backend: Backend) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const backend = this.#backend ?? (await this.#open());
    const slots = this.#slots;
    await slots.acquire(1, signal);
    const started = this.#clock.monotonicMs();
    this.#calls += 1;
    try {
      const result = await work(this.#counter.over(backend));
      if (kind === 'read') this.#measure(this.#clock.monotonicMs() - started);
      this.#noteSuccess();
      return result;
    } catch (error) {
      if (isStoreError(error) && error.kind === 'unavailable') this.noteFailure(error.message);
      throw error;
    } finally {
      slots.release();
    }
  }

  /** Counts as a failure what only the caller sees: a call that never ends. */
  noteFailure(message: string): void {
    const wasUp = this.#downSince === undefined;
    this.#failures += 1;
    this.#failuresInRow += 1;
    this.#downSince = this.#clock.monotonicMs();
    this.#lastError = message;
    if (wasUp) this.#onState?.(this.facts.name, 'down', message);
  }

  #measure(ms: number): void {
    this.#reads.add(ms);
    this.#lastMs = ms;
  }

  #noteSuccess(): void {
    if (this.#downSince !== undefined) this.#onState?.(this.facts.name, 'up', 'it answers again');
    this.#downSince = undefined;
    this.#failuresInRow = 0;
  }

  /** Opens it once it is due to be tried again, whoever asks. */
  async #open(): Promise<Backend> {
    if (this.#reopen === undefined || this.isAvoided) throw this.#unreachable();
    this.#opening ??= this.#openAnew(this.#reopen).finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #openAnew(reopen: () => Promise<Backend>): Promise<Backend> {
    try {
      const backend = await reopen();
      this.#slots = new Semaphore(backend.capabilities.concurrencyMax);
      this.#problem = undefined;
      this.#backend = backend;
      return backend;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.#failToOpen(error);
      throw this.#unreachable();
    }
  }

  #failToOpen(problem: StoreError): void {
    this.#problem = problem;
    this.noteFailure(problem.message);
  }

  #unreachable(): StoreError {
    const { name } = this.facts;
    const why = this.#problem ? `: ${this.#problem.message}` : '';
    return storeError('BACKEND_UNREACHABLE', `backend ${name} cannot be reached${why}`, {
      details: { backend: name },
      ...(this.#problem && { cause: this.#problem }),
    });
  }
}
