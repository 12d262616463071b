/** A client of the port that is its argument, in a process of its own: nothing of it runs on the event loop of the server. */
import { createReadStream, statSync } from 'node:fs';
import { connect } from 'node:net';
import { timed } from '../../src/bench/timing.ts';
import { createHasher, formatDigest } from '../../src/hash/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { every } from '../../src/runtime/timers.ts';
import { Connection, formatHead } from './connection.ts';
import type { Task, Told } from './tasks.ts';

/** Half a second for 16 KiB is 960 KiB in the 30 s in which the progress rule wants 32 KiB. */
const [TRICKLE_MS, TRICKLE_BYTES] = [500, 16 * KIB];
/** More than trickles through in any run. */
const TRICKLE_LENGTH = 1024 * MIB;
/** Spreads the order of reads: no record serves two in a row. */
const STRIDE = 7919;

const PORT = Number(process.argv[2]);

type Of<What extends Task['what']> = Extract<Task, { readonly what: What }>;

async function withConnection(work: (connection: Connection) => Promise<void>): Promise<number> {
  const connection = await Connection.open(PORT);
  try {
    return (await timed(() => work(connection))).seconds;
  } finally {
    connection.close();
  }
}

function download({ path, digest }: Of<'download'>): Promise<number> {
  return withConnection(async (connection) => {
    const hasher = createHasher('blake3');
    await connection.request({ method: 'GET', path }, undefined, (piece) => hasher.update(piece));
    const got = formatDigest('blake3', hasher.digest());
    if (got !== digest) throw new Error(`${path} came as ${got} and not as ${digest}`);
  });
}

function upload({ path, file }: Of<'upload'>): Promise<number> {
  const contentLength = statSync(file).size;
  return withConnection(async (connection) => {
    await connection.request({ method: 'PUT', path, contentLength }, createReadStream(file, { highWaterMark: MIB }));
  });
}

async function gets({ prefix, entries, total, inFlight, bytes }: Of<'gets'>): Promise<number> {
  const connections = await Promise.all(Array.from({ length: inFlight }, () => Connection.open(PORT)));
  let next = 0;
  const ask = async (connection: Connection): Promise<void> => {
    for (let nth = next++; nth < total; nth = next++) {
      const answer = await connection.request({ method: 'GET', path: `${prefix}${(nth * STRIDE) % entries}` });
      if (answer.bytes !== bytes) throw new Error(`${answer.bytes} bytes came instead of ${bytes}`);
    }
  };
  const { seconds } = await timed(() => Promise.all(connections.map(ask)));
  for (const connection of connections) connection.close();
  return seconds;
}

/** @returns once the server has answered, or has the first of the body */
async function trickle(path: string, isUpload: boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port: PORT, host: '127.0.0.1' });
  socket.once('error', reject);
  if (isUpload) {
    socket.write(formatHead({ method: 'PUT', path, contentLength: TRICKLE_LENGTH }));
    socket.write(systemRandom(TRICKLE_BYTES), () => resolve());
    every(TRICKLE_MS, () => socket.write(systemRandom(TRICKLE_BYTES)));
  } else {
    socket.write(formatHead({ method: 'GET', path }));
    // One read of the system a time, and nothing read ahead.
    socket.on('data', () => {
      socket.pause();
      resolve();
    });
    every(TRICKLE_MS, () => socket.resume());
  }
  await promise;
}

async function trickles({ path, clients }: Of<'trickle'>): Promise<number> {
  await Promise.all(
    Array.from({ length: clients }, (_, nth) =>
      nth % 2 === 0 ? trickle(path, false) : trickle(`${path}-slow-${nth}`, true),
    ),
  );
  return 0;
}

function run(task: Task): Promise<number> {
  switch (task.what) {
    case 'download':
      return download(task);
    case 'upload':
      return upload(task);
    case 'gets':
      return gets(task);
    case 'trickle':
      return trickles(task);
  }
}

process.on('message', (task: Task) => {
  const tell = (told: Told): void => void process.send?.(told);
  run(task).then(
    (seconds) => tell({ seconds }),
    (error: unknown) => tell({ error: String(error) }),
  );
});
