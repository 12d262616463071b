import type { Progress } from '../../index.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { every } from '../../runtime/timers.ts';
import type { Session } from '../session.ts';
import { RateEstimator } from './rate.ts';
import { renderProgress } from './render.ts';

/** Often enough to look alive, seldom enough to cost nothing. */
const REFRESH_MS = 100;

/** Shows the progress of one operation on the terminal until stopped; counts but shows nothing where none is wanted. */
export class ProgressMeter {
  readonly #session: Session;
  readonly #label: string;
  readonly #clock: Clock;
  readonly #rate: RateEstimator;
  readonly #startMs: number;
  readonly #ticking: { stop(): void } | undefined;
  #bytes = 0;
  #bytesTotal: number | undefined;
  #items: number | undefined;

  constructor(session: Session, label: string, clock: Clock = systemClock) {
    this.#session = session;
    this.#label = label;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#rate = new RateEstimator(this.#startMs);
    this.#ticking = session.showsProgress ? every(REFRESH_MS, () => this.#show()) : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get elapsedSeconds(): number {
    return (this.#clock.monotonicMs() - this.#startMs) / 1000;
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  addItem(): void {
    this.#items = (this.#items ?? 0) + 1;
  }

  setItems(count: number): void {
    this.#items = count;
  }

  /** Tells how many bytes it will be in all, as soon as that is known. */
  expect(bytesTotal: number): void {
    this.#bytesTotal = bytesTotal;
  }

  /** Takes the line away. */
  stop(): void {
    this.#ticking?.stop();
    this.#session.terminal.status('');
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #show(): void {
    const state = {
      label: this.#label,
      bytes: this.#bytes,
      bytesTotal: this.#bytesTotal,
      items: this.#items,
      bytesPerSecond: this.#rate.update(this.#clock.monotonicMs(), this.#bytes),
    };
    this.#session.terminal.status(renderProgress(state, this.#session.terminal.columns));
  }
}

/** Feeds a meter from the progress of a long operation; returns the callback. */
export function followProgress(meter: ProgressMeter): (progress: Progress) => void {
  return ({ bytes, done }) => {
    meter.addBytes(bytes - meter.bytes);
    meter.setItems(done);
  };
}
