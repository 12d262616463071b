/** A Ceph object gateway, which is a real distributed object store, as one node that keeps everything in memory. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const [ACCESS_KEY, SECRET_KEY] = ['gateway-access-key', 'gateway-secret-key'];
const START_MS_MAX = 60_000;

export interface Gateway {
  readonly version: string;
  readonly endpoint: string;
  /** What the tests find it by. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @param folder new; everything of the gateway is in it */
export async function startGateway(folder: string): Promise<Gateway> {
  const [port, monitorPort] = [await freePort(), await freePort()];
  for (const name of ['mon', 'osd', 'run', 'log', 'rgw']) await mkdir(path.join(folder, name), { recursive: true });
  const [cluster, storage] = [randomUUID(), randomUUID()];
  const config = path.join(folder, 'ceph.conf');
  await writeFile(config, configOf({ folder, cluster, port, monitorPort }));
  const ceph = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout } = await run(command, ['-c', config, ...args]);
    return stdout;
  };
  const stop = (): Promise<void> => stopProcesses(path.join(folder, 'run'));
  try {
    const map = path.join(folder, 'monmap');
    const addresses = `[v2:127.0.0.1:${monitorPort}/0]`;
    await run('monmaptool', ['--create', '--clobber', '--fsid', cluster, '--addv', 'a', addresses, map]);
    await ceph('ceph-mon', '-i', 'a', '--mkfs', '--monmap', map);
    await ceph('ceph-mon', '-i', 'a', '--pid-file', path.join(folder, 'run/mon.pid'));
    await ceph('ceph', '--connect-timeout', '30', 'osd', 'new', storage);
    await ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', storage);
    await ceph('ceph-osd', '-i', '0', '--pid-file', path.join(folder, 'run/osd.pid'));
    await ceph('radosgw', '-n', 'client.rgw', '--pid-file', path.join(folder, 'run/rgw.pid'));
    const endpoint = `http://127.0.0.1:${port}`;
    await answering(endpoint);
    const user = ['--uid=tests', '--display-name=tests', `--access-key=${ACCESS_KEY}`, `--secret-key=${SECRET_KEY}`];
    await ceph('radosgw-admin', 'user', 'create', ...user);
    const environment = {
      ...{ HOLDFAST_TEST_S3: endpoint, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY },
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    return { version: (await ceph('radosgw', '--version')).trim(), endpoint, environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Without `tcp_nodelay` the gateway holds the bytes of every answer back until the reader has acknowledged its head, 40 ms; and
 * for two hours it would keep the memory of what was deleted.
 */
function configOf(parts: { folder: string; cluster: string; port: number; monitorPort: number }): string {
  const { folder, cluster, port, monitorPort } = parts;
  const links = ['cluster', 'service', 'client', 'mon cluster', 'mon service', 'mon client'];
  return `[global]
fsid = ${cluster}
mon host = [v2:127.0.0.1:${monitorPort}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
${['cluster', 'service', 'client'].map((who) => `auth ${who} required = none`).join('\n')}
${links.map((link) => `ms ${link} mode = crc`).join('\n')}
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
log file = ${folder}/log/$name.log
mon data = ${folder}/mon
mon data avail warn = 1
mon data avail crit = 1
mon allow pool size one = true
mon max pg per osd = 1000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = ${4 * 1024 ** 3}
[client.rgw]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw thread pool size = 64
rgw gc obj min wait = 10
rgw gc processor period = 10
`;
}

async function answering(endpoint: string): Promise<void> {
  for (const until = Date.now() + START_MS_MAX; ; await sleep(200)) {
    const answer = await fetch(endpoint).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > until) throw new Error(`nothing answers at ${endpoint} after ${START_MS_MAX} ms`);
  }
}

async function stopProcesses(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.pid'));
  const pids = await Promise.all(files.map(async (name) => Number(await readFile(path.join(folder, name), 'utf8'))));
  for (const pid of pids) signal(pid, 'SIGKILL');
  while (pids.some((pid) => signal(pid, 0))) await sleep(50);
}

function signal(pid: number, which: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, which);
  } catch {
    return false;
  }
}
