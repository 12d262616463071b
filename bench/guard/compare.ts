/** Whether ratios got worse than those that were written down. */

/** How much longer a workload takes than its yardstick, in the same minute. */
export interface Ratios {
  /** Of elapsed seconds. */
  readonly seconds: number;
  /** Of processor seconds; absent where the system does not tell them of other processes. */
  readonly processor?: number;
}

/** Ratios by workload. */
export type RatioTable = Readonly<Record<string, Ratios>>;

/** What is written down, by kind of yardstick: programs and Node's own have other speeds. */
export interface Baseline {
  readonly machine: string;
  readonly date: string;
  readonly command: string;
  readonly ratios: Readonly<Record<string, RatioTable>>;
}

/**
 * By how much a ratio may be worse. Processor seconds hardly depend on what else a machine does; elapsed ones do, and on the
 * number of its cores.
 */
export const MARGINS: Readonly<Record<keyof Ratios, number>> = { processor: 0.25, seconds: 0.75 };

/** One comparison. */
export interface Verdict {
  readonly workload: string;
  readonly kind: keyof Ratios;
  readonly now: number;
  /** Absent where nothing was written down. */
  readonly before: number | undefined;
  /** `unknown` without a baseline: nothing was held then, and the guard does not pass. */
  readonly verdict: 'held' | 'WORSE' | 'unknown';
}

/** Compares each ratio that was measured. */
export function compareRatios(now: RatioTable, before: RatioTable | undefined): readonly Verdict[] {
  return Object.entries(now).flatMap(([workload, ratios]) =>
    (['processor', 'seconds'] as const).flatMap((kind): readonly Verdict[] => {
      const [ratio, written] = [ratios[kind], before?.[workload]?.[kind]];
      if (ratio === undefined) return [];
      const isWorse = written !== undefined && ratio > written * (1 + MARGINS[kind]);
      const verdict = written === undefined ? 'unknown' : isWorse ? 'WORSE' : 'held';
      return [{ workload, kind, now: ratio, before: written, verdict }];
    }),
  );
}

/** A line for each comparison that does not pass. */
export function complaints(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.flatMap(({ workload, kind, now, before, verdict }) => {
    if (verdict === 'held') return [];
    if (before === undefined)
      return [`${workload}, ${kind}: no baseline; \`npm run bench -- --update guard\` writes one`];
    const percent = Math.round((now / before - 1) * 100);
    return [
      `${workload}, ${kind}: ${now.toFixed(2)} times its yardstick, ${percent} % more than the baseline's ${before.toFixed(2)}; ${MARGINS[kind] * 100} % are allowed`,
    ];
  });
}
