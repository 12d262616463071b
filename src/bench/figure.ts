import type { Spread } from './spread.ts';

/** What a figure counts: decimal megabytes a second, milliseconds a call, calls a second. */
export type FigureUnit = 'MB/s' | 'ms' | '/s';

/** One thing that was measured. */
export interface Figure {
  /** Stable name, for programs: `kernel.cut`, `store.write`, `backend.vault.put`. */
  readonly id: string;
  /** For people. */
  readonly what: string;
  readonly unit: FigureUnit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many measurements the median is of. */
  readonly samples: number;
}

/** A figure of a spread of seconds or rates, as they are. */
export function figureOf(about: Pick<Figure, 'id' | 'what' | 'unit'>, spread: Spread): Figure {
  const { median, min, max, samples } = spread;
  return { ...about, median, min, max, samples: samples.length };
}

/** A figure in milliseconds of a spread of seconds. */
export function latencyOf(about: Pick<Figure, 'id' | 'what'>, seconds: Spread): Figure {
  const { median, min, max, samples } = seconds;
  return figureOf({ ...about, unit: 'ms' }, { median: median * 1e3, min: min * 1e3, max: max * 1e3, samples });
}
