/** Putting content into a store whose bytes are in a bucket, beside uploading bytes without any store. */
import { randomFillSync } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { type Spread, spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import { MIB } from '../../src/limits.ts';
import type { BenchContext } from '../harness/bench.ts';
import type { Library } from '../harness/library.ts';
import type { Report } from '../harness/report.ts';
import { contentOf } from '../harness/sample-content.ts';
import { plainUpload } from './plain-upload.ts';
import type { Services } from './services.ts';

const RANDOM_BYTES = 256 * MIB;
const CORPUS = 'linux.tar';
const RANDOM_SHARE_MIN = 0.8;
const TARBALL_RATIO_MAX = 1.25;
const KEYS = { key: new Uint8Array(32).fill(7) };

export interface SharedBench {
  readonly library: Library;
  readonly services: Services;
  readonly context: BenchContext;
}

/** Seconds that a put takes which is durable in the end, and the bytes that lie there then. */
async function ingest(
  { library }: SharedBench,
  place: Parameters<Library['holdfast']['createStore']>[0],
  file: string,
): Promise<{ readonly seconds: number; readonly storedBytes: number }> {
  const store = await library.holdfast.createStore(place, { keys: KEYS, gc: 'manual' });
  try {
    const { seconds } = await timed(() => store.put('content', { path: file }));
    return { seconds, storedBytes: (await store.stats()).storedBytes };
  } finally {
    await store.close();
  }
}

async function ingestToBucket(bench: SharedBench, file: string): Promise<Awaited<ReturnType<typeof ingest>>> {
  const { services } = bench;
  const bucket = await services.makeBucket();
  const place = { backend: services.urlOf(bucket), metadata: services.newSchema() };
  const done = await ingest(bench, place, file);
  await services.dropBucket(bucket);
  return done;
}

async function ingestToFolder(bench: SharedBench, file: string): Promise<number> {
  const folder = path.join(bench.context.workFolder, 'folder');
  const { seconds } = await ingest(bench, folder, file);
  rmSync(folder, { recursive: true });
  return seconds;
}

async function upload({ services }: SharedBench, file: string, bytes: number): Promise<number> {
  const bucket = await services.makeBucket();
  const { seconds } = await timed(() => plainUpload(services, { bucket, file, bytes }));
  await services.dropBucket(bucket);
  return seconds;
}

async function writeRandom(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'w');
  const block = new Uint8Array(MIB);
  for (let left = bytes; left > 0; left -= MIB) await handle.write(randomFillSync(block), 0, Math.min(left, MIB));
  await handle.close();
}

type Seconds = Readonly<Record<string, number>>;
type Steps = Readonly<Record<string, () => Promise<number>>>;

/** Of a step, by its name: how long it took, and the processor seconds of this process, which has no service in it. */
interface Round {
  readonly seconds: Seconds;
  readonly processor: Seconds;
}

/** Runs the steps of a round, every other time from the last to the first. */
async function inTurn(round: number, steps: Steps): Promise<Round> {
  const [seconds, processor]: Record<string, number>[] = [{}, {}];
  const all = Object.entries(steps);
  for (const [name, step] of round % 2 === 0 ? all : all.toReversed()) {
    const before = process.cpuUsage();
    const took = await step();
    const { user, system } = process.cpuUsage(before);
    Object.assign(seconds as object, { [name]: took });
    Object.assign(processor as object, { [name]: (user + system) / 1e6 });
  }
  return { seconds, processor } as Round;
}

async function rounds({ context }: SharedBench, what: string, steps: Steps): Promise<readonly Round[]> {
  const done: Round[] = [];
  // The first is not counted: it pays for compilation, and for what the services make when they are asked first.
  for (let round = 0; round <= context.rounds; round += 1) {
    const one = await inTurn(round, steps);
    const told = Object.entries(one.seconds).map(([name, value]) => `${name} ${value.toFixed(2)} s`);
    context.say(`  ${what}, round ${round}: ${told.join(', ')}`);
    if (round > 0) done.push(one);
  }
  return done;
}

/** A row for seconds, with the ratio, and one for processor seconds. */
function rowsOf(all: readonly Round[], names: readonly string[], ratio: Spread): Report['rows'] {
  const row = (what: keyof Round) =>
    Object.fromEntries(names.map((name) => [name, spreadOf(all.map((one) => one[what][name] as number))]));
  return [
    { what: 'seconds', ...row('seconds'), ratio },
    { what: 'of them processor, this process', ...row('processor') },
  ];
}

function verdict(goal: string, held: boolean, figure: number): string {
  return `goal: ${goal}; ${held ? 'held' : 'MISSED'} (${figure.toFixed(2)})`;
}

async function randomReport(bench: SharedBench): Promise<Report> {
  const { scale, workFolder } = bench.context;
  const [file, bytes] = [path.join(workFolder, 'random'), Math.ceil(RANDOM_BYTES * scale)];
  await writeRandom(file, bytes);
  const all = await rounds(bench, 'random', {
    upload: () => upload(bench, file, bytes),
    ingest: async () => (await ingestToBucket(bench, file)).seconds,
  });
  const share = spreadOf(all.map(({ seconds }) => (seconds.upload as number) / (seconds.ingest as number)));
  return {
    title: `shared: ${(bytes / 1e6).toFixed(0)} MB of random content into a bucket, ${all.length} interleaved pairs`,
    columns: [
      { key: 'what', head: '' },
      { key: 'upload', head: 'uploaded as it is', unit: 's' },
      { key: 'ingest', head: 'put into a sealed store', unit: 's' },
      { key: 'ratio', head: 'speed of the store by that of the upload, of pairs', unit: 'x' },
    ],
    rows: rowsOf(all, ['upload', 'ingest'], share),
    notes: [verdict('at least 0.80 of the upload', share.median >= RANDOM_SHARE_MIN, share.median)],
  };
}

async function tarballReport(bench: SharedBench): Promise<Report> {
  const file = await contentOf(CORPUS, bench.context);
  const size = statSync(file).size;
  let storedBytes = 0;
  const all = await rounds(bench, path.basename(file), {
    bucket: async () => {
      const done = await ingestToBucket(bench, file);
      ({ storedBytes } = done);
      return done.seconds;
    },
    folder: () => ingestToFolder(bench, file),
    upload: () => upload(bench, file, storedBytes),
  });
  const slower = ({ folder, upload: plain }: Seconds): number => Math.max(folder as number, plain as number);
  const ratio = spreadOf(all.map(({ seconds }) => (seconds.bucket as number) / slower(seconds)));
  return {
    title: `shared: ${path.basename(file)}, ${(size / 1e6).toFixed(0)} MB, into a sealed store, ${all.length} interleaved rounds`,
    columns: [
      { key: 'what', head: '' },
      { key: 'bucket', head: 'bucket and PostgreSQL', unit: 's' },
      { key: 'folder', head: 'folder', unit: 's' },
      { key: 'upload', head: 'the stored bytes uploaded as they are', unit: 's' },
      { key: 'ratio', head: 'bucket by the slower of both', unit: 'x' },
    ],
    rows: rowsOf(all, ['bucket', 'folder', 'upload'], ratio),
    notes: [
      verdict('at most 1.25 of the slower', ratio.median <= TARBALL_RATIO_MAX, ratio.median),
      `stored: ${(storedBytes / 1e6).toFixed(0)} MB`,
    ],
  };
}

/** @returns a table for random content, and one for a tarball */
export async function measureIngest(bench: SharedBench): Promise<readonly Report[]> {
  return [await randomReport(bench), await tarballReport(bench)];
}
