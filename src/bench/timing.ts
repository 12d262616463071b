import { systemClock } from '../runtime/clock.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import { type Spread, spreadOf } from './spread.ts';

/** @returns seconds that `work` took, and what it gave */
export async function timed<T>(work: () => Promise<T> | T): Promise<{ readonly seconds: number; readonly value: T }> {
  const start = systemClock.monotonicMs();
  const value = await work();
  return { seconds: (systemClock.monotonicMs() - start) / 1000, value };
}

/** Seconds of `work` over `rounds` runs, after one that is not counted: it pays for compilation and page faults. */
export async function measure(rounds: number, work: () => Promise<unknown> | unknown): Promise<Spread> {
  await work();
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push((await timed(work)).seconds);
  return spreadOf(samples);
}

/** How long something may be measured. */
export interface TimeBudget {
  readonly seconds: number;
  /** Aborting ends the measurement with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Seconds of each run of `work`, again and again until the budget is spent; at least once. Between two runs others get
 * their turn, so that an abort is heard.
 */
export async function measureFor(budget: TimeBudget, work: () => Promise<unknown> | unknown): Promise<Spread> {
  const samples: number[] = [];
  for (let spent = 0; samples.length === 0 || spent < budget.seconds; ) {
    budget.signal?.throwIfAborted();
    const { seconds } = await timed(work);
    samples.push(seconds);
    spent += seconds;
    await yieldToEventLoop();
  }
  return spreadOf(samples);
}

/** Turns seconds into decimal megabytes a second. */
export function rateOf(bytes: number, seconds: Spread): Spread {
  return spreadOf(seconds.samples.map((sample) => bytes / 1e6 / sample));
}
