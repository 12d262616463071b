/**
 * `npm run test:services`: starts a real object store and a real PostgreSQL server on this machine, for as long as the tests
 * that need them run. What is not installed is installed, which takes root and Debian's packages. A test that is skipped
 * here is a failure.
 */
import { spawnSync } from 'node:child_process';
import { chmod, readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTemporaryFolder } from '../../src/testing/index.ts';
import { runVitest } from '../slow/vitest-run.ts';
import { startGateway } from './gateway.ts';
import { postgresCommands, startPostgres } from './postgres-server.ts';

const GATEWAY = ['ceph-mon', 'ceph-mgr', 'ceph-osd', 'radosgw', 'ceph-common'];

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** @throws where something is missing that cannot be installed */
async function install(): Promise<void> {
  const hasPostgres = (await postgresCommands()) !== undefined;
  const packages = [...(has('radosgw') ? [] : GATEWAY), ...(hasPostgres ? [] : ['postgresql'])];
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !has('apt-get'))
    throw new Error(`the services need ${packages.join(', ')}: install them, or run this as root on Debian`);
  process.stdout.write(`installing ${packages.join(', ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`apt-get ${args[0]} failed with status ${status}`);
  }
}

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

await install();
const folder = await makeTemporaryFolder();
await chmod(folder.path, 0o755);
const [gateway, postgres] = await Promise.all([
  startGateway(path.join(folder.path, 'gateway')),
  startPostgres(path.join(folder.path, 'pg')),
]);
try {
  process.stdout.write(`${gateway.version} at ${gateway.endpoint}\n${postgres.version} at ${postgres.url}\n`);
  const settings = { ...gateway.environment, HOLDFAST_TEST_POSTGRES: postgres.url };
  process.exitCode = 0;
  for (const args of RUNS)
    if (!(await runTests(args, path.join(folder.path, 'report.json'), settings))) process.exitCode = 1;
} finally {
  await postgres.stop();
  await gateway.stop();
  await folder.remove();
}
