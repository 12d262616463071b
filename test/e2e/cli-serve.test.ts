import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, type CliFolder, createCliFolder, environment, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
});
afterAll(() => folder.remove());

/** A server as a user starts one; gives its address once it listens. */
async function startServer(...args: readonly string[]) {
  const env = { ...environment, HOLDFAST_STATE: path.join(folder.path, '..', 'state') };
  const child = spawn(process.execPath, [CLI, 'serve', '--json', '--listen', ':0', ...args], { cwd: folder.path, env });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const [status] = await once(child, 'exit');
      return status as number;
    },
  };
}

describe('holdfast serve', () => {
  it('serves the store until it is told to stop, with tokens that come and go', async () => {
    const server = await startServer('--require-token', '--audit-log', 'audit.log', '--rate', '1000');
    const file = `${server.url}/files/docs/report.txt`;
    const token = (await folder.ok('token', 'add', 'writer', '--allow', 'read,write', '--expires', '1h')).trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(file)).status).toBe(401);
    expect((await fetch(file, { method: 'PUT', body: 'report', headers })).status).toBe(201);
    expect(await folder.ok('get', 'docs/report.txt')).toBe('report');
    await folder.ok('put', '--data', 'newer', '-k', 'docs/report.txt');
    expect(await (await fetch(file, { headers })).text()).toBe('newer');
    const listed = jsonLines(await folder.ok('token', 'list', '--json'));
    expect(listed).toMatchObject([{ name: 'writer', verbs: ['read', 'write'], expires: expect.any(String) }]);
    expect(await folder.ok('token', 'list')).toMatch(/writer +read,write +all/);
    await folder.ok('token', 'revoke', 'writer');
    expect((await fetch(file, { headers })).status).toBe(401);
    expect(await server.stop()).toBe(0);
    const audited = jsonLines(await readFile(path.join(folder.path, 'audit.log'), 'utf8')) as { status: number }[];
    expect(audited.map(({ status }) => status)).toEqual([401, 201, 401]);
    expect(audited[1]).toMatchObject({ caller: 'token writer', method: 'PUT', path: '/files/docs/report.txt' });
  });

  it.each([
    ['where others reach it in the clear', ['--listen', '0.0.0.0:0']],
    ['at an address that is none', ['--listen', 'localhost']],
    ['with half of what TLS needs', ['--tls-cert', 'cert.pem']],
    ['with a certificate that is not there', ['--tls-cert', 'none.pem', '--tls-key', 'none.pem']],
  ])('is not started %s', async (_, args) => {
    const { status, stdout } = await folder.run(['serve', ...args]);
    expect([status === 2 || status === 3, stdout]).toEqual([true, '']);
  });

  it.each([
    [['add', 'x', '--allow', 'everything'], 2],
    [['add', 'two words'], 2],
    [['revoke', 'nobody'], 3],
    [['list', '--tokens', '.'], 2],
  ])('takes no token %j', async (args, status) => {
    expect(await folder.run(['token', ...args])).toMatchObject({ status });
  });
});
