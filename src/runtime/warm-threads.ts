import { WorkerClient } from './worker-rpc.ts';

/** What a thread runs. */
export interface ThreadEntry {
  /** Module that calls `serveCalls`. */
  readonly entry: URL;
  readonly name: string;
}

/** Threads that were started before anybody had use for them, by their modules. */
const warm = new Map<string, WorkerClient>();

/**
 * Starts a thread for {@link takeThread}: a program that knows what it will need has its modules loaded beside its own.
 * One that nobody takes ends with the process, which it does not keep alive.
 */
export function warmThread({ entry, name }: ThreadEntry): void {
  if (!warm.has(entry.href)) warm.set(entry.href, new WorkerClient(entry, name));
}

/** A thread: the one that was started for it, else a new one. */
export function takeThread({ entry, name }: ThreadEntry): WorkerClient {
  const found = warm.get(entry.href);
  warm.delete(entry.href);
  return found ?? new WorkerClient(entry, name);
}
