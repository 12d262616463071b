import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names processes, and tells which of them are certainly gone. */
export interface ProcessLife {
  /** This process, so that others of the same machine recognise it. */
  readonly self: string;
  /** Whether a process, as it named itself, is gone for certain. One of another machine never is. */
  isGone(process: string): boolean;
}

/** What is the same for all processes that see each other, since the machine was started. */
function machineName(): string {
  const parts = [hostname()];
  for (const read of [
    () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    () => readlinkSync('/proc/self/ns/pid'),
  ]) {
    try {
      parts.push(read());
    } catch {
      // Not every system has it: the name is less certain to be one of a kind, and pids of others may look gone.
      parts.push('');
    }
  }
  return parts.join('/');
}

let machine: string | undefined;

function nameOf(pid: number): string {
  machine ??= machineName();
  return `${machine} pid ${pid}`;
}

/** Processes of this machine, by their ids. */
export const systemProcessLife: ProcessLife = {
  get self() {
    return nameOf(process.pid);
  },
  isGone(name) {
    const pid = Number(/ pid (\d+)$/.exec(name)?.[1] ?? Number.NaN);
    // Without the marks of a start of a machine, two of them may have one name.
    if (!Number.isSafeInteger(pid) || name !== nameOf(pid) || name.includes('//')) return false;
    try {
      process.kill(pid, 0);
      return false;
    } catch (error) {
      return (error as { code?: unknown }).code === 'ESRCH';
    }
  },
};
