import { startFileThread } from './file-thread.ts';

/** Copies a file in a thread of its own; see `copyFile`. */
export async function copySingleFile(
  path: string,
  to: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    /** Told the pages done and all pages. */
    readonly progress?: (done: number, total: number) => void;
  },
): Promise<void> {
  const thread = startFileThread();
  try {
    await thread.call('copyFile', [path, to], options);
  } finally {
    await thread.terminate();
  }
}
