import { WorkerClient } from '../runtime/worker-rpc.ts';
import type { FileState } from './file-tables.ts';
import type { OpenFileOptions } from './open-database.ts';
import type { FileGeometry } from './row-layout.ts';

/** Sources run as they are, and what was built from them lies beside each other in the same way. */
const WORKER_ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './file-worker.ts' : './file-worker.js',
  import.meta.url,
);

/** A thread that has a single file open. */
export interface FileThread extends Pick<WorkerClient, 'call' | 'terminate'> {
  /** What the file was made with. What is counted in it has gone on since. */
  readonly state: FileState;
  readonly geometry: FileGeometry;
}

/** A thread for calls that need no open file. */
export function startFileThread(): WorkerClient {
  return new WorkerClient(WORKER_ENTRY, 'holdfast file');
}

/** Opens a single file in a thread of its own. @throws as `openFileDatabase` */
export async function openFileThread(options: OpenFileOptions): Promise<FileThread> {
  const thread = startFileThread();
  try {
    const found = (await thread.call('openFile', [options])) as Pick<FileThread, 'state' | 'geometry'>;
    return {
      ...found,
      call: (method, args, how) => thread.call(method, args, how),
      terminate: () => thread.terminate(),
    };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}
