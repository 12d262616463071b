/**
 * Starts a real object store and a real PostgreSQL server on this machine, for as long as some work takes. What is not installed is
 * installed, which takes root and Debian's packages.
 */
import { spawnSync } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { makeTemporaryFolder } from '../../src/testing/index.ts';
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

/**
 * @param work is given the settings by which tests find the services, and a folder
 * @throws where something is missing that cannot be installed; what `work` throws
 */
export async function withServices(
  work: (settings: Readonly<Record<string, string>>, folder: string) => Promise<void>,
): Promise<void> {
  await install();
  const folder = await makeTemporaryFolder();
  await chmod(folder.path, 0o755);
  const [gateway, postgres] = await Promise.all([
    startGateway(path.join(folder.path, 'gateway')),
    startPostgres(path.join(folder.path, 'pg')),
  ]);
  try {
    process.stdout.write(`${gateway.version} at ${gateway.endpoint}\n${postgres.version} at ${postgres.url}\n`);
    await work({ ...gateway.environment, HOLDFAST_TEST_POSTGRES: postgres.url }, folder.path);
  } finally {
    await postgres.stop();
    await gateway.stop();
    await folder.remove();
  }
}
