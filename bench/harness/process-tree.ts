/**
 * What a process and its children use, read from /proc. Linux only: elsewhere the figures are absent, not zero.
 */
import { readFileSync } from 'node:fs';

/** The kernel counts processor time in these, on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

export interface TreeUsage {
  /** Resident bytes of all processes of the tree together. */
  readonly residentBytes: number;
  /** User and system seconds by process id. */
  readonly cpuSeconds: ReadonlyMap<number, number>;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    // A process may end between being listed and being read.
    const code = (error as { code?: unknown }).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readProc(`${pid}/task/${pid}/children`) ?? '';
  return text.split(' ').filter(Boolean).map(Number);
}

function cpuSecondsOf(pid: number): number {
  // The name in parentheses may hold spaces; the fields are counted after it (proc(5): utime is 14, stime 15).
  const fields = (readProc(`${pid}/stat`) ?? '').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? '');
  return Number(match?.[1] ?? 0) * 1024;
}

/** @returns the usage now; processes that have ended are not in it */
export function sampleTree(root: number): TreeUsage {
  const pids = [root];
  for (let index = 0; index < pids.length; index += 1) pids.push(...childrenOf(pids[index]!));
  const cpuSeconds = new Map(pids.map((pid) => [pid, cpuSecondsOf(pid)]));
  return { residentBytes: pids.reduce((sum, pid) => sum + residentBytesOf(pid), 0), cpuSeconds };
}
