/** Small durable puts, many at once, into a store whose metadata is in PostgreSQL and whose bytes are in a folder. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import { KIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import type { Report } from '../harness/report.ts';
import type { SharedBench } from './ingest.ts';

const PUTS = 5000;
const PUT_BYTES = 4 * KIB;
const IN_FLIGHT = 64;
const RATE_MIN = 500;

interface Run {
  readonly rate: number;
  readonly commits: number;
  readonly roundTrips: number;
  /** Processor milliseconds of this process a put. */
  readonly processor: number;
}

async function run({ library, services, context }: SharedBench, puts: number): Promise<Run> {
  const folder = path.join(context.workFolder, 'small');
  const place = { backend: folder, metadata: services.newSchema() };
  const store = await library.holdfast.createStore(place, { keys: { key: new Uint8Array(32).fill(9) }, gc: 'manual' });
  const random = seededRandom(9);
  const contents = Array.from({ length: puts }, () => random.bytes(PUT_BYTES));
  const before = (await store.stats()).requests.metadata?.roundTrips ?? 0;
  let next = 0;
  const putter = async (): Promise<void> => {
    for (let index = next++; index < puts; index = next++)
      await store.put(`entry-${index}`, contents[index] as Uint8Array);
  };
  const started = process.cpuUsage();
  const { seconds } = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, putter)));
  const { user, system } = process.cpuUsage(started);
  const roundTrips = ((await store.stats()).requests.metadata?.roundTrips ?? 0) - before;
  const { commits } = store.metrics();
  await store.close();
  rmSync(folder, { recursive: true });
  return { rate: puts / seconds, commits, roundTrips: roundTrips / puts, processor: (user + system) / 1000 / puts };
}

/** @returns puts a second, and how many of them share a commit */
export async function measureSmallPuts(bench: SharedBench): Promise<Report> {
  const { context } = bench;
  const puts = Math.ceil(PUTS * context.scale);
  await run(bench, Math.ceil(puts / 5));
  const runs: Run[] = [];
  for (let round = 0; round < context.rounds; round += 1) {
    const one = await run(bench, puts);
    context.say(`  small puts, round ${round + 1}: ${one.rate.toFixed(0)} a second, ${one.commits} commits`);
    runs.push(one);
  }
  const rate = spreadOf(runs.map((one) => one.rate));
  return {
    title: `shared: ${puts} durable puts of 4 KiB, ${IN_FLIGHT} in flight, metadata in PostgreSQL, bytes in a folder`,
    columns: [
      { key: 'rate', head: 'puts a second', unit: 'count' },
      { key: 'share', head: 'puts in a commit', unit: 'x' },
      { key: 'processor', head: 'processor time of this process a put', unit: 'ms' },
      { key: 'roundTrips', head: 'round trips to PostgreSQL a put', unit: 'x' },
    ],
    rows: [
      {
        rate,
        share: spreadOf(runs.map((one) => puts / one.commits)),
        processor: spreadOf(runs.map((one) => one.processor)),
        roundTrips: spreadOf(runs.map((one) => one.roundTrips)),
      },
    ],
    notes: [
      `goal: at least ${RATE_MIN} puts a second; ${rate.median >= RATE_MIN ? 'held' : 'MISSED'} (${rate.median.toFixed(0)})`,
      `the folder lies ${context.inMemory ? 'in memory' : 'on disk'}, the files of PostgreSQL beside it; its fsync is on`,
    ],
  };
}
