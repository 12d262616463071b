import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Bench, BenchContext } from './bench.ts';
import { Corpora } from './corpora.ts';
import { describeMachine, formatMachine } from './machine.ts';
import { formatMarkdown, formatReport, type Report } from './report.ts';

const FOLDER = path.resolve(import.meta.dirname, '..');
const SUFFIX = '.bench.ts';
const ROUNDS_DEFAULT = 3;

const USAGE = `Usage: npm run bench -- [options] [NAME...]
Without a name every bench runs.

  --list          names and what they measure
  --rounds N      repetitions of what is timed, default ${ROUNDS_DEFAULT}
  --scale F       sizes of generated data and stores by this factor, default 1
  --corpora DIR   folder of bench/corpora.mjs, default $HOLDFAST_CORPORA
  --update        guard: write the baseline
  --long          curves: also 10 GiB and a million entries
  --plots DIR     curves: draw them there
  --work DIR      folder for stores, default /dev/shm or the system's temporary folder
  --json FILE     write machine and reports there too
  --markdown FILE the same as tables for docs/benchmarks.md
`;

interface Request {
  readonly names: readonly string[];
  readonly list: boolean;
  readonly rounds: number;
  readonly scale: number;
  readonly update: boolean;
  readonly long: boolean;
  readonly plots: string | undefined;
  readonly corpora: string | undefined;
  readonly work: string | undefined;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

function parseRequest(args: readonly string[]): Request | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
      scale: { type: 'string', default: '1' },
      update: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      plots: { type: 'string' },
      corpora: { type: 'string' },
      work: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  const scale = Number(values.scale);
  if (values.help || !Number.isInteger(rounds) || rounds < 1 || !(scale > 0)) return undefined;
  const corpora = values.corpora ?? process.env.HOLDFAST_CORPORA;
  const { list, update, long, plots, work, json, markdown } = values;
  return { names: positionals, list, rounds, scale, update, long, plots, corpora, work, json, markdown };
}

async function loadBenches(): Promise<readonly Bench[]> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(SUFFIX));
  return Promise.all(
    files.sort().map(async (name) => ((await import(path.join(FOLDER, name))) as { bench: Bench }).bench),
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Memory-backed where there is such a place, so that figures are those of the code and not of the disk. */
function chooseWorkRoot(asked: string | undefined): { readonly root: string; readonly inMemory: boolean } {
  if (asked !== undefined) return { root: path.resolve(asked), inMemory: asked.startsWith('/dev/shm') };
  try {
    accessSync('/dev/shm', constants.W_OK);
    return { root: '/dev/shm', inMemory: true };
  } catch {
    say(`no memory-backed folder /dev/shm here: stores go to ${os.tmpdir()}, and the disk is part of every figure`);
    return { root: os.tmpdir(), inMemory: false };
  }
}

async function runOne(bench: Bench, request: Request): Promise<readonly Report[]> {
  const { root, inMemory } = chooseWorkRoot(request.work);
  const workFolder = mkdtempSync(path.join(root, `holdfast-bench-${bench.name}-`));
  const corpora = new Corpora(request.corpora, say);
  const context: BenchContext = {
    rounds: request.rounds,
    scale: request.scale,
    update: request.update,
    long: request.long,
    plots: request.plots,
    workFolder,
    inMemory,
    corpus: (name) => corpora.find(name),
    say,
  };
  try {
    return await bench.run(context);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

/** `npm run bench`: prints a table for each report. @returns the exit status */
export async function runBenches(args: readonly string[]): Promise<number> {
  const request = parseRequest(args);
  const benches = await loadBenches();
  const unknown = request?.names.filter((name) => !benches.some((bench) => bench.name === name)) ?? [];
  if (request === undefined || unknown.length > 0) {
    for (const name of unknown)
      say(`no bench is called ${name}; there are ${benches.map((bench) => bench.name).join(', ')}`);
    say(USAGE);
    return 2;
  }
  if (request.list) {
    for (const bench of benches) process.stdout.write(`${bench.name.padEnd(10)} ${bench.about}\n`);
    return 0;
  }
  const machine = describeMachine();
  const date = new Date(systemClock.now()).toISOString();
  process.stdout.write(`${formatMachine(machine)}; ${date}\n\n`);
  const results: { readonly bench: string; readonly reports: readonly Report[] }[] = [];
  for (const bench of benches.filter(({ name }) => request.names.length === 0 || request.names.includes(name))) {
    say(`bench ${bench.name}: ${bench.about}`);
    const reports = await runOne(bench, request);
    for (const report of reports) process.stdout.write(`${formatReport(report)}\n`);
    results.push({ bench: bench.name, reports });
  }
  if (request.markdown !== undefined) {
    const tables = results.flatMap(({ reports }) => reports.map(formatMarkdown));
    writeFileSync(request.markdown, [`${formatMachine(machine)}; ${date}`, ...tables].join('\n\n'));
  }
  const document = { machine, date, command: ['npm', 'run', 'bench', '--', ...args].join(' '), results };
  if (request.json !== undefined) writeFileSync(request.json, `${JSON.stringify(document, null, 2)}\n`);
  return results.some(({ reports }) => reports.some(({ failures = [] }) => failures.length > 0)) ? 1 : 0;
}
