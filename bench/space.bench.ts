/**
 * What content takes once it is stored, and what taking it in costs: named settings and levels of Holdfast beside restic and
 * Borg, then on a part of the corpus what other ways to compress would give, on the bricks alone.
 */
import { createReadStream, statSync } from 'node:fs';
import { createChunker, parseChunking } from '../src/chunking/index.ts';
import { blake3 } from '../src/hash/index.ts';
import { MIB } from '../src/limits.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';
import type { Tool } from './peers/tool.ts';
import { borg, holdfast, resticTool, sealedHoldfast } from './peers/tools.ts';
import { runTrial } from './peers/trial.ts';
import { describeWay, tryWay, WAYS } from './space/ways.ts';

const CORPORA = ['typescript.tar', 'linux.tar'];
/** Of each corpus, for what is tried on the bricks. */
const PART_BYTES = 192 * MIB;
const READ_BYTES = 4 * MIB;

function withOptions(tool: Tool, name: string, options: readonly string[]): Tool {
  const init: Tool['init'] = (paths) => tool.init(paths).map((one) => ({ ...one, args: [...one.args, ...options] }));
  return { ...tool, name, settings: options.join(' ') || tool.settings, init };
}

const TOOLS: readonly Tool[] = [
  withOptions(holdfast, 'fast', []),
  withOptions(holdfast, 'small', ['--profile', 'small']),
  withOptions(sealedHoldfast, 'small, sealed', ['--profile', 'small']),
  withOptions(holdfast, 'level 6', ['--level', '6']),
  withOptions(holdfast, 'level 9', ['--level', '9']),
  borg,
  resticTool,
];

async function besideOthers(name: string, file: string, context: BenchContext): Promise<Report> {
  const rows: Report['rows'][number][] = [];
  for (const tool of TOOLS) {
    if (tool.version() === undefined) {
      context.say(`MISSING ${tool.name}: ${tool.advice}`);
      continue;
    }
    const { ingest, restore, storedBytes } = await runTrial(tool, file, context.workFolder);
    rows.push({
      tool: tool.name,
      stored: storedBytes,
      cpu: ingest.cpuSeconds,
      seconds: ingest.seconds,
      out: restore.cpuSeconds,
    });
    context.say(`  ${name}, ${tool.name}: ${(storedBytes / 1e6).toFixed(1)} MB`);
  }
  return {
    title: `space: ${name}, ${(statSync(file).size / 1e6).toFixed(0)} MB, one run each`,
    columns: [
      { key: 'tool', head: 'tool' },
      { key: 'stored', head: 'stored', unit: 'MB' },
      { key: 'cpu', head: 'ingest, processor', unit: 's' },
      { key: 'seconds', head: 'ingest', unit: 's' },
      { key: 'out', head: 'restore, processor', unit: 's' },
    ],
    rows,
    notes: ['restored bytes were compared', `borg: ${borg.settings}; restic: ${resticTool.settings}`],
  };
}

/** The distinct chunks of a part of a file, in its order. */
async function distinctChunks(file: string, bytes: number): Promise<readonly Uint8Array[]> {
  const chunker = createChunker(parseChunking('default'));
  const distinct = new Map<string, Uint8Array>();
  const keep = (chunks: Iterable<Uint8Array>): void => {
    for (const chunk of chunks) distinct.set(Buffer.from(blake3(chunk)).toString('latin1'), chunk.slice());
  };
  const content = createReadStream(file, { end: bytes - 1, highWaterMark: READ_BYTES });
  for await (const piece of content as AsyncIterable<Uint8Array>) keep(chunker.push(piece));
  keep(chunker.finish());
  return [...distinct.values()];
}

async function onBricks(name: string, file: string, context: BenchContext): Promise<Report> {
  const bytes = Math.min(statSync(file).size, Math.ceil(PART_BYTES * context.scale));
  const chunks = await distinctChunks(file, bytes);
  const rows: Report['rows'][number][] = [];
  let asItIs: number | undefined;
  for (const way of WAYS) {
    const { storedBytes, processorSeconds } = tryWay(way, chunks);
    asItIs ??= storedBytes;
    const percent = (storedBytes / asItIs - 1) * 100;
    rows.push({ way: describeWay(way), stored: storedBytes, percent, cpu: processorSeconds });
    context.say(`  ${name}, ${describeWay(way)}: ${(storedBytes / 1e6).toFixed(1)} MB`);
  }
  return {
    title: `space: the first ${(bytes / 1e6).toFixed(0)} MB of ${name}, distinct chunks compressed in other ways`,
    columns: [
      { key: 'way', head: 'way' },
      { key: 'stored', head: 'stored', unit: 'MB' },
      { key: 'percent', head: 'by the first', unit: '%' },
      { key: 'cpu', head: 'compressing, processor', unit: 's' },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'space',
  about: 'stored bytes by settings, beside restic and Borg, and in ways that are not built',
  async run(context) {
    const reports: Report[] = [];
    for (const name of CORPORA) {
      const file = context.corpus(name);
      if (file === undefined) continue;
      if (context.scale >= 1) reports.push(await besideOthers(name, file, context));
      reports.push(await onBricks(name, file, context));
    }
    return reports;
  },
};
