/** A PostgreSQL server in a folder of its own. */
import { execFile, spawnSync } from 'node:child_process';
import { chown, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
/** Where Debian installs servers, by version. */
const SERVERS = '/usr/lib/postgresql';
const USER = 'postgres';

export interface PostgresServer {
  readonly version: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** Folder of the commands of the newest server; `undefined` where there is none. */
export async function postgresCommands(): Promise<string | undefined> {
  const versions = await readdir(SERVERS).catch(() => []);
  const newest = versions.sort((one, two) => Number(one) - Number(two)).at(-1);
  return newest && path.join(SERVERS, newest, 'bin');
}

/** @param folder new; the server does not run as root, and its socket has to have a short path */
export async function startPostgres(folder: string): Promise<PostgresServer> {
  return await start(folder, { command: 'initdb', args: ['-A', 'trust', '-U', USER, '--no-sync'] });
}

/** A replica of a server. @param folder as for `startPostgres` */
export async function startReplica(folder: string, of: string): Promise<PostgresServer> {
  const args = ['-d', of, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync'];
  return await start(folder, { command: 'pg_basebackup', args });
}

/** Starts a server over what a command puts into the folder. */
async function start(
  folder: string,
  made: { readonly command: string; readonly args: readonly string[] },
): Promise<PostgresServer> {
  const commands = await postgresCommands();
  if (commands === undefined) throw new Error('there is no PostgreSQL server');
  await mkdir(folder);
  const isRoot = process.getuid?.() === 0;
  const [uid, gid] = isRoot ? ['-u', '-g'].map(idOf) : [];
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  const as = uid === undefined || gid === undefined ? {} : { uid, gid };
  const [data, port] = [path.join(folder, 'data'), await freePort()];
  await run(path.join(commands, made.command), ['-D', data, ...made.args], { ...as, cwd: folder });
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200`;
  const control = (...args: string[]) => {
    // Its output stays open with the server.
    const { status } = spawnSync(path.join(commands, 'pg_ctl'), args, { ...as, cwd: folder, stdio: 'ignore' });
    if (status !== 0) throw new Error(`pg_ctl ${args.at(-1)} failed with status ${status}`);
  };
  control('-D', data, '-w', '-o', settings, '-l', path.join(folder, 'log'), 'start');
  const { stdout } = await run(path.join(commands, 'postgres'), ['--version']);
  return {
    version: stdout.trim(),
    url: `postgres://${USER}@127.0.0.1:${port}/postgres`,
    stop: async () => control('-D', data, '-m', 'immediate', 'stop'),
  };
}

function idOf(which: string): number {
  return Number(spawnSync('id', [which, USER], { encoding: 'utf8' }).stdout);
}
