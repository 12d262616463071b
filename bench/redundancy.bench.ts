/**
 * What redundancy costs: the same content into one folder and as 3+2 into five, and out of the five with all of them
 * and without two. In one process, the rounds interleaved and taking turns at being first.
 */
import { statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { timed } from '../src/bench/timing.ts';
import type { Store } from '../src/index.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { type Library, loadLibrary } from './harness/library.ts';
import type { Report } from './harness/report.ts';
import { contentOf } from './harness/sample-content.ts';

const CORPUS = 'linux.tar';
const DISKS = 5;
const REDUNDANCY = '3+2';
/** The disks that are taken away: of some packs both hold data, of others parity. */
const GONE = [1, 3];
const KEY = 'content';
const INGEST_RATIO_MAX = 1.5;
const DEGRADED_RATIO_MAX = 2;

interface Round {
  readonly one: number;
  readonly five: number;
  readonly oneRead: number;
  readonly healthy: number;
  readonly degraded: number;
}

interface Place {
  readonly home: string;
  readonly disks: readonly string[];
}

async function placeIn(folder: string, disks: number): Promise<Place> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => path.join(folder, name);
  return { home: at('home'), disks: Array.from({ length: disks }, (_, disk) => at(`disk${disk + 1}`)) };
}

async function ingest({ holdfast }: Library, { home, disks }: Place, file: string): Promise<number> {
  const redundancy = disks.length > 0 ? REDUNDANCY : 'none';
  const backends = disks.map((location) => ({ location }));
  const store = await holdfast.createStore(home, { keys: 'none', redundancy, backends });
  const { seconds } = await timed(() => store.put(KEY, { path: file }));
  await store.close();
  return seconds;
}

async function drain(store: Store): Promise<number> {
  let bytes = 0;
  for await (const piece of store.read(KEY)) bytes += piece.length;
  return bytes;
}

async function readAll({ holdfast }: Library, { home }: Place, size: number): Promise<number> {
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const store = await holdfast.openStore(home, { readOnly: true, logger });
  const { seconds, value } = await timed(() => drain(store));
  await store.close();
  if (value !== size) throw new Error(`read ${value} bytes of ${size}`);
  return seconds;
}

/** Runs `work` while disks are away. */
async function without<T>({ disks }: Place, work: () => Promise<T>): Promise<T> {
  const gone = GONE.map((disk) => disks[disk] as string);
  for (const disk of gone) await rename(disk, `${disk}.away`);
  try {
    return await work();
  } finally {
    for (const disk of gone) await rename(`${disk}.away`, disk);
  }
}

async function runRound(
  library: Library,
  file: string,
  context: BenchContext & { readonly round: number },
): Promise<Round> {
  const { workFolder, round, say } = context;
  const size = statSync(file).size;
  const one = await placeIn(path.join(workFolder, 'one'), 0);
  const five = await placeIn(path.join(workFolder, 'five'), DISKS);
  const seconds = new Map<string, number>();
  const steps: readonly (readonly [string, () => Promise<number>])[][] = [
    [
      ['one', () => ingest(library, one, file)],
      ['five', () => ingest(library, five, file)],
    ],
    [
      ['oneRead', () => readAll(library, one, size)],
      ['healthy', () => readAll(library, five, size)],
      ['degraded', () => without(five, () => readAll(library, five, size))],
    ],
  ];
  for (const step of steps) {
    for (const [name, work] of round % 2 === 0 ? step : step.toReversed()) seconds.set(name, await work());
  }
  say(`  round ${round + 1}: ${[...seconds].map(([name, value]) => `${name} ${value.toFixed(2)} s`).join(', ')}`);
  return Object.fromEntries(seconds) as unknown as Round;
}

interface Row {
  readonly what: string;
  readonly without: Spread;
  readonly with: Spread;
  readonly ratio: number;
}

function rowOf(what: string, rounds: readonly Round[], [base, other]: readonly [keyof Round, keyof Round]): Row {
  const [a, b] = [spreadOf(rounds.map((round) => round[base])), spreadOf(rounds.map((round) => round[other]))];
  return { what, without: a, with: b, ratio: b.median / a.median };
}

function verdict({ what, ratio }: Row, max: number): string {
  return `goal: ${what} takes at most ${max} times as long; ${ratio <= max ? 'held' : 'MISSED'} (${ratio.toFixed(2)})`;
}

export const bench: Bench = {
  name: 'redundancy',
  about: 'ingest and reads of 3+2 over five folders against one folder, and without two of the five',
  async run(context): Promise<readonly Report[]> {
    const library = await loadLibrary((line) => context.say(line));
    if (library === undefined) return [];
    const file = await contentOf(CORPUS, context);
    const rounds: Round[] = [];
    for (let round = 0; round < context.rounds; round += 1) {
      rounds.push(await runRound(library, file, { ...context, round }));
    }
    const ingested = rowOf('ingest at 3+2 over five folders', rounds, ['one', 'five']);
    const read = rowOf('reading from five folders', rounds, ['oneRead', 'healthy']);
    const degraded = rowOf('reading without two of them', rounds, ['healthy', 'degraded']);
    const of = `${path.basename(file)}, ${(statSync(file).size / 1e6).toFixed(0)} MB, ${context.rounds} interleaved rounds`;
    return [
      {
        title: `redundancy: seconds, ${of}`,
        columns: [
          { key: 'what', head: 'what' },
          { key: 'without', head: 'before', unit: 's' },
          { key: 'with', head: 'with it', unit: 's' },
          { key: 'ratio', head: 'ratio of medians', unit: 'x' },
        ],
        rows: [ingested, read, degraded].map((row) => ({ ...row })),
        notes: [
          verdict(ingested, INGEST_RATIO_MAX),
          verdict(degraded, DEGRADED_RATIO_MAX),
          `folders lie ${context.inMemory ? 'in memory' : 'on disk'}; every byte that was read was verified`,
        ],
      },
    ];
  },
};
