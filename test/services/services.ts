/** The services that `npm run test:services` starts, and ways to them that can be cut. */
import { createConnection, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { CreateBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/** Of an object store; `undefined` where there is none. */
export const ENDPOINT = process.env.HOLDFAST_TEST_S3;
/** URL of a database. */
export const SERVER = process.env.HOLDFAST_TEST_POSTGRES;
export const WHY_SKIPPED = ENDPOINT === undefined ? ' (needs real services: npm run test:services)' : '';

let buckets = 0;
let schemas = 0;

/** URL of a schema of the database that nobody has used. */
export function newSchema(): string {
  schemas += 1;
  return `${SERVER}?schema=store_${process.pid}_${schemas}`;
}

/** Makes a bucket. @returns its URL */
export async function makeBucket(): Promise<string> {
  buckets += 1;
  const Bucket = `holdfast-${process.pid}-${buckets}`;
  const client = connectedClient();
  await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  return `s3://${Bucket}?endpoint=${ENDPOINT}`;
}

/** Deletes what is in a bucket: the gateway keeps everything in memory. @param url as `makeBucket` gave it */
export async function emptyBucket(url: string): Promise<void> {
  const Bucket = new URL(url).hostname;
  const client = connectedClient();
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    if (Contents.length === 0) break;
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }));
  }
  client.destroy();
}

function connectedClient(): S3Client {
  return new S3Client({ endpoint: ENDPOINT ?? '', region: 'us-east-1', forcePathStyle: true });
}

export interface Relay {
  /** The URL by which what is asked for by another one is reached over the relay. */
  over(url: string): string;
  /** Ends all connections; new ones are taken. */
  drop(): void;
  /** Ends all connections, and takes no more. */
  cut(): Promise<void>;
}

/**
 * Another way to a service, no slower, which can be cut.
 * @param to a URL with its host and port
 * @param alter changes in place what goes to the service
 */
export async function openRelay(to = ENDPOINT ?? '', alter: (bytes: Buffer) => void = () => undefined): Promise<Relay> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const onward = createConnection({ port: Number(port), host: hostname, noDelay: true });
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
    const altered = new Transform({
      transform: (bytes: Buffer, _, done) => {
        alter(bytes);
        done(null, bytes);
      },
    });
    socket.pipe(altered).pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const own = address !== null && typeof address !== 'string' ? `127.0.0.1:${address.port}` : '';
  const drop = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    drop,
    over: (url) => url.replace(`${hostname}:${port}`, own),
    cut: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      drop();
      await closed;
    },
  };
}
