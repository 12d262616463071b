import { sleep } from '../runtime/timers.ts';
import { anySignal } from './named-backends.ts';
import { isLoss, type ShardLoss } from './shard-loss.ts';

/** How to come by enough shards. */
export interface GatherJob {
  /** Indexes in the order in which they are tried. */
  readonly order: readonly number[];
  /** How many are needed. */
  readonly need: number;
  /** After how many milliseconds without an answer another one is tried besides; `undefined`: never. */
  readonly hedgeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @throws what ends the gathering */
  fetch(index: number, signal: AbortSignal): Promise<Uint8Array | ShardLoss>;
}

/** What came of it. */
export interface Gathered {
  /** By index. Fewer than were needed when the others are lost. */
  readonly found: ReadonlyMap<number, Uint8Array>;
  readonly losses: readonly ShardLoss[];
  /** Every index that was asked for. */
  readonly asked: readonly number[];
}

/**
 * Fetches side by side until enough are there. Each one that is lost, or slow, is made up for by the next; those that
 * are not needed any more are aborted.
 * @throws what a fetch throws, and the signal's reason
 */
export function gatherEnough(job: GatherJob): Promise<Gathered> {
  return new Gatherer(job).run();
}

/** A fetch under way. */
interface Fetch {
  readonly ended: Promise<void>;
  /** Resolves when it counts as slow; `undefined` from then on. */
  slow: Promise<void> | undefined;
}

class Gatherer {
  readonly #job: GatherJob;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #found = new Map<number, Uint8Array>();
  readonly #losses: ShardLoss[] = [];
  readonly #asked: number[] = [];
  readonly #running = new Set<Fetch>();
  #failure: { readonly error: unknown } | undefined;

  constructor(job: GatherJob) {
    this.#job = job;
    this.#signal = anySignal(this.#stop.signal, job.signal);
  }

  async run(): Promise<Gathered> {
    try {
      while (this.#found.size < this.#job.need) {
        this.#job.signal?.throwIfAborted();
        for (let wanting = this.#wanting; wanting > 0; wanting -= 1) this.#start();
        if (this.#running.size === 0) break;
        await Promise.race([...this.#running].flatMap(({ ended, slow }) => (slow ? [ended, slow] : [ended])));
        if (this.#failure) throw this.#failure.error;
      }
      return { found: this.#found, losses: this.#losses, asked: this.#asked };
    } finally {
      this.#stop.abort();
    }
  }

  /** How many are neither there nor hoped for. */
  get #wanting(): number {
    const hoped = [...this.#running].filter(({ slow }) => slow !== undefined).length;
    return this.#job.need - this.#found.size - hoped;
  }

  #start(): void {
    const index = this.#job.order[this.#asked.length];
    if (index === undefined) return;
    this.#asked.push(index);
    const ended = new AbortController();
    const fetch: Fetch = {
      ended: this.#fetch(index).finally(() => {
        ended.abort();
        this.#running.delete(fetch);
      }),
      slow: this.#slowAfter(AbortSignal.any([this.#signal, ended.signal]), () => {
        fetch.slow = undefined;
      }),
    };
    this.#running.add(fetch);
  }

  async #fetch(index: number): Promise<void> {
    try {
      const fetched = await this.#job.fetch(index, this.#signal);
      if (isLoss(fetched)) this.#losses.push(fetched);
      else this.#found.set(index, fetched);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #slowAfter(signal: AbortSignal, tell: () => void): Promise<void> {
    // One that may take as long as it likes is waited for through its end.
    if (this.#job.hedgeMs === undefined) return new Promise(() => undefined);
    await sleep(this.#job.hedgeMs, { signal }).then(tell, () => undefined);
  }
}
