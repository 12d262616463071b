import { formatBytes } from '../text/format-bytes.ts';
import { formatCount, formatDuration } from '../text/format-text.ts';

const BAR_LENGTH_MIN = 8;
const BAR_LENGTH_MAX = 30;

/** What a progress line shows. */
export interface ProgressState {
  readonly label: string;
  readonly bytes: number;
  /** Absent while unknown: no bar, no ETA then. */
  readonly bytesTotal?: number | undefined;
  /** Files or entries done; left away when undefined. */
  readonly items?: number | undefined;
  readonly bytesPerSecond: number;
}

function bar(share: number, length: number): string {
  const full = Math.floor(share * length);
  const head = full < length ? '>' : '';
  return `[${'='.repeat(full)}${head}${' '.repeat(length - full - head.length)}]`;
}

/**
 * One line of at most `columns - 1` characters, so that no terminal wraps it. The bar gives way first, then the
 * figures from the right.
 */
export function renderProgress(state: ProgressState, columns: number): string {
  const { label, bytes, bytesTotal, items, bytesPerSecond } = state;
  const known = bytesTotal !== undefined && bytesTotal > 0;
  // A file that grows while it is read must not show 101 %.
  const share = known ? Math.min(1, bytes / bytesTotal) : 0;
  const figures = [known ? `${formatBytes(bytes)} / ${formatBytes(Math.max(bytesTotal, bytes))}` : formatBytes(bytes)];
  figures.push(`${formatBytes(bytesPerSecond)}/s`);
  if (known && bytesPerSecond >= 1) figures.push(`ETA ${formatDuration((bytesTotal * (1 - share)) / bytesPerSecond)}`);
  if (items !== undefined) figures.push(`${formatCount(items)} done`);
  const head = known ? `${label} ${String(Math.floor(share * 100)).padStart(3)}%` : label;
  const text = [head, ...figures].join('  ');
  const room = columns - 1;
  const barLength = Math.min(BAR_LENGTH_MAX, room - text.length - 3);
  if (known && barLength >= BAR_LENGTH_MIN) return [`${head} ${bar(share, barLength)}`, ...figures].join('  ');
  return text.slice(0, Math.max(0, room));
}
