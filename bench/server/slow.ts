/** One fast client with and without slow ones beside it, in turns. */
import { createReadStream, statSync } from 'node:fs';
import { spreadOf } from '../../src/bench/spread.ts';
import { MIB } from '../../src/limits.ts';
import type { Goal } from '../goals/goal.ts';
import type { Report } from '../harness/report.ts';
import { Client } from './client.ts';
import { type Served, type ServerBench, withServed } from './served.ts';
import { putSmall, SMALL_BYTES } from './small.ts';

const SLOW_CLIENTS = 64;
const SPEED_MIN = 2 / 3;
const [ENTRIES, GETS, IN_FLIGHT] = [2000, 4000, 8];
/** Of the content, enough for a second or so. */
const LARGE_BYTES = 256 * MIB;

/** Seconds of the fast client. */
interface Fast {
  readonly download: number;
  readonly gets: number;
}

interface Pair {
  readonly alone: Fast;
  readonly beside: Fast;
}

async function beside<T>({ url }: Served, work: () => Promise<T>): Promise<T> {
  const slow = new Client(url);
  try {
    await slow.run({ what: 'trickle', path: '/files/large', clients: SLOW_CLIENTS });
    return await work();
  } finally {
    await slow.stop();
  }
}

async function pairsOf(bench: ServerBench, bytes: number): Promise<readonly Pair[]> {
  const { context, file } = bench;
  const [entries, total] = [Math.ceil(ENTRIES * context.scale), Math.ceil(GETS * context.scale)];
  return withServed(bench, 'slow', async (served) => {
    const { store, client } = served;
    const { digest } = await store.put('large', createReadStream(file, { end: bytes - 1, highWaterMark: MIB }));
    await putSmall(store, entries);
    const fast = async (): Promise<Fast> => ({
      download: await client.run({ what: 'download', path: '/files/large', digest }),
      gets: await client.run({
        ...{ what: 'gets', prefix: '/files/small-', entries, total, inFlight: IN_FLIGHT, bytes: SMALL_BYTES },
      }),
    });
    await fast();
    const pairs: Pair[] = [];
    for (let round = 1; round <= context.rounds; round += 1) {
      const first = round % 2 === 0 ? await fast() : undefined;
      const second = await beside(served, fast);
      pairs.push({ alone: first ?? (await fast()), beside: second });
      context.say(`  slow clients, round ${round} of ${context.rounds}`);
    }
    return pairs;
  });
}

/** @returns the table, and what is to hold */
export async function measureSlow(bench: ServerBench): Promise<{ report: Report; goals: readonly Goal[] }> {
  const bytes = Math.min(statSync(bench.file).size, LARGE_BYTES);
  const pairs = await pairsOf(bench, bytes);
  const total = Math.ceil(GETS * bench.context.scale);
  const speeds = (what: keyof Fast) => pairs.map(({ alone, beside: slow }) => alone[what] / slow[what]);
  const row = (what: keyof Fast, name: string, rateOf: (seconds: number) => string) => ({
    what: name,
    alone: rateOf(spreadOf(pairs.map(({ alone }) => alone[what])).median),
    beside: rateOf(spreadOf(pairs.map(({ beside: slow }) => slow[what])).median),
    speed: spreadOf(speeds(what)),
  });
  const goal = (what: keyof Fast, name: string): Goal => ({
    what: `${name} beside ${SLOW_CLIENTS} slow clients by alone`,
    bound: { least: SPEED_MIN },
    unit: 'x',
    samples: speeds(what),
  });
  return {
    goals: [goal('download', 'download'), goal('gets', 'GETs of 4 KiB')],
    report: {
      title: `server: a fast client beside ${SLOW_CLIENTS} slow ones`,
      columns: [
        { key: 'what', head: 'what' },
        { key: 'alone', head: 'alone' },
        { key: 'beside', head: 'beside them' },
        { key: 'speed', head: 'by alone', unit: 'x' },
      ],
      rows: [
        row('download', `download of ${(bytes / 1e6).toFixed(0)} MB`, (s) => `${(bytes / 1e6 / s).toFixed(0)} MB/s`),
        row('gets', `GETs of 4 KiB, ${IN_FLIGHT} in flight`, (s) => `${(total / s).toFixed(0)} a second`),
      ],
      notes: [
        'half of the slow ones read a download, half of them send an upload, each of them some 32 to 128 KiB a second',
      ],
    },
  };
}
