import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { flipByte, packFiles } from '../support/store-files.ts';

const isRoot = process.getuid?.() === 0;
if (isRoot) console.warn('not run as root, who may read everything: put of an unreadable file');

let folder: CliFolder;
beforeEach(async () => {
  folder = await createCliFolder();
});
afterEach(() => folder.remove());

async function writeTree(): Promise<void> {
  for (const name of ['tree/a.txt', 'tree/b/1.log', 'tree/b/two words', 'tree/c']) await folder.write(name, name);
}

async function keys(): Promise<string[]> {
  return jsonLines(await folder.ok('ls', '--json')).map(({ key }) => key as string);
}

describe('put of folders', () => {
  beforeEach(writeTree);

  it('names entries by their paths and prints a summary', async () => {
    const text = await folder.ok('put', './tree/');
    expect(text).toMatch(/\n4 put, 0 skipped, 0 failed: 44 B, 44 B new, [\d.]+ \S+ stored/);
    expect(await keys()).toEqual(['tree/a.txt', 'tree/b/1.log', 'tree/b/two words', 'tree/c']);
    const lines = (await folder.ok('put', 'tree')).split('\n');
    expect(lines.slice(0, -2).map((line) => line.split('  ')[0])).toEqual(await keys());
  });

  it('takes a prefix, a key and exclusions', async () => {
    await folder.ok('put', 'tree', '--prefix', 'backup/', '-x', '*.log');
    await folder.ok('put', 'tree/b', '-k', 'named');
    expect(await keys()).toEqual([
      'backup/tree/a.txt',
      'backup/tree/b/two words',
      'backup/tree/c',
      'named/1.log',
      'named/two words',
    ]);
  });

  it('puts hundreds of files in their order, small and large, past one that fails', async () => {
    const names = Array.from({ length: 600 }, (_, at) => `many/${String(at).padStart(4, '0')}`);
    for (const name of names) await folder.write(name, name);
    await folder.write('many/0300-large', '7'.repeat(200_000));
    const deep = path.join('many/0100-deep', ...Array<string>(5).fill('d'.repeat(240)), 'key too long');
    await folder.write(deep, 'x');
    const done = await folder.run(['put', 'many', '--json']);
    expect(done.status).toBe(2);
    expect(jsonLines(done.stderr)).toMatchObject([
      { error: { code: 'KEY_INVALID' } },
      { summary: { put: 601, skipped: 0, failed: 1 } },
    ]);
    const put = [...names, 'many/0300-large'].sort();
    expect(jsonLines(done.stdout).map(({ key }) => key)).toEqual(put);
    expect(await keys()).toEqual(put);
    await folder.ok('get', '--prefix', 'many/', '-o', 'out');
    for (const name of put.filter((_, at) => at % 50 === 0))
      expect(await readFile(path.join(folder.path, name.replace('many', 'out'))), name).toEqual(
        await readFile(path.join(folder.path, name)),
      );

    const again = jsonLines(await folder.ok('put', 'many', '-x', '0100-deep', '--json'));
    expect(again.map(({ newBytes }) => newBytes)).toEqual(put.map(() => 0));
  });

  it('leaves the store itself out', async () => {
    const done = await folder.run(['put', '.']);
    expect(done.status).toBe(0);
    expect(done.stderr).toContain('skipped .holdfast: is the store itself');
    expect(await keys()).toEqual(['tree/a.txt', 'tree/b/1.log', 'tree/b/two words', 'tree/c']);
  });

  it('says what it would put', async () => {
    const text = await folder.ok('put', 'tree', '--dry-run');
    expect(text).toMatch(/^tree\/a.txt {2}10 B\n/);
    expect(text.split('\n').slice(-2)[0] ?? '').toBe('would put 4 entries, 44 B; 0 skipped, 0 failed');
    expect(await keys()).toEqual([]);
  });

  it('tells of links and follows them when asked', async () => {
    await symlink('a.txt', path.join(folder.path, 'tree/link'));
    const done = await folder.run(['put', 'tree', '--json']);
    expect(jsonLines(done.stdout)).toHaveLength(4);
    expect(jsonLines(done.stderr)).toEqual([
      { skipped: { path: 'tree/link', reason: 'is a symbolic link (see --follow)' } },
      { summary: expect.objectContaining({ put: 4, skipped: 1, failed: 0, bytes: 44 }) },
    ]);
    await folder.ok('put', 'tree', '--follow');
    expect(await folder.ok('get', 'tree/link')).toBe('tree/a.txt');
  });

  it('goes on after what is not there, and ends with its status', async () => {
    const done = await folder.run(['put', 'absent', 'tree']);
    expect(done.status).toBe(3);
    expect(done.stderr).toContain('absent: no such file or folder');
    expect(done.stdout).toContain('4 put, 0 skipped, 1 failed');
  });

  it.skipIf(isRoot)('goes on after an unreadable file, and ends with its status', async () => {
    await chmod(path.join(folder.path, 'tree/a.txt'), 0);
    const done = await folder.run(['put', 'tree']);
    expect(done.status).toBe(5);
    expect(done.stderr).toContain('tree/a.txt');
    expect(done.stdout).toContain('3 put, 0 skipped, 1 failed');
  });

  it('knows what is stored already', async () => {
    await folder.ok('put', 'tree');
    const done = await folder.run(['put', 'tree', '-p', 'again', '--json']);
    expect(jsonLines(done.stderr)).toEqual([{ summary: expect.objectContaining({ put: 4, bytes: 44, newBytes: 0 }) }]);
  });
});

describe('get into files and folders', () => {
  it('replaces a file only by a whole one', async () => {
    await folder.ok('put', '--data', 'new', '-k', 'k');
    const target = await folder.write('out.txt', 'old');
    const before = await readdir(folder.path);
    expect(await folder.run(['get', 'absent', '-o', 'out.txt'])).toMatchObject({ status: 3 });
    expect(await folder.run(['get', 'k', '-o', 'out.txt', '--range', '2:5'])).toMatchObject({ status: 2 });
    expect(await readFile(target, 'utf8')).toBe('old');
    expect(await readdir(folder.path)).toEqual(before);
    expect(jsonLines(await folder.ok('get', 'k', '-o', 'out.txt', '--json'))[0]).toMatchObject({
      key: 'k',
      path: 'out.txt',
      bytes: 3,
    });
    expect(await readFile(target, 'utf8')).toBe('new');
  });

  it('writes into a folder under the last name of the key', async () => {
    await mkdir(path.join(folder.path, 'out'));
    await folder.ok('put', '--data', 'x', '-k', 'a/b/c.txt');
    await folder.ok('get', 'a/b/c.txt', '-o', 'out');
    expect(await readdir(path.join(folder.path, 'out'))).toEqual(['c.txt']);
  });

  it('says so when the file cannot be written', async () => {
    await folder.ok('put', '--data', 'x', '-k', 'k');
    expect(await folder.run(['get', 'k', '-o', 'absent/out'])).toMatchObject({ status: 2 });
  });

  it('restores a folder as it was put', async () => {
    await writeTree();
    await folder.ok('put', 'tree', '-p', 'monday');
    expect(await folder.ok('get', '--prefix', 'monday/', '-o', 'back')).toBe('4 restored, 0 failed: 44 B\n');
    for (const name of ['tree/a.txt', 'tree/b/1.log', 'tree/b/two words', 'tree/c']) {
      expect(await readFile(path.join(folder.path, 'back', name), 'utf8')).toBe(name);
    }
  });

  it('refuses keys that leave the folder or cannot be files, and restores the others', async () => {
    for (const key of ['../evil', '/abs', 'a', 'a/b', 'c//d', 'ok', 'x/../../y']) {
      await folder.ok('put', '--data', key, '-k', key);
    }
    const done = await folder.run(['get', '--prefix', '', '-o', 'deep/back', '--json']);
    expect(done.status).toBe(2);
    expect(jsonLines(done.stdout).map(({ key }) => key)).toEqual(['a', 'ok']);
    const errors = jsonLines(done.stderr);
    expect(errors).toHaveLength(6);
    expect(errors.at(-1)).toEqual({ summary: { restored: 2, failed: 5, bytes: 3 } });
    expect(errors[0]).toMatchObject({ error: { kind: 'invalid', code: 'LOCATION_INVALID' } });
    expect((await readdir(path.join(folder.path, 'deep/back'))).sort()).toEqual(['a', 'ok']);
    expect(await readdir(path.join(folder.path, 'deep'))).toEqual(['back']);
  });

  it('restores what is whole of many that are read together, and names what is not', async () => {
    for (const part of ['one', 'two']) {
      for (let at = 0; at < 20; at += 1) {
        const text = randomBytes(5000).toString('latin1');
        await folder.write(`${part}/${String(at).padStart(2, '0')}`, text);
      }
      await folder.ok('put', part, '--prefix', 'all/');
    }
    const [first] = await packFiles(path.join(folder.path, '.holdfast'));
    await flipByte(first as string, 128 + 128 + 1000);
    const done = await folder.run(['get', '--prefix', 'all/', '-o', 'back', '--json']);
    expect(done.status).toBe(6);
    const restored = jsonLines(done.stdout).map(({ key }) => key as string);
    const damaged = jsonLines(done.stderr).filter((line) => 'error' in line);
    expect(restored.length).toBe(20);
    expect(damaged.length).toBe(20);
    for (const { error } of damaged) expect(error).toMatchObject({ kind: 'corrupt' });
    for (const key of restored)
      expect(await readFile(path.join(folder.path, 'back', key.slice(4))), key).toEqual(
        await readFile(path.join(folder.path, key.slice(4))),
      );
  });

  it('writes through no link in the folder', async () => {
    const outside = await folder.write('outside', 'untouched');
    await mkdir(path.join(folder.path, 'back'));
    await symlink('../outside', path.join(folder.path, 'back/file'));
    await symlink('..', path.join(folder.path, 'back/up'));
    await folder.ok('put', '--data', 'new', '-k', 'file');
    await folder.ok('put', '--data', 'new', '-k', 'up/outside');
    const done = await folder.run(['get', '--prefix', '', '-o', 'back']);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('symbolic link');
    expect(await readFile(outside, 'utf8')).toBe('untouched');
    expect(await readFile(path.join(folder.path, 'back/file'), 'utf8')).toBe('new');
  });
});

describe('a store', () => {
  it('is found upward, named by the environment, or by -s before or after the command', async () => {
    await folder.ok('put', '--data', 'x', '-k', 'here');
    await mkdir(path.join(folder.path, 'deep/er'), { recursive: true });
    expect(await folder.run(['ls'], { cwd: 'deep/er' })).toMatchObject({ stdout: 'here\n' });
    const other = path.join(folder.path, 'other store');
    await folder.ok('init', '--plain', other);
    expect(await folder.run(['ls'], { env: { HOLDFAST_STORE: other } })).toMatchObject({ status: 0, stdout: '' });
    expect(await folder.ok('-s', 'other store', 'ls')).toBe('');
    expect(await folder.ok('ls', '--store', '.holdfast')).toBe('here\n');
  });

  it('goes with its folder', async () => {
    await rm(path.join(folder.path, '.holdfast'), { recursive: true });
    expect(await folder.run(['ls'])).toMatchObject({ status: 3 });
  });
});
