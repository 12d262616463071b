/** What is promised in figures, each measured and judged: goal, figure, held or not. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import { type Goal, goalsReport } from './goals/goal.ts';
import { type InProcessFigures, measureInProcess } from './goals/in-process.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { holdfast } from './harness/command.ts';
import { loadLibrary } from './harness/library.ts';
import type { ProcessResult } from './harness/run-process.ts';
import { contentOf } from './harness/sample-content.ts';

const MEMORY_MAX = 256 * MIB;
const FILE_COUNT = 5000;
const LARGE_BYTES = 1024 * MIB;

function makeFiles(folder: string, count: number): void {
  mkdirSync(folder);
  for (let nth = 0; nth < count; nth += 1) writeFileSync(path.join(folder, `${nth}`), systemRandom(4 * KIB));
}

/** What commands took, each in a process of its own. */
type Commands = Readonly<Record<'ingest' | 'again' | 'restore' | 'files' | 'spread', ProcessResult>>;

async function runCommands(file: string, files: string, workFolder: string): Promise<Commands> {
  const at = (name: string): string => path.join(workFolder, 'round', name);
  mkdirSync(at('.'));
  try {
    await holdfast(at('one'), 'init', '--plain');
    const folders = [1, 2, 3, 4, 5].flatMap((nth) => ['--backend', at(`backend-${nth}`)]);
    await holdfast(at('five'), 'init', '--plain', '--redundancy', '3+2', ...folders);
    return {
      ingest: await holdfast(at('one'), 'put', file, '-k', 'first'),
      spread: await holdfast(at('five'), 'put', file, '-k', 'first'),
      again: await holdfast(at('one'), 'put', file, '-k', 'second'),
      restore: await holdfast(at('one'), 'get', 'first', '-o', at('restored')),
      files: await holdfast(at('one'), 'put', files, '-k', 'files'),
    };
  } finally {
    rmSync(at('.'), { recursive: true, force: true });
  }
}

function goalsOf(
  rounds: readonly (InProcessFigures & { readonly commands: Commands })[],
  bytes: number,
): readonly Goal[] {
  const of = (pick: (round: (typeof rounds)[number]) => number): readonly number[] => rounds.map(pick);
  const commands = ['ingest', 'again', 'restore', 'files', 'spread'] as const;
  return [
    {
      what: 'durable puts of 4 KiB, 64 in flight',
      bound: { least: 5000 },
      unit: 'count',
      samples: of((round) => round.putsAtOnce),
    },
    {
      what: 'durable puts of 4 KiB, one by one',
      bound: { least: 300 },
      unit: 'count',
      samples: of((round) => round.putsOneByOne),
    },
    { what: 'gets of 4 KiB at random', bound: { least: 10_000 }, unit: 'count', samples: of((round) => round.gets) },
    { what: 'read of 4 KiB from a large entry', bound: { most: 5 }, unit: 'ms', samples: of((round) => round.rangeMs) },
    {
      what: 'delay of the event loop while ingesting, 99th percentile',
      bound: { most: 50 },
      unit: 'ms',
      samples: of((round) => round.loopDelayMs),
    },
    {
      what: 'the same bytes again',
      bound: { least: 1000 },
      unit: 'MB/s',
      samples: of(({ commands: { again } }) => bytes / 1e6 / again.seconds),
    },
    {
      what: '3+2 over five folders by one folder, elapsed',
      bound: { most: 1.5 },
      unit: 'x',
      samples: of(({ commands: { spread, ingest } }) => spread.seconds / ingest.seconds),
    },
    ...commands.map(
      (command): Goal => ({
        what: `peak memory: ${command}`,
        bound: { most: MEMORY_MAX },
        unit: 'MB',
        samples: of((round) => round.commands[command].peakBytes),
      }),
    ),
  ];
}

async function run(context: BenchContext) {
  const { rounds, scale, workFolder, say } = context;
  const library = await loadLibrary(say);
  if (library === undefined) return [];
  const file = await contentOf('linux.tar', context);
  const { size } = statSync(file);
  const largeBytes = Math.min(size, LARGE_BYTES);
  const files = path.join(workFolder, 'files');
  makeFiles(files, Math.ceil(FILE_COUNT * scale));
  const figures = [];
  for (let round = 0; round < rounds; round += 1) {
    const inProcess = await measureInProcess(library, context, { file, bytes: largeBytes });
    figures.push({ ...inProcess, commands: await runCommands(file, files, workFolder) });
    say(`  round ${round + 1}`);
  }
  const notes = [
    `the large entry has ${(largeBytes / 1e6).toFixed(0)} MB; commands ingest ${(size / 1e6).toFixed(0)} MB, each in a process of its own, its start included`,
    'gets are 64 in flight, in an order that no record serves twice running; entries were put in the same process before',
    'peak memory is that of the whole process; plain stores, defaults',
  ];
  return [goalsReport(goalsOf(figures, size), notes)];
}

export const bench: Bench = {
  name: 'goals',
  about: 'what is promised in figures: goal, figure, held or not',
  run,
};
