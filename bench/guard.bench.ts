/**
 * Whether Holdfast became slower than a baseline says, on any machine: each workload is measured by a plain program that
 * does about the same, one after the other in the same minute, and the ratio is compared.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spreadOf } from '../src/bench/spread.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { seededRandom } from '../src/testing/index.ts';
import { type Baseline, compareRatios, complaints, MARGINS, type RatioTable, type Verdict } from './guard/compare.ts';
import { findYardsticks, type Yardsticks } from './guard/yardsticks.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { holdfast } from './harness/command.ts';
import { describeMachine, formatMachine } from './harness/machine.ts';
import type { Report } from './harness/report.ts';
import { type ProcessResult, runProcess } from './harness/run-process.ts';
import { writeWordyFile } from './harness/sample-content.ts';

const BASELINE = path.join(import.meta.dirname, 'baseline.json');
/** Never scaled: another amount has other ratios. */
const CONTENT_BYTES = 192 * MIB;
const FILE_COUNT = 6000;
const FILE_BYTES = 4 * KIB;
const SEED = 7;

/** What a workload took, and what its yardstick took beside it. */
type Pair = readonly [ours: ProcessResult, yardstick: ProcessResult];

function makeFiles(folder: string): void {
  const { bytes } = seededRandom(SEED);
  for (let file = 0; file < FILE_COUNT; file += 1) {
    const inner = path.join(folder, String(file % 60));
    mkdirSync(inner, { recursive: true });
    writeFileSync(path.join(inner, `${file}`), bytes(FILE_BYTES));
  }
}

/** One round in a folder of its own. */
async function runRound(content: string, files: string, where: { folder: string; yardsticks: Yardsticks }) {
  const { folder, yardsticks } = where;
  const at = (name: string): string => path.join(folder, name);
  mkdirSync(folder);
  try {
    const compressed = await runProcess(yardsticks.compress(content, at('content.zst')));
    await holdfast(at('store'), 'init', '--plain');
    const ingest = await holdfast(at('store'), 'put', content, '--key', 'first');
    const again = await holdfast(at('store'), 'put', content, '--key', 'second');
    const restore = await holdfast(at('store'), 'get', 'first', '-o', at('restored'));
    const decompressed = await runProcess(yardsticks.decompress(at('content.zst'), at('content')));
    const copied = await runProcess(yardsticks.copy(files, at('copied')));
    const putFiles = await holdfast(at('store'), 'put', files, '--key', 'files');
    return {
      'ingest, by compressing': [ingest, compressed],
      'the same again, by compressing': [again, compressed],
      'restore, by decompressing': [restore, decompressed],
      'small files, by copying': [putFiles, copied],
    } satisfies Record<string, Pair>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function medianRatio(pairs: readonly Pair[], pick: (result: ProcessResult) => number): number {
  return spreadOf(pairs.map(([ours, yardstick]) => pick(ours) / pick(yardstick))).median;
}

async function measureRatios(yardsticks: Yardsticks, context: BenchContext): Promise<RatioTable> {
  const content = path.join(context.workFolder, 'content');
  const files = path.join(context.workFolder, 'files');
  if (!existsSync(content)) {
    await writeWordyFile(content, CONTENT_BYTES);
    makeFiles(files);
  }
  const rounds: Readonly<Record<string, Pair>>[] = [];
  for (let round = 0; round < context.rounds; round += 1) {
    rounds.push(await runRound(content, files, { folder: path.join(context.workFolder, 'round'), yardsticks }));
    context.say(`  round ${round + 1} by ${yardsticks.name}`);
  }
  const table = Object.keys(rounds[0]!).map((workload) => {
    const pairs = rounds.map((round) => round[workload]!);
    const tellsProcessor = pairs.flat().every(({ cpuSeconds }) => cpuSeconds > 0);
    const processor = tellsProcessor && { processor: medianRatio(pairs, ({ cpuSeconds }) => cpuSeconds) };
    return [workload, { ...processor, seconds: medianRatio(pairs, ({ seconds }) => seconds) }] as const;
  });
  return Object.fromEntries(table);
}

function readBaseline(): Baseline | undefined {
  return existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline) : undefined;
}

function writeBaseline(ratios: Baseline['ratios'], { rounds }: BenchContext): void {
  const baseline: Baseline = {
    machine: formatMachine(describeMachine()),
    date: new Date(systemClock.now()).toISOString(),
    command: `npm run bench -- --rounds ${rounds} --update guard`,
    ratios,
  };
  writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
}

function reportOf(verdicts: readonly Verdict[], { yardsticks, baseline, update }: Context): Report {
  const stands = baseline === undefined ? 'there is no baseline' : `baseline: ${baseline.machine}; ${baseline.date}`;
  return {
    title: `guard: times the yardstick, ${yardsticks.name}`,
    columns: [
      { key: 'workload', head: 'workload' },
      { key: 'kind', head: 'of' },
      { key: 'now', head: 'now', unit: 'x' },
      { key: 'before', head: 'baseline', unit: 'x' },
      { key: 'verdict', head: 'verdict' },
    ],
    rows: verdicts.map((verdict) => ({ ...verdict })),
    notes: [
      `yardsticks: ${yardsticks.version}`,
      stands,
      `a ratio may be worse by ${MARGINS.processor * 100} % of processor seconds, ${MARGINS.seconds * 100} % of elapsed ones`,
    ],
    failures: update ? [] : complaints(verdicts),
  };
}

interface Context {
  readonly yardsticks: Yardsticks;
  readonly baseline: Baseline | undefined;
  readonly update: boolean;
}

export const bench: Bench = {
  name: 'guard',
  about: 'ratios to plain compression and copies, against a baseline; --update writes it',
  async run(context) {
    const { update } = context;
    const baseline = readBaseline();
    // By the best that is there; a baseline is for machines without the programs as well.
    const kinds = update ? findYardsticks() : findYardsticks().slice(0, 1);
    const ratios: Record<string, RatioTable> = {};
    const reports: Report[] = [];
    for (const yardsticks of kinds) {
      const now = await measureRatios(yardsticks, context);
      ratios[yardsticks.name] = now;
      reports.push(reportOf(compareRatios(now, baseline?.ratios[yardsticks.name]), { yardsticks, baseline, update }));
    }
    if (update) writeBaseline({ ...baseline?.ratios, ...ratios }, context);
    return reports;
  },
};
