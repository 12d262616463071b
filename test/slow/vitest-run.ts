/** Tests of the quick run that the slow run asks for more. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from '../support/consumer-folder.ts';

/**
 * Runs tests by vitest in a process of its own, which prints what it finds.
 * @param args files and options of `vitest run`
 * @param settings added to the environment
 * @returns whether all of them passed
 */
export async function runVitest(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<boolean> {
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { ...process.env, ...settings };
  const child = spawn(process.execPath, [vitest, 'run', ...args], { cwd: ROOT, stdio: 'inherit', env });
  const [status] = await once(child, 'exit');
  return status === 0;
}
