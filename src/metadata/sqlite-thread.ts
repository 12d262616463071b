import type { ThreadEntry } from '../runtime/warm-threads.ts';

/** The thread that has metadata in SQLite. Sources run as they are, and what was built lies beside each other in the same way. */
export const SQLITE_THREAD: ThreadEntry = {
  entry: new URL(import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js', import.meta.url),
  name: 'holdfast metadata',
};
