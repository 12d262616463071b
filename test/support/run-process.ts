import { spawn } from 'node:child_process';

/** What a process left behind. */
export interface ProcessResult {
  /** Exit status; `null` when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with the input given and no more. Rejects only when it cannot be started. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string | Uint8Array },
): Promise<ProcessResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>();
  const { cwd, env, input = '' } = options;
  const child = spawn(command, args, { cwd, env, stdio: 'pipe' });
  // A program that ends without reading all of it is no failure of ours.
  child.stdin.on('error', () => undefined).end(input);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  child.on('error', reject);
  child.on('close', (status) => resolve({ status, ...output }));
  return promise;
}
