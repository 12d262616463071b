import path from 'node:path';
import { runProcess } from './run-process.ts';

const COMMAND = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

/** One command on a plain store, in a process of its own: nothing of what the bench holds is in its figures. */
export function holdfast(store: string, ...args: readonly string[]): ReturnType<typeof runProcess> {
  return runProcess({
    command: process.execPath,
    args: [COMMAND, '-s', store, ...args, '--quiet', '--no-progress'],
  });
}
