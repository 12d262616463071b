import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

const QUICK = ['--seconds', '0.001', '--bytes', '100KiB'];
let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
  await mkdir(path.join(folder.path, 'empty'));
});
afterAll(() => folder.remove());

describe('bench', () => {
  it('measures beside the store, and leaves it as it was', async () => {
    const list = async () => (await readdir(path.join(folder.path, '.holdfast'), { recursive: true })).sort();
    const before = await list();
    const text = await folder.ok('bench', ...QUICK, '-q');
    expect(text).toMatch(/plain store, redundancy none\n/);
    expect(text).toMatch(/^put 4 KiB, durable, 64 at once +[\d.,]+ \/s/m);
    expect(text).toMatch(/^the limit here is the (?:processor|backends);/m);
    expect(await list()).toEqual(before);
  });

  it('measures a folder as JSON', async () => {
    const [report] = jsonLines(await folder.ok('bench', '--in', 'empty', ...QUICK, '--json'));
    expect(report).toMatchObject({ sealed: false, redundancy: 'none', machine: { node: process.version } });
    expect(await readdir(path.join(folder.path, 'empty'))).toEqual([]);
  });

  it('refuses what it cannot measure', async () => {
    for (const args of [
      ['--seconds', '0'],
      ['--seconds', 'long'],
      ['--bytes', '2GiB'],
      ['-s', '.holdfast', '--in', 'empty'],
    ])
      expect(await folder.run(['bench', ...args])).toMatchObject({ status: 2 });
    expect(await folder.run(['bench', '--in', 'absent'])).toMatchObject({ status: 3 });
  });
});
