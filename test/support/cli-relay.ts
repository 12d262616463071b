/** Gives shells a command `holdfast` that starts nothing but a few lines: the process that is kept runs it. */
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import type { ConsumerFolder } from './consumer-folder.ts';
import { runInKeptProcess } from './kept-cli.ts';
import type { ProcessResult } from './run-process.ts';

/** A command line as it comes from a shell. */
interface RelayedCommand {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** In Base64. */
  readonly input: string;
}

/** What goes back to the shell. */
export type RelayedResult = ProcessResult;

const CLIENT = path.join(import.meta.dirname, 'relayed-process.ts');

/**
 * Makes the command in a folder, as `relayed/holdfast`.
 * @returns what ends it
 */
export async function relayCommand(folder: ConsumerFolder): Promise<() => Promise<void>> {
  const socket = path.join(folder.path, 'relay');
  const server = createServer({ allowHalfOpen: true }, async (connection) => {
    try {
      connection.end(JSON.stringify(await run((await json(connection)) as RelayedCommand)));
    } catch {
      // The shell gets a status of failure; why the process ended, it has printed itself.
      connection.destroy();
    }
  });
  await listen(server, socket);
  const start = `exec "${process.execPath}" --disable-warning=ExperimentalWarning "${CLIENT}" "${socket}" "$@"`;
  await chmod(await folder.write('relayed/holdfast', `#!/bin/sh\n${start}\n`), 0o755);
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function run({ input, ...command }: RelayedCommand): Promise<RelayedResult> {
  return runInKeptProcess({ ...command, input: Buffer.from(input, 'base64') });
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(socket, resolve);
  });
}
