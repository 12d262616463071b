/** The programs in `examples/` that talk to a server, run as their readers would. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { noise } from '../support/contents.ts';
import { runProcess } from '../support/run-process.ts';
import { serveStore } from '../support/served-store.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const example = (name: string): string => path.join(ROOT, 'examples', name);

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

describe.runIf(hasPython)('documents.py (Python 3 runs it where there is one)', () => {
  it('keeps versions of a document, and says what goes wrong', async () => {
    await using served = await serveStore();
    await served.store.versions.setPolicy({ last: 10 });
    const run = (...args: readonly string[]) =>
      runProcess('python3', [example('documents.py'), ...args], {
        ...{ cwd: folder.path, env: { ...process.env, HOLDFAST_URL: served.url } },
      });
    const contents = [noise(3_000_000, 1), noise(2_000_000, 2)];
    for (const [index, bytes] of contents.entries()) {
      await writeFile(path.join(folder.path, 'draft'), bytes);
      expect(await run('save', 'letters/an offer.txt', 'draft')).toMatchObject({ status: 0, stderr: '' });
      expect(await served.store.get('letters/an offer.txt')).toEqual(contents[index]);
    }
    const { stdout } = await run('history', 'letters/an offer.txt');
    const [newest, oldest] = stdout.trim().split('\n');
    expect([newest, oldest].map((line) => line?.split(' ').at(-2))).toEqual(['2000000', '3000000']);
    await run('fetch', 'letters/an offer.txt', 'old', '--version', oldest?.split(' ')[0] ?? '');
    expect(new Uint8Array(await readFile(path.join(folder.path, 'old')))).toEqual(contents[0]);
    expect((await run('list', 'letters/')).stdout).toContain('letters/an offer.txt');
    expect(await run('save', 'letters/an offer.txt', 'draft', '--new')).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining('PRECONDITION_FAILED') },
    });
    expect((await run('fetch', 'absent', 'x')).stderr).toContain('ENTRY_NOT_FOUND');
  });
});

it.skipIf(hasPython)('documents.py is not run: install Python 3 as python3', () => undefined);

describe('document-versions.mjs', () => {
  it('keeps the changes of two who edit at once', async () => {
    await using served = await serveStore();
    await served.store.versions.setPolicy({ last: 10 });
    const args = [example('document-versions.mjs'), served.url];
    const ran = await runProcess(process.execPath, args, { cwd: folder.path, env: process.env });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const [entry] = await Array.fromAsync(served.store.list({ prefix: 'documents/' }));
    const { points } = JSON.parse(Buffer.from(await served.store.get(entry?.key ?? '')).toString());
    expect(points.toSorted()).toEqual(['budget', 'move to the new office']);
    expect(
      ran.stdout
        .trim()
        .split('\n')
        .filter((line) => line.endsWith(' bytes')),
    ).toHaveLength(3);
  });
});

describe('upload-service.mjs', () => {
  it('takes files from who has the link, and shows none of them', async () => {
    const { startUploads } = await import(example('upload-service.mjs'));
    const { link, close } = await startUploads(path.join(folder.path, 'dropped'), 0);
    try {
      const { origin, hash } = new URL(link);
      expect(await (await fetch(origin)).text()).toContain('Drop files');
      const address = `${origin}/files/holiday.jpg`;
      const headers = { authorization: `Bearer ${hash.slice(1)}`, 'if-none-match': '*' };
      const bytes = noise(1_000_000) as Uint8Array<ArrayBuffer>;
      const put = (init: RequestInit = {}) => fetch(address, { method: 'PUT', body: bytes, headers, ...init });
      expect((await put()).status).toBe(201);
      expect((await put()).status).toBe(412);
      expect((await put({ headers: {} })).status).toBe(401);
      expect((await fetch(address, { headers })).status).toBe(403);
    } finally {
      await close();
    }
    const store = await openStore(path.join(folder.path, 'dropped'));
    expect(await store.get('holiday.jpg')).toEqual(noise(1_000_000));
    await store.close();
  });

  it('has nothing of what a visitor did not finish', async () => {
    const { startUploads } = await import(example('upload-service.mjs'));
    const { link, close } = await startUploads(path.join(folder.path, 'dropped'), 0);
    const { origin, hash } = new URL(link);
    const stop = new AbortController();
    const left = fetch(`${origin}/files/half`, {
      ...{ method: 'PUT', duplex: 'half', signal: stop.signal, headers: { authorization: `Bearer ${hash.slice(1)}` } },
      body: new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(100_000));
          stop.abort();
        },
      }),
    } as RequestInit);
    await expect(left).rejects.toThrow();
    await close();
    const store = await openStore(path.join(folder.path, 'dropped'));
    expect(await store.has('half')).toBe(false);
    await store.close();
  });
});
