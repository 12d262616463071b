import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { startServer } from '../support/cli-server.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
});
afterAll(() => folder.remove());

describe('holdfast serve', () => {
  it('serves the store until it is told to stop, with tokens that come and go', async () => {
    const server = await startServer(folder.path, '--require-token', '--audit-log', 'audit.log', '--rate', '1000');
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

  it('goes on with an upload after it was killed', async () => {
    const killed = await startServer(folder.path);
    const tus = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
    const key = Buffer.from('resumed').toString('base64');
    const creation = { ...tus, 'upload-length': '10', 'upload-metadata': `key ${key}` };
    const made = await fetch(`${killed.url}/uploads`, { method: 'POST', headers: creation, body: 'hello' });
    const where = made.headers.get('location') ?? '';
    await killed.kill();
    const next = await startServer(folder.path, '--uploads-expire', '1h');
    const rest = { method: 'PATCH', headers: { ...tus, 'upload-offset': '5' }, body: 'world' };
    expect((await fetch(`${next.url}${where}`, rest)).status).toBe(204);
    expect(await next.stop()).toBe(0);
    expect(await folder.ok('get', 'resumed')).toBe('helloworld');
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
