/** What a store held at times, as long as its server lives: nothing of it is kept anywhere. */
import { isStoreError } from '../errors/store-error.ts';
import type { Store, StoreStats } from '../index.ts';
import { SERVER_HISTORY_KEPT_MAX, SERVER_HISTORY_MS } from '../limits.ts';
import { every } from '../runtime/timers.ts';
import type { Settings } from './settings.ts';

/** What a store held at one moment. */
export interface SpaceSample extends Pick<StoreStats, 'entries' | 'logicalBytes' | 'uniqueBytes' | 'storedBytes'> {
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** Looks every minute, from when it is made until the server stops or the store is closed. */
export class SpaceHistory {
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #timer: { stop(): void };
  #samples: SpaceSample[] = [];

  constructor(store: Store, settings: Settings) {
    this.#store = store;
    this.#settings = settings;
    this.#timer = every(SERVER_HISTORY_MS, () => void this.#note());
    settings.stopping.addEventListener('abort', () => this.#timer.stop(), { once: true });
  }

  /** The oldest first; the last one is of now. */
  async samples(signal: AbortSignal): Promise<readonly SpaceSample[]> {
    const now = await this.#look(signal);
    if (this.#samples.length === 0) this.#samples.push(now);
    return [...this.#samples, now];
  }

  async #look(signal?: AbortSignal): Promise<SpaceSample> {
    const { entries, logicalBytes, uniqueBytes, storedBytes } = await this.#store.stats(signal ? { signal } : {});
    const time = new Date(this.#settings.clock.now()).toISOString();
    return { time, entries, logicalBytes, uniqueBytes, storedBytes };
  }

  async #note(): Promise<void> {
    try {
      this.#samples.push(await this.#look());
    } catch (error) {
      if (isStoreError(error) && error.kind === 'closed') this.#timer.stop();
      else this.#settings.logger?.warn('what the store holds could not be noted', { error });
    }
    // The older ones are thinned out, every second of them: the past is told more coarsely than the present.
    if (this.#samples.length > SERVER_HISTORY_KEPT_MAX) {
      const half = SERVER_HISTORY_KEPT_MAX / 2;
      this.#samples = this.#samples.filter((_, index) => index >= half || index % 2 === 0);
    }
  }
}
