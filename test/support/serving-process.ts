/**
 * A server in a process of its own, so that what it takes of the machine can be seen from outside. It prints its URL, tells
 * stderr of its own failures, and stops as `holdfast serve` does.
 *
 *     node serving-process.ts <orders as JSON>
 */
import { openStore } from '../../src/index.ts';
import { type ServeOptions, serve, TokenFile } from '../../src/server/index.ts';
import { STORE_KEY } from './sealed-store.ts';

export interface ServingOrders extends Pick<ServeOptions, 'limits' | 'headerMs' | 'uploads'> {
  /** Of a store that `STORE_KEY` opens. */
  readonly store: string;
  readonly tokens: string;
}

async function main({ store: location, tokens, ...options }: ServingOrders): Promise<void> {
  const store = await openStore(location, { keys: { key: STORE_KEY } });
  const tell = (message: string, details: object = {}): void => {
    const { error, ...rest } = details as { error?: unknown };
    process.stderr.write(`${message} ${JSON.stringify(rest)} ${error instanceof Error ? error.stack : error}\n`);
  };
  const logger = { debug: () => undefined, info: () => undefined, warn: tell, error: tell };
  const server = await serve(store, { ...options, port: 0, access: { tokens: new TokenFile(tokens) }, logger });
  process.stdout.write(`${server.url}\n`);
  process.once('SIGTERM', () => void server.close().then(() => store.close()));
}

await main(JSON.parse(process.argv[2] ?? '{}') as ServingOrders);
