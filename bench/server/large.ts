/** A large content in and out, by the library in this process and over HTTP: which of the two goes first changes by round. */
import { createReadStream, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import type { Store } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import type { Goal } from '../goals/goal.ts';
import type { Report } from '../harness/report.ts';
import { type Cost, costOf } from './client.ts';
import { type ServerBench, withServed } from './served.ts';

const RATIO_MIN = 0.5;

interface Pair {
  readonly library: Cost;
  readonly http: Cost;
}

async function pairOf(libraryFirst: boolean, run: { [way in keyof Pair]: () => Promise<number> }): Promise<Pair> {
  const first = libraryFirst ? await costOf(run.library) : undefined;
  const http = await costOf(run.http);
  return { http, library: first ?? (await costOf(run.library)) };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  return (await timed(work)).seconds;
}

async function readAll(store: Store): Promise<void> {
  for await (const _piece of store.read('large'));
}

/** One round: each of the ways in goes into a store of its own, which has nothing of the content yet. */
async function round(bench: ServerBench, nth: number): Promise<{ up: Pair; down: Pair }> {
  const { library, context, file } = bench;
  const alone = path.join(context.workFolder, 'alone');
  const store = await library.holdfast.createStore(alone, { keys: 'none', gc: 'manual' });
  try {
    return await withServed(bench, 'large', async ({ store: served, client }) => {
      const up = await pairOf(nth % 2 === 0, {
        library: () => secondsOf(() => store.put('large', createReadStream(file, { highWaterMark: MIB }))),
        http: () => client.run({ what: 'upload', path: '/files/large', file }),
      });
      const { digest } = await served.stat('large');
      const down = await pairOf(nth % 2 === 0, {
        library: () => secondsOf(() => readAll(served)),
        http: () => client.run({ what: 'download', path: '/files/large', digest }),
      });
      return { up, down };
    });
  } finally {
    await store.close();
    for (const name of ['alone', 'large']) await rm(path.join(context.workFolder, name), { recursive: true });
  }
}

const ratioOf = ({ library, http }: Pair): number => library.seconds / http.seconds;

function rowOf(what: string, bytes: number, pairs: readonly Pair[]) {
  const rates = (way: keyof Pair) => spreadOf(pairs.map((pair) => bytes / 1e6 / pair[way].seconds));
  const processor = (way: keyof Pair) => spreadOf(pairs.map((pair) => pair[way].cpuSeconds / (bytes / 1e9)));
  return {
    what,
    library: rates('library'),
    http: rates('http'),
    ratio: spreadOf(pairs.map(ratioOf)),
    libraryCpu: processor('library'),
    httpCpu: processor('http'),
  };
}

/** @returns the table, and what is to hold */
export async function measureLarge(bench: ServerBench): Promise<{ report: Report; goals: readonly Goal[] }> {
  const { context, file } = bench;
  const bytes = statSync(file).size;
  const rounds = [];
  // The first round pays for compilation.
  for (let nth = 0; nth <= context.rounds; nth += 1) {
    rounds.push(await round(bench, nth));
    context.say(`  large content, round ${nth} of ${context.rounds}`);
  }
  const [up, down] = [rounds.slice(1).map((one) => one.up), rounds.slice(1).map((one) => one.down)];
  const goal = (what: string, pairs: readonly Pair[]): Goal => ({
    what: `${what} of a large content by that of the library`,
    bound: { least: RATIO_MIN },
    unit: 'x',
    samples: pairs.map(ratioOf),
  });
  return {
    goals: [goal('download', down), goal('upload', up)],
    report: {
      title: `server: ${(bytes / 1e6).toFixed(0)} MB in and out`,
      columns: [
        { key: 'what', head: 'what' },
        { key: 'library', head: 'library', unit: 'MB/s' },
        { key: 'http', head: 'over HTTP', unit: 'MB/s' },
        { key: 'ratio', head: 'HTTP by library', unit: 'x' },
        { key: 'libraryCpu', head: 'processor a GB, library', unit: 's' },
        { key: 'httpCpu', head: 'processor a GB, server', unit: 's' },
      ],
      rows: [rowOf('read, download', bytes, down), rowOf('put, upload', bytes, up)],
      notes: ['processor time is that of the process that has the store; what a client takes is not in it'],
    },
  };
}
