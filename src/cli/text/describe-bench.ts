import type { BenchReport } from '../../bench/index.ts';
import { formatBytes } from './format-bytes.ts';
import { formatTable } from './table.ts';

type Figure = BenchReport['figures'][number];

/** Three digits that tell something: 1,234, 56.7, 0.891. */
function formatFigure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3);
}

function lineOf({ what, unit, median, min, max, samples }: Figure): readonly string[] {
  const spread = samples === 1 ? '' : `(${formatFigure(min)}-${formatFigure(max)})`;
  return [what, `${formatFigure(median)} ${unit}`, spread];
}

/** The figures as a table, then what they mean. */
export function describeBench({ machine, sealed, redundancy, figures, notes }: BenchReport): string {
  const { cpu, cores, memoryBytes, node } = machine;
  return [
    `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}, Node ${node}; ${sealed ? 'sealed' : 'plain'} store, redundancy ${redundancy}`,
    '',
    formatTable(['what', 'median', 'smallest-largest'], figures.map(lineOf)),
    '',
    ...notes,
  ].join('\n');
}
