import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type ConsumerFolder, createConsumerFolder, ROOT } from './consumer-folder.ts';
import { runInKeptProcess } from './kept-cli.ts';
import { type ProcessResult, runProcess } from './run-process.ts';

export const CLI = path.join(ROOT, 'dist', 'cli', 'main.js');

/** A folder with a store in `.holdfast`, and the built command run inside it. */
export interface CliFolder {
  readonly path: string;
  /** Runs `holdfast` with these arguments, in a process that is kept from one run to the next. */
  run(args: readonly string[], options?: CliOptions): Promise<ProcessResult>;
  /** Starts `holdfast` as a user's shell does: for what a process alone can prove. */
  start(args: readonly string[], options?: CliOptions): Promise<ProcessResult>;
  /** Runs it, fails the test unless it ends with 0, and gives what it printed. */
  ok(...args: string[]): Promise<string>;
  write: ConsumerFolder['write'];
  remove: ConsumerFolder['remove'];
}

export interface CliOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  /** Below the folder. */
  readonly cwd?: string;
}

/** That of the tests without what a developer may have set for stores of their own. */
export const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'))),
  NODE_OPTIONS: undefined,
};

export async function createCliFolder(options: { readonly store?: boolean } = {}): Promise<CliFolder> {
  const consumer = await createConsumerFolder();
  const folder = path.join(consumer.path, 'work');
  await mkdir(folder);
  const settings = ({ input = '', env, cwd = '.' }: CliOptions = {}) => ({
    cwd: path.join(folder, cwd),
    env: { ...environment, HOLDFAST_STATE: path.join(consumer.path, 'state'), ...env },
    input,
  });
  const run: CliFolder['run'] = (args, options) => runInKeptProcess({ args, ...settings(options) });
  const start: CliFolder['start'] = (args, options) => runProcess(process.execPath, [CLI, ...args], settings(options));
  const ok: CliFolder['ok'] = async (...args) => {
    const done = await run(args);
    if (done.status !== 0) throw new Error(`holdfast ${args.join(' ')}: exit ${done.status}\n${done.stderr}`);
    return done.stdout;
  };
  if (options.store !== false) await ok('init', '--plain', '-q');
  return {
    path: folder,
    run,
    start,
    ok,
    write: (name, text) => consumer.write(path.join('work', name), text),
    remove: consumer.remove,
  };
}

/** The lines of an output as JSON objects. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
