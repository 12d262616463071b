import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { CLI, type CliFolder, createCliFolder, environment } from '../support/cli.ts';

let folder: TemporaryFolder;
let cli: CliFolder;
beforeAll(async () => {
  cli = await createCliFolder({ store: false });
  folder = await makeTemporaryFolder();
  await mkdir(path.join(folder.path, 'tmp'));
});
afterAll(async () => {
  await cli.remove();
  await folder.remove();
});

const leftovers = () => readdir(path.join(folder.path, 'tmp'));

/** A demo as a user starts one; its temporary folder is that of this test. */
async function startDemo() {
  const env = { ...environment, TMPDIR: path.join(folder.path, 'tmp') };
  const args = [CLI, 'serve', '--demo', '--json', '--listen', ':0'];
  const child = spawn(process.execPath, args, { cwd: folder.path, env });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const { url } = JSON.parse(line) as { url: string };
  const send = async (method: string, where: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}${where}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  return {
    url,
    get: async (where: string) => (await send('GET', where)).json as never,
    post: (where: string, body?: object) => send('POST', where, body),
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      return (await once(child, 'exit')) as [number | null, string | null];
    },
  };
}

interface Status {
  readonly survives: { readonly backends: { readonly lossesMax: number } };
  readonly degraded: number;
  readonly backends: readonly { readonly name: string; readonly shards: number; readonly health: { state: string } }[];
}

describe('holdfast serve --demo', () => {
  it('is a store of disks that break and heal while it is read, and is gone when it ends', async () => {
    const demo = await startDemo();
    const page = (await demo.get('/files')) as { entries: { key: string; size: number }[] };
    expect(page.entries.length).toBeGreaterThan(100);
    const listed = (broken: readonly string[]) => ({
      backends: [1, 2, 3, 4, 5].map((at) => ({ name: `disk${at}`, broken: broken.includes(`disk${at}`) })),
    });
    expect(await demo.get('/demo')).toEqual(listed([]));
    const losses = async () => ((await demo.get('/status')) as Status).survives.backends.lossesMax;
    expect(await losses()).toBe(2);

    for (const name of ['disk1', 'disk4'])
      expect(await demo.post(`/demo/backends/${name}/break`)).toMatchObject({ status: 200 });
    expect(await demo.get('/demo')).toEqual(listed(['disk1', 'disk4']));
    expect(await losses()).toBe(0);
    for (const { key, size } of page.entries) {
      const content = await (await fetch(`${demo.url}/files/${key}`)).arrayBuffer();
      expect([key, content.byteLength]).toEqual([key, size]);
    }
    for (const name of ['disk1', 'disk4'])
      expect(await demo.post(`/demo/backends/${name}/mend`)).toMatchObject({ status: 200 });
    expect(await demo.get('/demo')).toEqual(listed([]));
    const before = (await demo.get('/status')) as Status;
    expect(before.degraded).toBeGreaterThan(0);

    const { json } = await demo.post('/jobs', { kind: 'repair' });
    const events = await (await fetch(`${demo.url}/jobs/${json.id}/events`)).text();
    expect(events).toContain('"state":"done"');
    const after = (await demo.get('/status')) as Status;
    expect(after).toMatchObject({ degraded: 0, survives: { backends: { lossesMax: 2 } } });

    expect(await demo.post('/demo/backends/disk9/break')).toMatchObject({
      status: 404,
      json: { code: 'BACKEND_NOT_FOUND' },
    });
    expect(await leftovers()).toHaveLength(1);
    expect(await demo.end('SIGTERM')).toEqual([0, null]);
    expect(await leftovers()).toEqual([]);
  });

  it('cleans up after one that was killed, and not after one that runs', async () => {
    const [killed, running] = await Promise.all([startDemo(), startDemo()]);
    await killed.end('SIGKILL');
    expect(await leftovers()).toHaveLength(2);
    const next = await startDemo();
    expect(await leftovers()).toHaveLength(2);
    expect(await Promise.all([running.end('SIGINT'), next.end('SIGINT')])).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(await leftovers()).toEqual([]);
  });

  it.each([[['--read-only']], [['-s', 'store']]])('is a store of its own: not with %j', async (args) => {
    expect(await cli.run(['serve', '--demo', ...args])).toMatchObject({ status: 2, stdout: '' });
  });
});
