import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { systemClock } from '../../src/runtime/clock.ts';
import { every } from '../../src/runtime/timers.ts';
import { sampleTree } from './process-tree.ts';

/** Short against the second that the shortest runs take, long against the 0.1 ms of a sample. */
const SAMPLE_INTERVAL_MS = 20;
/** Enough of what a failing tool says to know why. */
const ERROR_TEXT_MAX = 2000;

export interface ProcessRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** File that takes standard output; without it the output is dropped. */
  readonly stdoutFile?: string;
}

export interface ProcessResult {
  readonly seconds: number;
  /** Largest sampled sum of resident bytes over the process tree; 0 where there is no /proc. */
  readonly peakBytes: number;
  /** User and system seconds of the process tree, as last sampled of each process. */
  readonly cpuSeconds: number;
}

class UsageSampler {
  peakBytes = 0;
  readonly #cpuSeconds = new Map<number, number>();

  sample(pid: number): void {
    if (process.platform !== 'linux') return;
    const { residentBytes, cpuSeconds } = sampleTree(pid);
    this.peakBytes = Math.max(this.peakBytes, residentBytes);
    for (const [each, seconds] of cpuSeconds)
      this.#cpuSeconds.set(each, Math.max(seconds, this.#cpuSeconds.get(each) ?? 0));
  }

  get cpuSeconds(): number {
    return [...this.#cpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  }
}

/**
 * Runs a program to its end and measures it from outside.
 * @throws when it cannot be started or ends with another status than 0, with the end of what it said
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const { command, args, cwd, env, stdoutFile } = request;
  const output = stdoutFile === undefined ? 'ignore' : openSync(stdoutFile, 'w');
  const start = systemClock.monotonicMs();
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', output, 'pipe'] });
  if (typeof output === 'number') closeSync(output);
  let errorText = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-ERROR_TEXT_MAX);
  });
  const sampler = new UsageSampler();
  const ticker = every(SAMPLE_INTERVAL_MS, () => sampler.sample(child.pid!));
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const seconds = (systemClock.monotonicMs() - start) / 1000;
    if (status !== 0)
      throw new Error(`\`${command} ${args.join(' ')}\` ended with status ${status}: ${errorText.trim()}`);
    return { seconds, peakBytes: sampler.peakBytes, cpuSeconds: sampler.cpuSeconds };
  } finally {
    ticker.stop();
  }
}
