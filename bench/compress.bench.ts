/** What `src/compress` costs: throughput by calls in flight, main-thread share, and where the synchronous path pays. */
import { performance } from 'node:perf_hooks';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf, timed } from '../src/bench/timing.ts';
import { compress, compressSync, decompress, decompressSync } from '../src/compress/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import type { Bench } from './harness/bench.ts';
import { readSample } from './harness/corpora.ts';
import type { Report } from './harness/report.ts';

const SAMPLE_BYTES = 64 * MIB;
const IN_FLIGHT = [1, 2, 4, 8];
const SMALL_SIZES = [256, KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB];
const SMALL_COUNT = 400;

type Task = () => Promise<unknown>;

async function runInFlight(tasks: readonly Task[], count: number): Promise<void> {
  const queue = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of queue) await task();
  };
  await Promise.all(Array.from({ length: count }, worker));
}

function slices(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Throughput of tasks over `bytes` plain bytes, and the share of the time in which the main thread was busy. */
async function flightRow(
  label: string,
  tasks: readonly Task[],
  shape: { readonly inFlight: number; readonly bytes: number; readonly rounds: number },
) {
  const busy: number[] = [];
  const seconds = await measure(shape.rounds, async () => {
    const before = performance.eventLoopUtilization();
    await runInFlight(tasks, shape.inFlight);
    busy.push(100 * performance.eventLoopUtilization(before).utilization);
  });
  return { what: label, inFlight: shape.inFlight, rate: rateOf(shape.bytes, seconds), busy: spreadOf(busy.slice(1)) };
}

async function throughput(sample: Uint8Array, rounds: number): Promise<Report> {
  const records = slices(sample, MIB);
  const noise = slices(systemRandom(SAMPLE_BYTES), MIB);
  const opened = await Promise.all(records.map(async (record) => compress(record)));
  const rows = [];
  for (const inFlight of IN_FLIGHT) {
    const shape = { inFlight, bytes: records.length * MIB, rounds };
    const work = records.map((record) => () => compress(record));
    rows.push(await flightRow('compress, level 1', work, shape));
  }
  for (const inFlight of IN_FLIGHT) {
    const work = opened.map(
      ({ codec, bytes }) =>
        () =>
          decompress(codec, bytes, MIB),
    );
    rows.push(await flightRow('decompress', work, { inFlight, bytes: records.length * MIB, rounds }));
  }
  const work = noise.map((record) => () => compress(record));
  rows.push(await flightRow('compress, random bytes', work, { inFlight: 1, bytes: noise.length * MIB, rounds }));
  const stored = opened.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return {
    title: 'compress: records of 1 MiB',
    columns: [
      { key: 'what', head: 'what' },
      { key: 'inFlight', head: 'in flight', unit: 'count' },
      { key: 'rate', head: 'rate', unit: 'MB/s' },
      { key: 'busy', head: 'main thread busy', unit: '%' },
    ],
    rows,
    notes: [`compressed to ${((100 * stored) / (records.length * MIB)).toFixed(1)} %`, 'rates are plain bytes'],
  };
}

/** Microseconds a call, one after another. */
async function perCall(rounds: number, calls: readonly Task[]): Promise<Spread> {
  const seconds = await measure(rounds, async () => {
    for (const call of calls) await call();
  });
  return spreadOf(seconds.samples.map((sample) => (sample / calls.length) * 1e6));
}

async function smallRow(sample: Uint8Array, size: number, rounds: number) {
  const plain = slices(sample, Math.floor(sample.length / SMALL_COUNT)).map((slice) => slice.subarray(0, size));
  const packed = plain.map((bytes) => compressSync(bytes));
  return {
    size,
    compressAtOnce: await perCall(
      rounds,
      plain.map((bytes) => async () => compressSync(bytes)),
    ),
    compress: await perCall(
      rounds,
      plain.map((bytes) => () => compress(bytes)),
    ),
    decompressAtOnce: await perCall(
      rounds,
      packed.map(
        ({ codec, bytes }) =>
          async () =>
            decompressSync(codec, bytes, size),
      ),
    ),
    decompress: await perCall(
      rounds,
      packed.map(
        ({ codec, bytes }) =>
          () =>
            decompress(codec, bytes, size),
      ),
    ),
  };
}

async function small(sample: Uint8Array, rounds: number): Promise<Report> {
  const rows = [];
  for (const size of SMALL_SIZES) rows.push(await smallRow(sample, size, rounds));
  return {
    title: 'compress: small records, microseconds a call, one at a time',
    columns: [
      { key: 'size', head: 'bytes', unit: 'count' },
      { key: 'compressAtOnce', head: 'compressSync', unit: 'us' },
      { key: 'compress', head: 'compress', unit: 'us' },
      { key: 'decompressAtOnce', head: 'decompressSync', unit: 'us' },
      { key: 'decompress', head: 'decompress', unit: 'us' },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'compress',
  about: 'throughput of compression, its share of the main thread, and small records',
  async run({ corpus, rounds, say }) {
    const file = corpus('typescript.tar');
    if (file === undefined) say('compressing the binary of Node instead');
    const sample = await readSample(file ?? process.execPath, SAMPLE_BYTES);
    const { seconds, value } = await timed(async () => [await throughput(sample, rounds), await small(sample, rounds)]);
    say(`  took ${seconds.toFixed(0)} s`);
    return value;
  },
};
