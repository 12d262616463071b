/** What a store does with content of its own: a large entry in and out, ranges of it, small entries one by one and at once. */
import type { PutResult, Store } from '../index.ts';
import { KIB } from '../limits.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { type Figure, figureOf, latencyOf } from './figure.ts';
import { wordyContent } from './sample-content.ts';
import { spreadOf } from './spread.ts';
import { measureFor, rateOf, type TimeBudget, timed } from './timing.ts';

const SMALL_BYTES = 4 * KIB;
const IN_FLIGHT = 64;
const LARGE_KEY = 'large';

/** How much of it to measure. */
export interface StoreBudget extends TimeBudget {
  /** Size of the large entry, unless time ends first. */
  readonly bytes: number;
}

/** What was measured, and what the large entry came to. */
export interface StoreFigures {
  readonly figures: readonly Figure[];
  /** Stored bytes by plain bytes, before redundancy. */
  readonly storedRatio: number;
}

class StoreMeasurement {
  readonly #store: Store;
  readonly #budget: StoreBudget;
  readonly #call: { readonly signal?: AbortSignal };
  readonly #smallKeys: string[] = [];

  constructor(store: Store, budget: StoreBudget) {
    this.#store = store;
    this.#budget = budget;
    this.#call = budget.signal ? { signal: budget.signal } : {};
  }

  /** One put, of as much as fits into the time. */
  async write(): Promise<{ readonly figure: Figure; readonly put: PutResult }> {
    // Made before the clock starts: making it up takes longer than storing it.
    const pieces = [...wordyContent(this.#budget.bytes, systemRandom)];
    const start = systemClock.monotonicMs();
    const limitMs = this.#budget.seconds * 1000;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const [at, piece] of pieces.entries()) {
        if (at > 0 && systemClock.monotonicMs() - start > limitMs) return;
        yield piece;
      }
    }
    const { seconds, value: put } = await timed(() => this.#store.put(LARGE_KEY, source(), this.#call));
    const rate = rateOf(put.size, spreadOf([seconds]));
    return { figure: figureOf({ id: 'store.write', what: 'write one entry', unit: 'MB/s' }, rate), put };
  }

  async read(size: number): Promise<Figure> {
    const seconds = await measureFor(this.#budget, async () => {
      for await (const _piece of this.#store.read(LARGE_KEY, this.#call));
    });
    return figureOf({ id: 'store.read', what: 'read it, verified', unit: 'MB/s' }, rateOf(size, seconds));
  }

  async readRanges(size: number): Promise<Figure> {
    const length = Math.min(SMALL_BYTES, size);
    const seconds = await measureFor(this.#budget, async () => {
      const offset = this.#random(size - length + 1);
      for await (const _piece of this.#store.read(LARGE_KEY, { ...this.#call, offset, length }));
    });
    return latencyOf({ id: 'store.range', what: 'read 4 KiB anywhere in it' }, seconds);
  }

  async putOneByOne(): Promise<Figure> {
    const seconds = await measureFor(this.#budget, () => this.#putSmall());
    const perSecond = spreadOf(seconds.samples.map((one) => 1 / one));
    return figureOf({ id: 'store.put', what: 'put 4 KiB, durable, one by one', unit: '/s' }, perSecond);
  }

  async putAtOnce(): Promise<Figure> {
    const seconds = await measureFor(this.#budget, () =>
      Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#putSmall())),
    );
    const perSecond = spreadOf(seconds.samples.map((one) => IN_FLIGHT / one));
    return figureOf({ id: 'store.put64', what: `put 4 KiB, durable, ${IN_FLIGHT} at once`, unit: '/s' }, perSecond);
  }

  async getSmall(): Promise<Figure> {
    const keys = this.#smallKeys;
    const seconds = await measureFor(this.#budget, () => this.#store.get(keys[this.#random(keys.length)]!, this.#call));
    const perSecond = spreadOf(seconds.samples.map((one) => 1 / one));
    return figureOf({ id: 'store.get', what: 'get 4 KiB, one by one', unit: '/s' }, perSecond);
  }

  async #putSmall(): Promise<void> {
    const key = `small/${this.#smallKeys.length}`;
    this.#smallKeys.push(key);
    await this.#store.put(key, systemRandom(SMALL_BYTES), this.#call);
  }

  #random(bound: number): number {
    return Buffer.from(systemRandom(6)).readUIntBE(0, 6) % bound;
  }
}

/** Measures a store that is made for it: what is put stays there. */
export async function measureStore(
  store: Store,
  budget: StoreBudget,
  say: (what: string) => void,
): Promise<StoreFigures> {
  const measurement = new StoreMeasurement(store, budget);
  say('store: write');
  const { figure: written, put } = await measurement.write();
  const figures = [written];
  const steps: readonly (readonly [string, () => Promise<Figure>])[] = [
    ['read', () => measurement.read(put.size)],
    ['ranges', () => measurement.readRanges(put.size)],
    ['small puts one by one', () => measurement.putOneByOne()],
    ['small puts at once', () => measurement.putAtOnce()],
    ['small gets', () => measurement.getSmall()],
  ];
  for (const [what, step] of steps) {
    say(`store: ${what}`);
    figures.push(await step());
  }
  return { figures, storedRatio: put.newBytes === 0 ? 1 : put.storedBytes / put.newBytes };
}
