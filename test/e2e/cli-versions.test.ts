import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

describe('versions on the command line', () => {
  let folder: CliFolder;

  beforeAll(async () => {
    folder = await createCliFolder();
    expect(await folder.ok('versions', 'policy')).toBe('earlier versions kept: none\n');
    const set = await folder.ok('versions', 'policy', '--last', '10', '--for', '30d');
    expect(set).toBe('earlier versions kept: the last 10, for 30d00h\n');
    for (const value of ['one', 'two', 'three']) await folder.ok('put', '--data', value, '-k', 'k');
  });

  afterAll(() => folder.remove());

  it('are listed as a table, or one object a line', async () => {
    const [headings, ...rows] = (await folder.ok('versions', 'k')).trimEnd().split('\n');
    expect(headings).toMatch(/^NUMBER +FROM \(UTC\) +UNTIL \(UTC\) +SIZE +VERSION +DIGEST$/);
    expect(rows[0]).toMatch(/^current {2}[\d-]{10} [\d:]{8} +5 B {3}[0-9a-f]{12} {2}[0-9a-f]{12}$/);
    expect(rows.slice(1).map((row) => row.slice(0, 8).trim())).toEqual(['2', '1']);
    const listed = jsonLines(await folder.ok('versions', 'list', 'k', '--json', '--limit', '2'));
    expect(listed).toMatchObject([
      { current: true, size: 5 },
      { current: false, number: 2, size: 3 },
    ]);
    expect(await folder.run(['versions', 'nobody'])).toMatchObject({ status: 3 });
  });

  it('are read by id, by number and as of a time', async () => {
    const [, two, one] = jsonLines(await folder.ok('versions', 'k', '--json'));
    const id = String(two?.version).slice(0, 16);
    expect(await folder.ok('get', 'k', '--version', id)).toBe('two');
    expect(await folder.ok('--json', 'cat', '--number', '1', 'k')).toBe('one');
    expect(await folder.ok('get', 'k', '--at', String(two?.until), '--range', '1:2')).toBe('hr');
    expect(await folder.ok('get', 'k', '--at', String(one?.from), '-o', 'old.txt')).toBe('');
    expect(await readFile(path.join(folder.path, 'old.txt'), 'utf8')).toBe('one');
    const absent = await folder.run(['get', 'k', '--number', '7']);
    expect(absent).toMatchObject({ status: 3, stderr: expect.stringContaining('hint: `holdfast versions KEY`') });
    for (const args of [
      ['get', 'k', '--number', '1', '--at', '2026-01-31'],
      ['get', '--prefix', 'k', '-o', 'out', '--number', '1'],
      ['versions', 'restore', 'k'],
      ['versions', 'forget', 'k'],
      ['versions', 'forget', '--last', '1'],
      ['versions', 'forget', '--prefix', 'k', '--number', '1'],
      ['versions', 'policy', '--none', '--last', '1'],
      ['versions', 'policy', '--for', 'soon'],
      ['put', '--data', 'x', '-k', 'k', '--keep-versions', 'many'],
    ])
      expect(await folder.run(args), args.join(' ')).toMatchObject({ status: 2 });
    expect(await folder.ok('--version')).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('are restored and forgotten', async () => {
    await folder.ok('put', '--data', 'a', '-k', 'r/1');
    await folder.ok('put', '--data', 'b', '-k', 'r/1', '--keep-versions', 'all');
    await folder.ok('put', '--data', 'c', '-k', 'r/1', '--keep-versions', 'none');
    expect(await folder.ok('versions', 'restore', 'r/1', '--number', '1')).toMatch(
      /^r\/1 {2}1 B {2}version [0-9a-f]{12}\n$/,
    );
    expect(await folder.ok('get', 'r/1')).toBe('a');
    expect(await folder.ok('versions', 'forget', 'r/1', '--last', '1', '--dry-run')).toBe(
      'would forget 1 version (1 B), 1 kept\n',
    );
    expect(await folder.ok('versions', 'prune', 'r/1', '--number', '1', '--number', '9')).toBe(
      'forgot 1 version (1 B), 1 kept\n',
    );
    const all = ['versions', 'forget', '--prefix', 'r/', '--last', '0'];
    expect(await folder.ok(...all, '--older-than', '1d')).toBe('forgot 0 versions of 0 entries (0 B), 1 kept\n');
    expect(jsonLines(await folder.ok(...all, '--json'))).toEqual([
      { entries: 1, versions: 1, bytes: 1, kept: 0, dryRun: false },
    ]);
  });
});

describe('versions of a namespace', () => {
  it('have a policy of their own', async () => {
    const folder = await createCliFolder({ store: false });
    try {
      await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
      const ok = async (...args: string[]): Promise<string> =>
        (await folder.run(args, { env: { HOLDFAST_KEY_FILE: 'main.key' } })).stdout;
      await ok('init', '-q');
      await ok('versions', 'policy', '--all');
      await ok('namespace', 'create', 'n');
      const policy = ['versions', 'policy', '-N', 'n'];
      expect(await ok(...policy)).toBe('earlier versions kept: all (as the store)\n');
      expect(await ok(...policy, '--none')).toBe('earlier versions kept: none\n');
      await ok('put', '-N', 'n', '--data', 'x', '-k', 'k');
      expect(jsonLines(await ok('versions', 'k', '-N', 'n', '--json'))).toHaveLength(1);
      expect(await ok(...policy, '--inherit')).toBe('earlier versions kept: all (as the store)\n');
    } finally {
      await folder.remove();
    }
  });
});
