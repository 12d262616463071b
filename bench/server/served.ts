import path from 'node:path';
import type { Store } from '../../src/index.ts';
import type { BenchContext } from '../harness/bench.ts';
import type { Library } from '../harness/library.ts';
import { Client } from './client.ts';

/** What the workloads are given. */
export interface ServerBench {
  readonly library: Library;
  readonly context: BenchContext;
  /** The large content. */
  readonly file: string;
}

/** A plain store behind a server of this process, and a client in another one. */
export interface Served {
  readonly store: Store;
  readonly client: Client;
  readonly url: string;
}

/** Runs `work` on a new store, which is closed then; its folder goes with the bench. */
export async function withServed<T>(
  { library, context }: ServerBench,
  name: string,
  work: (served: Served) => Promise<T>,
): Promise<T> {
  const store = await library.holdfast.createStore(path.join(context.workFolder, name), { keys: 'none', gc: 'manual' });
  const running = await library.server.serve(store, { port: 0, access: { loopback: true }, graceMs: 0 });
  const client = new Client(running.url);
  try {
    return await work({ store, client, url: running.url });
  } finally {
    await client.stop();
    await running.close();
    await store.close();
  }
}
