import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ProcessResult } from './run-process.ts';

/** One command line, as it is sent to the process that runs it. */
export interface CommandToRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string | Uint8Array;
}

let kept: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** It ends with the process of the tests: then nobody is left at the other end of its channel. */
function keep(): ChildProcess {
  const child = fork(path.join(import.meta.dirname, 'cli-process.ts'), { serialization: 'advanced' });
  child.unref();
  child.channel?.unref();
  return child;
}

/** Runs a command line in the process that is kept; one after the other, in the order of the calls. */
export function runInKeptProcess(command: CommandToRun): Promise<ProcessResult> {
  const result = last.then(async () => {
    kept ??= keep();
    return answerOf(kept, command);
  });
  last = result.catch(() => undefined);
  return result;
}

async function answerOf(child: ChildProcess, command: CommandToRun): Promise<ProcessResult> {
  const done = new AbortController();
  try {
    const answer = once(child, 'message', done).then(([result]) => result as ProcessResult);
    const end = once(child, 'exit', done).then(([status]) => {
      throw new Error(`the process ended with ${status} instead of answering`);
    });
    child.send(command);
    return await Promise.race([answer, end]);
  } finally {
    done.abort();
  }
}
