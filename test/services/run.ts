/**
 * `npm run test:services`: the tests that need a real object store and a real PostgreSQL server, which are started on this
 * machine for them. A test that is skipped here is a failure.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { runVitest } from '../slow/vitest-run.ts';
import { withServices } from './start-services.ts';

/** Tests that a run without services skips, and those of the metadata contract, over PostgreSQL this time. */
const RUNS = [
  ['--project', 'quick', 'test/services'],
  ['--project', 'campaigns', 'test/compliance/metadata'],
];

/** @returns whether all tests ran, and passed */
async function runTests(args: readonly string[], report: string, settings: Readonly<Record<string, string>>) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${report}`];
  const passed = await runVitest([...args, ...reporters], settings);
  const { numPendingTests: skipped } = JSON.parse(await readFile(report, 'utf8')) as {
    readonly numPendingTests: number;
  };
  if (skipped > 0) process.stdout.write(`${skipped} tests were skipped: here nothing may be\n`);
  return passed && skipped === 0;
}

await withServices(async (settings, folder) => {
  process.exitCode = 0;
  for (const args of RUNS)
    if (!(await runTests(args, path.join(folder, 'report.json'), settings))) process.exitCode = 1;
});
