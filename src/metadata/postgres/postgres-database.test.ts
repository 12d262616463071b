import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PostgresDatabase } from './postgres-database.ts';

/** A message of the protocol's version 3: type, length, content. */
function message(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(4 + content.length, 1);
  return Buffer.concat([head, content]);
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const SHUTDOWN = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
const ENDED = message('E', Buffer.from(SHUTDOWN));

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

/** Makes connections and ends them in the same bytes. */
async function endingServer(): Promise<number> {
  const made = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, ENDED])));
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as { readonly port: number }).port;
}

it('tells who waits that a connection ended in the bytes that made it, and the process goes on', async () => {
  const url = `postgres://somebody@127.0.0.1:${await endingServer()}/some`;
  const database = await PostgresDatabase.open({ url, schema: 'holdfast', readOnly: false, busyTimeoutMs: 1000 });
  const reads = Array.from({ length: 3 }, () => database.read((reader) => reader.all('SELECT 1', [])));
  for (const read of await Promise.allSettled(reads)) {
    expect(read).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code: 'METADATA_BUSY' } });
  }
  await database.close();
});
