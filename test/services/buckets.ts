/** Buckets of the object store that `npm run test:services` starts, and ways to it that can be cut. */
import { createConnection, createServer, type Socket } from 'node:net';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** `undefined` where there is none. */
export const ENDPOINT = process.env.HOLDFAST_TEST_S3;
export const WHY_SKIPPED = ENDPOINT === undefined ? ' (needs a real object store: npm run test:services)' : '';

let buckets = 0;

/** Makes a bucket. @returns its URL */
export async function makeBucket(): Promise<string> {
  buckets += 1;
  const Bucket = `holdfast-${process.pid}-${buckets}`;
  const client = new S3Client({ endpoint: ENDPOINT ?? '', region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  return `s3://${Bucket}?endpoint=${ENDPOINT}`;
}

export interface Relay {
  /** The URL by which a bucket is reached over the relay. */
  over(url: string): string;
  /** Ends all connections, and takes no more. */
  cut(): Promise<void>;
}

/** Another way to the object store, which can be cut. */
export async function openRelay(): Promise<Relay> {
  const { hostname, port } = new URL(ENDPOINT ?? '');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = createConnection(Number(port), hostname);
    for (const one of [socket, onward]) {
      open.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          socket.destroy();
          onward.destroy();
          open.delete(one);
        });
    }
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const own = address !== null && typeof address !== 'string' ? `127.0.0.1:${address.port}` : '';
  return {
    over: (url) => url.replace(`${hostname}:${port}`, own),
    cut: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
