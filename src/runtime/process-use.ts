/** What this process takes of its machine, and how late its event loop is. */
import type { Clock } from './clock.ts';
import { every } from './timers.ts';

/** How often the event loop is asked to be on time. */
const LOOK_MS = 20;

/**
 * Measures how late the event loop calls, again and again: as long as something else holds the thread, whoever asks for anything waits.
 * Never keeps the process alive.
 * @param onDelay gets milliseconds, 0 for none
 */
export function watchEventLoop(clock: Clock, onDelay: (ms: number) => void): { stop(): void } {
  let due = clock.monotonicMs() + LOOK_MS;
  return every(LOOK_MS, () => {
    const now = clock.monotonicMs();
    onDelay(Math.max(0, now - due));
    due = now + LOOK_MS;
  });
}

/** Of all threads of the process: its memory now, and the time that it has computed since it began. */
export function processUse(): { readonly residentBytes: number; readonly cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}
