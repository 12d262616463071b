/** `holdfast serve` as a user starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CLI, environment } from './cli.ts';

/** A server that listens. */
export interface CliServer {
  readonly url: string;
  /** Ends it as a user does. @returns its exit status */
  stop(): Promise<number>;
  /** Ends it without a chance to do anything. */
  kill(): Promise<void>;
}

/** @param folder working folder, where the store is; what it remembers lies beside */
export async function startServer(folder: string, ...args: readonly string[]): Promise<CliServer> {
  const env = { ...environment, HOLDFAST_STATE: path.join(folder, '..', 'state') };
  const child = spawn(process.execPath, [CLI, 'serve', '--json', '--listen', ':0', ...args], { cwd: folder, env });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const [status] = await exited;
      return status as number;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
