import { sleep } from '../runtime/timers.ts';
import { type ShardLoss, ShardLost } from './shard-loss.ts';

/** How to come by enough shards of a stripe. */
export interface GatherJob<T> {
  /** Indexes of shards in the order in which they are tried. */
  readonly order: readonly number[];
  /** How many are needed. */
  readonly need: number;
  /** @throws `ShardLost`; every other error ends the gathering */
  fetch(index: number, signal: AbortSignal): Promise<T>;
  /** After how many milliseconds another shard is tried besides; `undefined`: never. */
  patienceMs(index: number): number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Gathered<T> {
  /** By index. Fewer than were needed when the others are lost. */
  readonly found: ReadonlyMap<number, T>;
  readonly losses: readonly ShardLoss[];
}

/**
 * Fetches shards side by side until enough are there: each one that is lost, or slow, is replaced by the next. Those
 * that are not needed any more are aborted.
 */
export function gather<T>(job: GatherJob<T>): Promise<Gathered<T>> {
  return new Gathering(job).done;
}

class Gathering<T> {
  readonly #job: GatherJob<T>;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #found = new Map<number, T>();
  readonly #losses: ShardLoss[] = [];
  readonly #end = Promise.withResolvers<Gathered<T>>();
  #next = 0;
  #running = 0;

  constructor(job: GatherJob<T>) {
    this.#job = job;
    this.#signal = job.signal ? AbortSignal.any([job.signal, this.#stop.signal]) : this.#stop.signal;
    for (let started = 0; started < job.need; started += 1) this.#start();
    this.#settle();
  }

  get done(): Promise<Gathered<T>> {
    return this.#end.promise.finally(() => this.#stop.abort());
  }

  #start(): void {
    const index = this.#job.order[this.#next];
    if (index === undefined) return;
    this.#next += 1;
    this.#running += 1;
    const ended = new AbortController();
    this.#watch(index, AbortSignal.any([this.#stop.signal, ended.signal]));
    this.#job
      .fetch(index, this.#signal)
      .then(
        (shard) => this.#found.set(index, shard),
        (error: unknown) => this.#lose(error),
      )
      .finally(() => {
        ended.abort();
        this.#running -= 1;
        this.#settle();
      });
  }

  #watch(index: number, signal: AbortSignal): void {
    const ms = this.#job.patienceMs(index);
    if (ms === undefined) return;
    sleep(ms, { signal }).then(
      () => this.#start(),
      () => undefined,
    );
  }

  #lose(error: unknown): void {
    if (error instanceof ShardLost) {
      this.#losses.push(error.loss);
      this.#start();
    } else {
      this.#end.reject(error);
    }
  }

  #settle(): void {
    if (this.#found.size < this.#job.need && this.#running > 0) return;
    this.#end.resolve({ found: this.#found, losses: this.#losses });
  }
}
