import { systemClock } from '../../src/runtime/clock.ts';
import { type Spread, spreadOf } from './report.ts';

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

/** Turns seconds into decimal megabytes a second. */
export function rateOf(bytes: number, seconds: Spread): Spread {
  return spreadOf(seconds.samples.map((sample) => bytes / 1e6 / sample));
}
