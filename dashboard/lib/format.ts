/** Numbers and times as people read them, in the language of the browser. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const number = new Intl.NumberFormat();
const [short, shorter] = [0, 1].map(
  (maximumFractionDigits) => new Intl.NumberFormat(undefined, { maximumFractionDigits }),
);
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function formatCount(count: number): string {
  return number.format(count);
}

/** `1 file`, `2 files`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return countOf(bytes, 'byte');
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${(value < 100 ? shorter : short)?.format(value)} ${UNITS[unit]}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

export function formatPercent(percent: number): string {
  return `${shorter?.format(percent)} %`;
}

export function formatMs(ms: number): string {
  return ms >= 1000 ? `${shorter?.format(ms / 1000)} s` : `${(ms < 10 ? shorter : short)?.format(ms)} ms`;
}

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 minutes ago`. @param iso ISO 8601 */
export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return 'just now';
}

export function formatTime(iso: string): string {
  return moment.format(new Date(iso));
}

/** @param day `2026-01-31` */
export function formatDay(day: string): string {
  return dayOnly.format(new Date(day));
}

/** `2 min 5 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
