import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { sampleTree } from '../../../bench/harness/process-tree.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { every } from '../../../src/runtime/timers.ts';

const SAMPLE_INTERVAL_MS = 20;

export interface Measured {
  readonly seconds: number;
  /** Largest sum of resident bytes over the process and its children, seen every 20 ms. */
  readonly treeBytes: number;
  /** The kernel's own high-water mark of the process: nothing between two looks escapes it. */
  readonly peakBytes: number;
}

export interface MeasuredProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended well. */
  readonly ended: Promise<Measured>;
}

function highWaterMark(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It has ended: what was seen last counts.
    return 0;
  }
}

/** Starts a program and measures its memory until it ends. Linux only. */
export function measure(args: readonly string[], options: SpawnOptions): MeasuredProcess {
  const start = systemClock.monotonicMs();
  const child = spawn(process.execPath, args, options);
  const { pid } = child;
  if (pid === undefined) throw new Error('the process could not be started');
  let treeBytes = 0;
  let peakBytes = 0;
  const ticker = every(SAMPLE_INTERVAL_MS, () => {
    treeBytes = Math.max(treeBytes, sampleTree(pid).residentBytes);
    peakBytes = Math.max(peakBytes, highWaterMark(pid));
  });
  const end = async (): Promise<Measured> => {
    const [status] = await once(child, 'exit');
    ticker.stop();
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
    return { seconds: (systemClock.monotonicMs() - start) / 1000, treeBytes, peakBytes };
  };
  return { child, ended: end() };
}
