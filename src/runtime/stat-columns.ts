/** Facts of many files in one array, as they cross between threads: one object each costs ten times as much there. */
import type { NodeKind, NodeStat } from './folder-system.ts';

/** Whole numbers that one file takes. */
export const STAT_COLUMNS = 9;

/** Of one file what it was before it was read, and after. */
export const STAT_PAIR_COLUMNS = 2 * STAT_COLUMNS;

const KINDS: readonly NodeKind[] = ['file', 'folder', 'link', 'special'];

/** @param at index of the first number; Node's own numbers of devices and inodes are signed as well */
export function writeStat(columns: BigInt64Array, at: number, stat: NodeStat): void {
  columns[at] = BigInt(KINDS.indexOf(stat.kind));
  columns[at + 1] = BigInt(stat.mode);
  columns[at + 2] = BigInt(stat.size);
  columns[at + 3] = stat.mtimeNs;
  columns[at + 4] = stat.ctimeNs;
  columns[at + 5] = stat.ino;
  columns[at + 6] = stat.dev;
  columns[at + 7] = BigInt(stat.nlink);
  columns[at + 8] = BigInt(stat.allocated);
}

/** What `writeStat` wrote there. */
export function readStat(columns: BigInt64Array, at: number): NodeStat {
  const column = (index: number): bigint => columns[at + index] as bigint;
  return {
    kind: KINDS[Number(column(0))] as NodeKind,
    mode: Number(column(1)),
    size: Number(column(2)),
    mtimeNs: column(3),
    ctimeNs: column(4),
    ino: column(5),
    dev: column(6),
    nlink: Number(column(7)),
    allocated: Number(column(8)),
  };
}

/** Whether two files have the same facts. */
export function equalStats(columns: BigInt64Array, at: number, other: number): boolean {
  // By halves, which are numbers that need no memory.
  const halves = new Int32Array(columns.buffer, columns.byteOffset, 2 * columns.length);
  for (let half = 0; half < 2 * STAT_COLUMNS; half += 1)
    if (halves[2 * at + half] !== halves[2 * other + half]) return false;
  return true;
}
