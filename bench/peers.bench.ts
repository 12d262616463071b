/**
 * Holdfast beside the programs its users would take instead, on the same file, in the same minutes: rounds are
 * interleaved, so that a slow moment of the machine meets everybody, and the order turns from round to round.
 */
import { statSync } from 'node:fs';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';
import type { ProcessResult } from './harness/run-process.ts';
import type { Tool } from './peers/tool.ts';
import { TOOLS } from './peers/tools.ts';
import { runTrial, type Trial } from './peers/trial.ts';

const CORPORA = ['linux.tar', 'typescript.tar', 'random.bin'];

function installed(say: (line: string) => void): readonly Tool[] {
  return TOOLS.filter((tool) => {
    if (tool.version() !== undefined) return true;
    say(`MISSING ${tool.name}: ${tool.advice}`);
    return false;
  });
}

async function runRounds(
  tools: readonly Tool[],
  file: string,
  context: BenchContext,
): Promise<ReadonlyMap<Tool, Trial[]>> {
  const trials = new Map<Tool, Trial[]>(tools.map((tool) => [tool, []]));
  for (let round = 0; round < context.rounds; round += 1) {
    for (let place = 0; place < tools.length; place += 1) {
      const tool = tools[(place + round) % tools.length]!;
      const trial = await runTrial(tool, file, context.workFolder);
      trials.get(tool)!.push(trial);
      context.say(
        `  round ${round + 1}: ${tool.name} in ${trial.ingest.seconds.toFixed(1)} s, out ${trial.restore.seconds.toFixed(1)} s`,
      );
    }
  }
  return trials;
}

function spread(trials: readonly Trial[], pick: (trial: Trial) => number | undefined): Spread | undefined {
  const samples = trials.map(pick).filter((sample) => sample !== undefined);
  return samples.length === 0 ? undefined : spreadOf(samples);
}

function peakOf({ ingest, again, restore }: Trial): number {
  return Math.max(...[ingest, again, restore].map((result: ProcessResult | undefined) => result?.peakBytes ?? 0));
}

function rowOf(tool: Tool, trials: readonly Trial[], floor: Spread | undefined): Report['rows'][number] {
  const ingest = spread(trials, (trial) => trial.ingest.seconds);
  return {
    tool: tool.name,
    ingest,
    cpu: spread(trials, (trial) => trial.ingest.cpuSeconds),
    again: spread(trials, (trial) => trial.again?.seconds),
    restore: spread(trials, (trial) => trial.restore.seconds),
    stored: spread(trials, (trial) => trial.storedBytes)?.median,
    peak: spread(trials, peakOf)?.max,
    relative: ingest && floor && ingest.median / floor.median,
  };
}

function reportOf(name: string, file: string, trials: ReadonlyMap<Tool, Trial[]>, context: BenchContext): Report {
  const floorTool = [...trials.keys()].find((tool) => tool.name === 'zstd');
  const floor = floorTool && spread(trials.get(floorTool)!, (trial) => trial.ingest.seconds);
  return {
    title: `peers: ${name}, ${(statSync(file).size / 1e6).toFixed(0)} MB, ${context.rounds} interleaved rounds, median (min-max)`,
    columns: [
      { key: 'tool', head: 'tool' },
      { key: 'ingest', head: 'ingest', unit: 's' },
      { key: 'relative', head: 'against zstd', unit: 'x' },
      { key: 'cpu', head: 'processor', unit: 's' },
      { key: 'again', head: 'again', unit: 's' },
      { key: 'restore', head: 'restore', unit: 's' },
      { key: 'stored', head: 'stored', unit: 'MB' },
      { key: 'peak', head: 'peak memory', unit: 'MB' },
    ],
    rows: [...trials].map(([tool, done]) => rowOf(tool, done, floor)),
    notes: [
      ...[...trials.keys()].map((tool) => `${tool.name}: ${tool.version()}; ${tool.settings}`),
      `stores lie ${context.inMemory ? 'in memory' : 'on disk'}; what was restored was compared byte by byte`,
    ],
  };
}

export const bench: Bench = {
  name: 'peers',
  about: 'ingest, ingest again and restore beside Borg, restic and zstd',
  async run(context) {
    const tools = installed(context.say);
    const reports: Report[] = [];
    for (const name of CORPORA) {
      const file = context.corpus(name);
      if (file !== undefined) reports.push(reportOf(name, file, await runRounds(tools, file, context), context));
    }
    return reports;
  },
};
