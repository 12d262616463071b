/**
 * Runs command lines one after the other in one process that stays, because loading Node, the command line and the
 * engine takes far longer than most of what they do. Each run gets streams, folder and environment of its own; what is
 * about the process itself (signals, pipes that break, the version of Node) needs a real start.
 */
import { registerHooks } from 'node:module';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { CommandToRun } from './kept-cli.ts';
import type { ProcessResult } from './run-process.ts';

// The command line is built once and for all: only here its threads may be kept.
const keptWorker = new URL('kept-worker.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'node:worker_threads' && context.parentURL?.includes('/dist/')
      ? { url: keptWorker, shortCircuit: true }
      : next(specifier, context),
});

const home = process.cwd();
const built = path.resolve(import.meta.dirname, '../../dist/cli/run.js');
const { runCli } = (await import(pathToFileURL(built).href)) as typeof import('../../src/cli/run.ts');

function replaceStream(name: 'stdin' | 'stdout' | 'stderr'): PassThrough {
  const stream = new PassThrough();
  Object.defineProperty(process, name, { value: stream, configurable: true });
  return stream;
}

async function run({ args, cwd, env, input }: CommandToRun): Promise<ProcessResult> {
  process.chdir(cwd);
  process.env = { ...env };
  const [stdin, stdout, stderr] = [replaceStream('stdin'), replaceStream('stdout'), replaceStream('stderr')];
  const printed = Promise.all([text(stdout), text(stderr)]);
  stdin.end(input);
  const status = await runCli(args);
  // Some systems do not remove a folder that a process works in.
  process.chdir(home);
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { status, stdout: out, stderr: err };
}

process.on('message', async (command: CommandToRun) => {
  process.send?.(await run(command));
});
