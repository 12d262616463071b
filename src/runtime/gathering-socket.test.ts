import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { GatheringSocket } from './gathering-socket.ts';

it('sends what is written in one turn together, in its order, and later writes later', async () => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new GatheringSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const writes: number[] = [];
  const writev = socket._writev?.bind(socket);
  socket._writev = (chunks, done) => {
    writes.push(chunks.length);
    writev?.(chunks, done);
  };
  const { promise: written, resolve } = Promise.withResolvers<void>();
  socket.write('a');
  socket.write(new Uint8Array([98]), () => writes.push(0));
  await Promise.resolve();
  socket.write('63', 'hex', () => resolve());
  await written;
  for (const letter of ['d', 'e']) socket.write(letter);
  socket.end();
  expect(Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString()).toBe('abcde');
  expect(writes).toEqual([3, 0, 2]);
  server.close();
});
