/** What a bench hands back: a table as data. The text on the screen and the JSON file are two views of it. */
import type { Spread } from '../../src/bench/spread.ts';

export type Cell = string | number | Spread | undefined;

/** How a number reads: seconds, bytes in decimal kilobytes or megabytes, decimal megabytes a second, a factor, per cent, a plain number. */
export type Unit = 's' | 'ms' | 'us' | 'kB' | 'MB' | 'MB/s' | 'x' | '%' | 'count' | 'text';

export interface Column {
  readonly key: string;
  readonly head: string;
  /** Default `text`. */
  readonly unit?: Unit;
}

export interface Report {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** Lines below the table: what was left out and why, what the figures stand on. */
  readonly notes?: readonly string[];
  /** Lines on what must hold and does not: with one of them `npm run bench` ends with 1. */
  readonly failures?: readonly string[];
}

const DIGITS: Readonly<Record<Unit, number>> = {
  s: 2,
  ms: 2,
  us: 1,
  kB: 1,
  MB: 1,
  'MB/s': 0,
  x: 2,
  '%': 2,
  count: 0,
  text: 2,
};
const SCALE: Readonly<Partial<Record<Unit, number>>> = { kB: 1e-3, MB: 1e-6 };

function formatNumber(value: number, unit: Unit): string {
  return (value * (SCALE[unit] ?? 1)).toFixed(DIGITS[unit]);
}

function formatCell(cell: Cell, unit: Unit): string {
  if (cell === undefined) return '-';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return formatNumber(cell, unit);
  const median = formatNumber(cell.median, unit);
  if (cell.samples.length === 1) return median;
  return `${median} (${formatNumber(cell.min, unit)}-${formatNumber(cell.max, unit)})`;
}

function headOf({ head, unit = 'text' }: Column): string {
  return unit === 'text' || unit === 'count' ? head : `${head} [${unit}]`;
}

/** The report as aligned plain text, numbers to the right. */
export function formatReport({ title, columns, rows, notes = [], failures = [] }: Report): string {
  const cells = [
    columns.map(headOf),
    ...rows.map((row) => columns.map(({ key, unit = 'text' }) => formatCell(row[key], unit))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  const align = (text: string, index: number): string =>
    (columns[index]!.unit ?? 'text') === 'text' ? text.padEnd(widths[index]!) : text.padStart(widths[index]!);
  const lines = cells.map((line) => line.map(align).join('  ').trimEnd());
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return [
    title,
    '',
    ...lines,
    ...notes.map((note) => `note: ${note}`),
    ...failures.map((line) => `FAILED: ${line}`),
    '',
  ].join('\n');
}

/** The report as Markdown, for docs/benchmarks.md. */
export function formatMarkdown({ title, columns, rows, notes = [] }: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const isText = ({ unit = 'text' }: Column): boolean => unit === 'text';
  return [
    `**${title}**`,
    '',
    line(columns.map(headOf)),
    line(columns.map((column) => (isText(column) ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(({ key, unit = 'text' }) => formatCell(row[key], unit)))),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}
