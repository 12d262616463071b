import { systemClock } from '../../src/runtime/clock.ts';
import type { Report } from '../harness/report.ts';
import { FLAT_WITHIN, flatnessOf } from './verdict.ts';

/** What so many units of something cost. */
export interface Cost {
  /** Of the processor, all threads of this process. */
  readonly processorUs: number;
  readonly elapsedUs: number;
}

/** One value of what grows, and what a unit of each kind of work costs there. */
export interface Point {
  readonly x: number;
  readonly label: string;
  readonly costs: Readonly<Record<string, Cost>>;
}

export interface Curve {
  /** Of the file of the plot. */
  readonly name: string;
  readonly title: string;
  /** What grows. */
  readonly along: string;
  /** What is counted: an entry, a mebibyte. */
  readonly unit: string;
  readonly points: readonly Point[];
}

/** @returns what one of `units` cost */
export async function costOf(units: number, work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const start = systemClock.monotonicMs();
  await work();
  const { user, system } = process.cpuUsage(before);
  // The clock of the processor may stand still over work this short.
  const processorUs = Math.max(1, user + system);
  return { processorUs: processorUs / units, elapsedUs: ((systemClock.monotonicMs() - start) * 1000) / units };
}

function operationsOf({ points }: Curve): readonly string[] {
  return Object.keys(points[0]?.costs ?? {});
}

/** The points of a curve, processor microseconds a unit, with what they were elapsed. */
export function pointsReport(curve: Curve): Report {
  const operations = operationsOf(curve);
  return {
    title: `curves: ${curve.title}, microseconds a ${curve.unit}`,
    columns: [
      { key: 'x', head: curve.along },
      ...operations.flatMap((operation) => [
        { key: operation, head: `${operation}, processor`, unit: 'us' as const },
        { key: `${operation} elapsed`, head: 'elapsed', unit: 'us' as const },
      ]),
    ],
    rows: curve.points.map(({ label, costs }) => ({
      x: label,
      ...Object.fromEntries(
        Object.entries(costs).flatMap(([operation, { processorUs, elapsedUs }]) => [
          [operation, processorUs],
          [`${operation} elapsed`, elapsedUs],
        ]),
      ),
    })),
  };
}

/** One line for each operation of each curve: is it flat? */
export function verdictReport(curves: readonly Curve[]): Report {
  const rows = curves.flatMap((curve) =>
    operationsOf(curve).map((operation) => {
      const costs = curve.points.map((point) => point.costs[operation]!.processorUs);
      const [first, last] = [costs[0]!, costs.at(-1)!];
      const range = `${curve.points[0]!.label} to ${curve.points.at(-1)!.label}`;
      return { along: curve.along, range, operation, unit: curve.unit, first, last, verdict: flatnessOf(costs) };
    }),
  );
  return {
    title: 'curves: processor microseconds a unit at both ends, and whether it is flat between',
    columns: [
      { key: 'along', head: 'along' },
      { key: 'range', head: 'from, to' },
      { key: 'operation', head: 'operation' },
      { key: 'unit', head: 'a' },
      { key: 'first', head: 'first', unit: 'us' },
      { key: 'last', head: 'last', unit: 'us' },
      { key: 'verdict', head: 'verdict' },
    ],
    rows,
    notes: [
      `flat: within ${FLAT_WITHIN}x; falls: a fixed cost is shared by more units; GROWS: the last is beyond ${FLAT_WITHIN}x of the least`,
    ],
  };
}
