import { WorkerClient } from '../runtime/worker-rpc.ts';

const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './content-worker.ts' : './content-worker.js',
  import.meta.url,
);

/** The thread that cuts and digests large contents: one for a store. Starts with its first call. */
export class ContentThread {
  #worker: WorkerClient | undefined;

  /** @param transfer memory that moves to the thread, which gives it back */
  call(method: string, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    this.#worker ??= new WorkerClient(WORKER, 'holdfast content');
    return this.#worker.call(method, args, { transfer });
  }

  /** Ends the thread. What is under way fails with `closed/STORE_CLOSED`; nothing may be called any more. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
