import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BUGS, type PlantedBug } from './bugs.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** What tests need of the project beside its packages. */
const COPIED = ['src', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** A bug that keeps a test waiting for ever is seen, too. More than a whole campaign takes on a busy machine. */
const TEST_MS_MAX = 900_000;

export interface PlantedOptions {
  /** Default: all. */
  readonly bug?: string | undefined;
  /** Where the copies of the sources are made. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** @throws when a bug is not seen, or a test fails without any */
export async function runPlanted({ bug, folder, say }: PlantedOptions): Promise<void> {
  const bugs = BUGS.filter(({ name }) => bug === undefined || name === bug);
  if (bugs.length === 0)
    throw new Error(`there is no bug ${bug}; there are ${BUGS.map(({ name }) => name).join(', ')}`);
  const copy = path.join(folder, 'planted');
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy, { recursive: true });
  for (const name of COPIED) await cp(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  const unseen: string[] = [];
  try {
    for (const one of bugs) {
      const seen = await isSeen(one, copy);
      say(`${one.name.padEnd(40)} ${seen ? 'seen' : 'NOT SEEN'}`);
      if (!seen) unseen.push(one.name);
    }
    const tests = [...new Set(bugs.flatMap((one) => one.tests))];
    if (!(await passes(tests, copy))) throw new Error('the tests fail without any bug: nothing was shown');
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  say(`${bugs.length} bugs planted, ${bugs.length - unseen.length} seen`);
  if (unseen.length > 0) throw new Error(`not seen: ${unseen.join(', ')}`);
}

async function isSeen({ file, find, plant, tests }: PlantedBug, copy: string): Promise<boolean> {
  const target = path.join(copy, file);
  const sound = await readFile(target, 'utf8');
  await writeFile(
    target,
    sound.replace(find, () => plant),
  );
  try {
    for (const test of tests) if (!(await passes([test], copy))) return true;
    return false;
  } finally {
    await writeFile(target, sound);
  }
}

/** Whether tests pass in the copy; one that is not there yet passes. */
async function passes(tests: readonly string[], copy: string): Promise<boolean> {
  const vitest = path.join(copy, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--bail=1', '--passWithNoTests', ...tests];
  // Each copy is another source: what was compiled of the last one is of no use.
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(copy, '.compiled') };
  const child = spawn(process.execPath, args, { cwd: copy, stdio: 'ignore', env, timeout: TEST_MS_MAX * tests.length });
  const [status] = await once(child, 'exit');
  return status === 0;
}
