import type { Store, StoreEvents } from '../../index.ts';
import { SERVER_EVENTS_HELD_MAX, SERVER_NUMBERS_MS } from '../../limits.ts';
import { every } from '../../runtime/timers.ts';
import type { EventSource, ServerEvent } from '../http/event-stream.ts';

const NAMES: readonly (keyof StoreEvents)[] = ['damage', 'repair', 'loss', 'degraded', 'backend', 'merge', 'recovery'];

/** What happens in a store, and its numbers now and then, for one listener; once it listens, until it is disposed. */
export class StoreEventSource implements EventSource, Disposable {
  readonly #store: Store;
  readonly #held: ServerEvent[] = [];
  readonly #listeners: readonly (readonly [keyof StoreEvents, (data: object) => void])[];
  #timer: { stop(): void } | undefined;
  #missed = 0;
  #changed = Promise.withResolvers<void>();

  constructor(store: Store) {
    this.#store = store;
    this.#listeners = NAMES.map((event) => [event, (data: object) => this.#hold({ event, data })] as const);
  }

  listen(): void {
    for (const [event, listener] of this.#listeners) this.#store.on(event, listener);
    this.#tellNumbers();
    this.#timer = every(SERVER_NUMBERS_MS, () => this.#tellNumbers());
  }

  *take(): Generator<ServerEvent> {
    if (this.#missed > 0) yield { event: 'missed', data: { count: this.#missed } };
    this.#missed = 0;
    yield* this.#held.splice(0);
  }

  isOver(): boolean {
    return false;
  }

  changed(): Promise<void> {
    return this.#held.length > 0 ? Promise.resolve() : this.#changed.promise;
  }

  [Symbol.dispose](): void {
    this.#timer?.stop();
    for (const [event, listener] of this.#listeners) this.#store.off(event, listener);
  }

  #tellNumbers(): void {
    this.#hold({ event: 'numbers', data: this.#store.metrics() });
  }

  #hold(event: ServerEvent): void {
    this.#held.push(event);
    if (this.#held.length > SERVER_EVENTS_HELD_MAX) {
      this.#held.shift();
      this.#missed += 1;
    }
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
