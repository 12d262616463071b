import type { SeededRandom } from '../../../src/testing/seeded-random.ts';

/** Changes an input; never in place. `others` are good samples of the same target, to take parts of. */
export type Mutation = (input: Uint8Array, random: SeededRandom, others: readonly Uint8Array[]) => Uint8Array;

/** No mutation makes an input longer than this. */
export const INPUT_BYTES_MAX = 128 * 1024;

export function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return values[random.integer(values.length)] as T;
}

/** Mostly small, seldom up to `max`: what is near to a format is more than what is far from it. */
export function smallCount(random: SeededRandom, max: number): number {
  return 1 + random.integer(2 ** (1 + random.integer(Math.max(1, Math.ceil(Math.log2(max))))));
}

/** Begins at `start`, at most to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function randomSpan(random: SeededRandom, length: number): Span {
  const start = random.integer(length + 1);
  return { start, end: Math.min(length, start + smallCount(random, 256)) };
}

export function replaced(input: Uint8Array, { start, end }: Span, by: Uint8Array): Uint8Array {
  const changed = new Uint8Array(input.length - (end - start) + by.length);
  changed.set(input.subarray(0, start));
  changed.set(by, start);
  changed.set(input.subarray(end), start + by.length);
  return changed.length > INPUT_BYTES_MAX ? changed.slice(0, INPUT_BYTES_MAX) : changed;
}
