/**
 * Snapshots of a real tree beside Borg and restic: the first, a second one of the unchanged tree, a third after some
 * files changed, and the first one restored and compared. Rounds are interleaved, and their order turns.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';
import { type ProcessResult, runProcess } from './harness/run-process.ts';
import { FOLDER_TOOLS, type FolderTool } from './peers/folder-tools.ts';

interface Trial {
  readonly first: ProcessResult;
  readonly again: ProcessResult;
  readonly changed: ProcessResult;
  readonly restore: ProcessResult;
  readonly storedBytes: number;
}

/** Files that change between two snapshots. */
const CHANGED_FILES = 100;

function bytesUnder(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile() && item.name !== '.reserve')
    .reduce((sum, item) => sum + statSync(path.join(item.parentPath, item.name)).size, 0);
}

/** Names, types, modes and times of everything, and the content of files: what must be equal after a restore. */
function describe(folder: string): string {
  const list = ['.', '-printf', '%P %y %m %Ts %l\n'];
  return execFileSync('sh', ['-c', 'find "$@" | LC_ALL=C sort', 'sh', ...list], {
    cwd: folder,
    maxBuffer: 1e9,
  }).toString();
}

function change(folder: string): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((item) => item.isFile());
  const step = Math.floor(files.length / CHANGED_FILES);
  for (let index = 0; index < files.length; index += step) {
    const { parentPath, name } = files[index]!;
    appendFileSync(path.join(parentPath, name), `changed ${index}\n`);
  }
}

async function runTrial(tool: FolderTool, folder: string, context: BenchContext): Promise<Trial> {
  const work = path.join(context.workFolder, tool.name);
  const paths = { store: path.join(work, 'store'), home: path.join(work, 'home') };
  const target = path.join(work, 'out');
  const source = path.join(work, 'tree');
  for (const each of [paths.home, target]) mkdirSync(each, { recursive: true });
  cpSync(folder, source, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  try {
    for (const request of tool.init(paths)) await runProcess(request);
    // What was touched a moment ago is read again by everybody.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const first = await runProcess(tool.snapshot(paths, source, 0));
    const storedBytes = bytesUnder(paths.store);
    const again = await runProcess(tool.snapshot(paths, source, 1));
    const { request, restored } = tool.restore(paths, source, target);
    const restore = await runProcess(request);
    execFileSync('diff', ['-r', '--no-dereference', '-q', source, restored]);
    if (describe(source) !== describe(restored)) throw new Error(`${tool.name} restored other modes or times`);
    change(source);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const changed = await runProcess(tool.snapshot(paths, source, 2));
    return { first, again, changed, restore, storedBytes };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function spread(trials: readonly Trial[], pick: (trial: Trial) => number): Spread {
  return spreadOf(trials.map(pick));
}

function rowOf(tool: FolderTool, trials: readonly Trial[]): Report['rows'][number] {
  const first = spread(trials, (trial) => trial.first.seconds);
  const again = spread(trials, (trial) => trial.again.seconds);
  return {
    tool: tool.name,
    first,
    again,
    share: again.median / first.median,
    changed: spread(trials, (trial) => trial.changed.seconds),
    restore: spread(trials, (trial) => trial.restore.seconds),
    stored: spread(trials, (trial) => trial.storedBytes).median,
    peak: spread(trials, ({ first: one, again: two, restore }) =>
      Math.max(...[one, two, restore].map((each) => each.peakBytes ?? 0)),
    ).max,
  };
}

export const bench: Bench = {
  name: 'snapshots',
  about: 'snapshots of the kernel source, unchanged and changed, and back, beside Borg and restic',
  async run(context) {
    const folder = context.corpus('linux');
    if (folder === undefined) return [];
    const tools = FOLDER_TOOLS.filter((tool) => {
      if (tool.version() !== undefined) return true;
      context.say(`MISSING ${tool.name}: ${tool.advice}`);
      return false;
    });
    const trials = new Map<FolderTool, Trial[]>(tools.map((tool) => [tool, []]));
    for (let round = 0; round < context.rounds; round += 1) {
      for (let place = 0; place < tools.length; place += 1) {
        const tool = tools[(place + round) % tools.length]!;
        const trial = await runTrial(tool, folder, context);
        trials.get(tool)!.push(trial);
        const { first, again, changed, restore } = trial;
        const times = [first, again, changed, restore].map(({ seconds }) => seconds.toFixed(1)).join(', ');
        context.say(`  round ${round + 1}: ${tool.name} first, again, changed, restore: ${times} s`);
      }
    }
    return [
      {
        title: `snapshots: the kernel source, ${context.rounds} interleaved rounds, median (min-max)`,
        columns: [
          { key: 'tool', head: 'tool' },
          { key: 'first', head: 'first', unit: 's' },
          { key: 'again', head: 'unchanged', unit: 's' },
          { key: 'share', head: 'unchanged / first', unit: 'x' },
          { key: 'changed', head: `${CHANGED_FILES} files changed`, unit: 's' },
          { key: 'restore', head: 'restore', unit: 's' },
          { key: 'stored', head: 'stored', unit: 'MB' },
          { key: 'peak', head: 'peak memory', unit: 'MB' },
        ],
        rows: [...trials].map(([tool, done]) => rowOf(tool, done)),
        notes: [
          ...tools.map((tool) => `${tool.name}: ${tool.version()}; ${tool.settings}`),
          `stores lie ${context.inMemory ? 'in memory' : 'on disk'}; what was restored was compared byte by byte, with modes and times to the second`,
        ],
      },
    ];
  },
};
