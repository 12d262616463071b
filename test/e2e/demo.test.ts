import { readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLI, environment } from '../support/cli.ts';
import { type ConsumerFolder, createConsumerFolder, ROOT } from '../support/consumer-folder.ts';
import { type ProcessResult, runProcess } from '../support/run-process.ts';

describe('the demo', () => {
  let folder: ConsumerFolder;

  beforeEach(async () => {
    folder = await createConsumerFolder();
  });
  afterEach(() => folder.remove());

  function demo(...args: readonly string[]): Promise<ProcessResult> {
    return runProcess(process.execPath, [path.join(ROOT, 'scripts/demo.mjs'), ...args], { cwd: folder.path });
  }

  it('stores files twice, compares them and leaves a store to play with, again and again', async () => {
    await folder.write('two words/a.txt', 'a'.repeat(100_000));
    await folder.write('two words/empty', '');
    await symlink('a.txt', path.join(folder.path, 'two words/link'));
    for (let round = 0; round < 2; round += 1) {
      const done = await demo('--store', 'my store', 'two words');
      expect(done).toMatchObject({ status: 0, stderr: '' });
      expect(done.stdout).toContain('Holdfast demo: 2 files, 97.7 KiB, sealed into my store');
      expect(done.stdout).toMatch(/different +0\n/);
      expect(done.stdout).toMatch(
        /different +0 {2}without disk1.*\n.*made anew +\d.*\n +may be lost +2 .*\n +different +0 /,
      );
      expect(done.stdout).toContain('without disk5 as well');
      expect(done.stdout).toContain(
        "npx holdfast -s 'my store' --key-file 'my store.key' get 'second/two words/a.txt' -o a.txt.copy",
      );
    }
    expect((await readdir(folder.path)).filter((name) => name.includes('drill'))).toEqual([]);
    const listed = await runProcess(process.execPath, [CLI, '-s', 'my store', '--key-file', 'my store.key', 'ls'], {
      cwd: folder.path,
      env: { ...environment, HOLDFAST_STATE: path.join(folder.path, 'state') },
    });
    expect(listed.stdout.split('\n')).toEqual([
      'README',
      'first/two words/a.txt',
      'first/two words/empty',
      'second/two words/a.txt',
      'second/two words/empty',
      '',
    ]);
  });

  it('removes nothing but the store of a demo', async () => {
    await folder.write('mine/file', 'precious');
    const done = await demo('--store', 'mine', 'package.json');
    expect(done).toMatchObject({ status: 1, stdout: '' });
    expect(done.stderr).toContain('is not the store of a demo');
    expect(await readdir(path.join(folder.path, 'mine'))).toEqual(['file']);
  });

  it('explains itself, and what it cannot find', async () => {
    expect(await demo('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: npm run demo') });
    expect(await demo('absent')).toMatchObject({ status: 1, stderr: 'demo: absent: no such file or folder\n' });
  });
});
