/**
 * `npm run test:services`: starts a real object store on this machine, for as long as the tests that need one run. Where a
 * service is not installed it is installed, which takes root and Debian's packages. A test that is skipped here is a failure.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTemporaryFolder } from '../../src/testing/index.ts';
import { runVitest } from '../slow/vitest-run.ts';
import { startGateway } from './gateway.ts';

/** What must be there, by the packages that bring it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  radosgw: ['ceph-mon', 'ceph-mgr', 'ceph-osd', 'radosgw', 'ceph-common'],
};

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** @throws where something is missing that cannot be installed */
function install(): void {
  const packages = Object.keys(NEEDED).flatMap((command) => (has(command) ? [] : (NEEDED[command] ?? [])));
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

install();
const folder = await makeTemporaryFolder();
const gateway = await startGateway(path.join(folder.path, 'gateway'));
try {
  process.stdout.write(`object store: ${gateway.version} at ${gateway.endpoint}\n`);
  const report = path.join(folder.path, 'report.json');
  const args = [
    '--project',
    'quick',
    'test/services',
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const passed = await runVitest([...args, ...process.argv.slice(2)], gateway.environment);
  const { numPendingTests: skipped } = JSON.parse(await readFile(report, 'utf8')) as {
    readonly numPendingTests: number;
  };
  if (skipped > 0) process.stdout.write(`${skipped} tests were skipped: here nothing may be\n`);
  process.exitCode = passed && skipped === 0 ? 0 : 1;
} finally {
  await gateway.stop();
  await folder.remove();
}
