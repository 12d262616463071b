import { execFileSync } from 'node:child_process';
import os from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly zstd: string;
  /** Commit of the sources, with `+` when they have been changed since. */
  readonly commit: string;
}

function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // No git, or not a checkout: the figures are then those of an unknown commit, and say so.
    return undefined;
  }
}

function commit(): string {
  const head = git('rev-parse', '--short', 'HEAD');
  if (head === undefined) return 'unknown';
  return git('status', '--porcelain', '--untracked-files=no', '--', 'src') === '' ? head : `${head}+`;
}

/** What figures must be read with. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    zstd: process.versions.zstd ?? 'unknown',
    commit: commit(),
  };
}

export function formatMachine({ cpu, cores, memoryBytes, system, node, zstd, commit: sources }: Machine): string {
  const gib = (memoryBytes / 2 ** 30).toFixed(0);
  return `${cpu}, ${cores} cores, ${gib} GiB, ${system}; Node ${node}, zstd ${zstd}; commit ${sources}`;
}
