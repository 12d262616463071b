import { type Spread, spreadOf } from '../../src/bench/spread.ts';
import type { Report, Unit } from '../harness/report.ts';

/** A bound that is to be held, and what was measured. */
export interface Goal {
  readonly what: string;
  /** `least`: more is better. `most`: less is. */
  readonly bound: { readonly least: number } | { readonly most: number };
  readonly unit: Extract<Unit, 'ms' | 'kB' | 'MB' | 'MB/s' | 'x' | 'count'>;
  /** One of each round. */
  readonly samples: readonly number[];
}

/** Whether the median is within the bound. */
export function isHeld({ bound, samples }: Goal): boolean {
  const { median } = spreadOf(samples);
  return 'least' in bound ? median >= bound.least : median <= bound.most;
}

const SCALES: Readonly<Partial<Record<Goal['unit'], number>>> = { kB: 1e3, MB: 1e6 };

function boundText({ bound, unit }: Goal): string {
  const [word, value] = 'least' in bound ? ['at least', bound.least] : ['at most', bound.most];
  return `${word} ${(value / (SCALES[unit] ?? 1)).toLocaleString('en', { maximumFractionDigits: 2 })}`;
}

function scaled(spread: Spread, by: number): Spread {
  return spreadOf(spread.samples.map((sample) => sample / by));
}

/** Goal, figure, held or not. */
export function goalsReport(goals: readonly Goal[], notes: readonly string[]): Report {
  return {
    title: 'goals: what is to hold, and whether it does',
    columns: [
      { key: 'what', head: 'what' },
      { key: 'unit', head: 'in' },
      { key: 'bound', head: 'goal' },
      { key: 'figure', head: 'figure' },
      { key: 'held', head: 'held' },
    ],
    rows: goals.map((goal) => ({
      what: goal.what,
      unit: goal.unit === 'count' ? 'a second' : goal.unit,
      bound: boundText(goal),
      figure: scaled(spreadOf(goal.samples), SCALES[goal.unit] ?? 1),
      held: isHeld(goal) ? 'yes' : 'NO',
    })),
    notes,
  };
}
