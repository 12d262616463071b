// `npm run ok`: every gate of the project, one after the other, each with its time; all of them run even when one fails.
// Needs no network once dependencies are installed. `--skip-tests` leaves the test run out, for callers that did it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockProblems } from './lock-file.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: windows });
  if (done.error) throw done.error;
  return done.status === 0;
}

/** A tool of the dev dependencies, by its path: nothing is looked up, nothing can be downloaded. */
function tool(name, ...args) {
  return run(path.join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name), args);
}

/** Publint looks at the tarball npm would publish, not at the folder: what is missing there is missing for users. */
function checkPackage() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-ok-'));
  try {
    const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: windows,
      encoding: 'utf8',
    });
    if (packed.status !== 0) return false;
    const [{ filename, entryCount, size }] = JSON.parse(packed.stdout);
    process.stdout.write(`${filename}: ${entryCount} files, ${size} bytes\n`);
    return tool('publint', 'run', path.join(folder, filename), '--strict');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkLock() {
  const problems = lockProblems(root);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write('package-lock.json agrees with package.json and names no registry\n');
  return problems.length === 0;
}

const GATES = [
  ['types', () => tool('tsc', '--noEmit', '-p', 'tsconfig.json')],
  ['types of the dashboard', () => tool('tsc', '--noEmit', '-p', 'dashboard/tsconfig.json')],
  ['lint and format', () => tool('biome', 'check', '--error-on-warnings', '.')],
  ['unused code and dependencies', () => tool('knip', '--no-progress')],
  ['lock file', checkLock],
  ['package', checkPackage],
  ['api documentation', () => tool('typedoc', '--emit', 'none')],
  ['tests', () => tool('vitest', 'run')],
];

const skipTests = process.argv.includes('--skip-tests');
const results = [];
for (const [name, check] of GATES) {
  if (name === 'tests' && skipTests) {
    results.push({ name, outcome: 'skipped', seconds: 0 });
    continue;
  }
  process.stdout.write(`\n── ${name}\n`);
  const start = process.hrtime.bigint();
  const passed = check();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  results.push({ name, outcome: passed ? 'ok' : 'FAILED', seconds });
}

process.stdout.write('\n── summary\n');
for (const { name, outcome, seconds } of results) {
  process.stdout.write(`${outcome.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${name}\n`);
}
const failed = results.filter(({ outcome }) => outcome === 'FAILED');
process.stdout.write(
  failed.length === 0 ? '\nAll is well.\n' : `\n${failed.length} of ${results.length} gates failed.\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
