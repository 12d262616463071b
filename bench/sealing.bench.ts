/**
 * What sealing costs: the same content into a plain and a sealed store, a new process for every command. The rounds are
 * interleaved and take turns at being first, so that a slow moment of the machine meets both.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';
import { contentOf } from './harness/sample-content.ts';
import type { Tool } from './peers/tool.ts';
import { holdfast, sealedHoldfast } from './peers/tools.ts';
import { runTrial, type Trial } from './peers/trial.ts';

const CORPUS = 'linux.tar';
/** The goal of the design: sealing costs at most 15 % of the time of an ingest. */
const INGEST_RATIO_MAX = 1.15;

const PLAIN: Tool = { ...holdfast, name: 'plain' };
const SEALED = sealedHoldfast;

interface Pair {
  readonly plain: Trial;
  readonly sealed: Trial;
}

async function runPair(file: string, round: number, { workFolder, say }: BenchContext): Promise<Pair> {
  const trials = new Map<Tool, Trial>();
  for (const tool of round % 2 === 0 ? [PLAIN, SEALED] : [SEALED, PLAIN]) {
    const trial = await runTrial(tool, file, workFolder);
    trials.set(tool, trial);
    const { ingest, again, restore } = trial;
    say(
      `  round ${round + 1}: ${tool.name} in ${ingest.seconds.toFixed(2)} s, again ${again?.seconds.toFixed(2)} s, out ${restore.seconds.toFixed(2)} s`,
    );
  }
  return { plain: trials.get(PLAIN)!, sealed: trials.get(SEALED)! };
}

type Pick = (trial: Trial) => number;

const SECONDS: readonly (readonly [string, Pick])[] = [
  ['ingest', ({ ingest }) => ingest.seconds],
  ['ingest, processor', ({ ingest }) => ingest.cpuSeconds],
  ['the same again', ({ again }) => again?.seconds ?? 0],
  ['restore', ({ restore }) => restore.seconds],
  ['restore, processor', ({ restore }) => restore.cpuSeconds],
];

const BYTES: readonly (readonly [string, Pick])[] = [
  ['stored', ({ storedBytes }) => storedBytes],
  ['peak memory, ingest', ({ ingest }) => ingest.peakBytes],
  ['peak memory, restore', ({ restore }) => restore.peakBytes],
];

interface Row {
  readonly what: string;
  readonly plain: Spread;
  readonly sealed: Spread;
  readonly ratio: number;
  /** Of each round by itself. */
  readonly paired: Spread;
}

function rowOf(what: string, pick: Pick, pairs: readonly Pair[]): Row {
  const plain = spreadOf(pairs.map((pair) => pick(pair.plain)));
  const sealed = spreadOf(pairs.map((pair) => pick(pair.sealed)));
  const paired = spreadOf(pairs.map((pair) => pick(pair.sealed) / pick(pair.plain)));
  return { what, plain, sealed, ratio: sealed.median / plain.median, paired };
}

function reportOf(title: string, unit: 's' | 'MB', rows: readonly Row[]): Report {
  return {
    title,
    columns: [
      { key: 'what', head: 'what' },
      { key: 'plain', head: 'plain', unit },
      { key: 'sealed', head: 'sealed', unit },
      { key: 'ratio', head: 'ratio of medians', unit: 'x' },
      { key: 'paired', head: 'ratio by round', unit: 'x' },
    ],
    rows: rows.map((row) => ({ ...row })),
  };
}

function verdict(ingest: Row): string {
  const held = ingest.ratio <= INGEST_RATIO_MAX ? 'held' : 'MISSED';
  return `goal: sealing costs at most ${Math.round((INGEST_RATIO_MAX - 1) * 100)} % of the ingest time; ${held}`;
}

export const bench: Bench = {
  name: 'sealing',
  about: 'ingest, ingest again and restore of a sealed store against a plain one',
  async run(context) {
    if (PLAIN.version() === undefined) {
      context.say(`MISSING dist/cli/main.js: ${PLAIN.advice}`);
      return [];
    }
    const file = await contentOf(CORPUS, context);
    const pairs: Pair[] = [];
    for (let round = 0; round < context.rounds; round += 1) pairs.push(await runPair(file, round, context));
    const of = `${path.basename(file)}, ${(statSync(file).size / 1e6).toFixed(0)} MB, ${context.rounds} interleaved rounds`;
    const seconds = SECONDS.map(([what, pick]) => rowOf(what, pick, pairs));
    const place = `stores lie ${context.inMemory ? 'in memory' : 'on disk'}; what was restored was compared byte by byte`;
    return [
      { ...reportOf(`sealing: seconds, ${of}`, 's', seconds), notes: [verdict(seconds[0]!), place] },
      reportOf(
        `sealing: bytes, ${of}`,
        'MB',
        BYTES.map(([what, pick]) => rowOf(what, pick, pairs)),
      ),
    ];
  },
};
