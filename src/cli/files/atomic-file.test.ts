import { chmod, lstat, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConsumerFolder, createConsumerFolder } from '../../../test/support/consumer-folder.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { FolderMaker } from './folders.ts';

let folder: ConsumerFolder;
beforeEach(async () => {
  folder = await createConsumerFolder();
});
afterEach(() => folder.remove());

async function* content(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield new TextEncoder().encode(piece);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('half');
  throw new Error('damaged');
}

describe('writeFileAtomically', () => {
  it('writes a new file and tells how many bytes were written', async () => {
    const target = path.join(folder.path, 'new');
    const pieces: number[] = [];
    await writeFileAtomically(target, content('ab', 'cde'), { onBytes: (bytes) => pieces.push(bytes) });
    expect(await readFile(target, 'utf8')).toBe('abcde');
    expect(pieces).toEqual([5]);
  });

  it('keeps the permissions of what it replaces', async () => {
    const target = await folder.write('old', 'old');
    await chmod(target, 0o640);
    await writeFileAtomically(target, content('new'));
    expect(await readFile(target, 'utf8')).toBe('new');
    expect((await stat(target)).mode & 0o777).toBe(0o640);
  });

  it('leaves the old file and nothing else when the content fails', async () => {
    const target = await folder.write('old', 'old');
    const before = await readdir(folder.path);
    await expect(writeFileAtomically(target, failing())).rejects.toThrow('damaged');
    expect(await readFile(target, 'utf8')).toBe('old');
    expect(await readdir(folder.path)).toEqual(before);
  });

  it('writes through a link the user named, and replaces one a key named', async () => {
    const behind = await folder.write('behind', 'behind');
    const link = path.join(folder.path, 'link');
    await symlink('behind', link);
    await writeFileAtomically(link, content('through'));
    expect(await readFile(behind, 'utf8')).toBe('through');
    await writeFileAtomically(link, content('instead'), { replace: true });
    expect(await readFile(behind, 'utf8')).toBe('through');
    expect((await lstat(link)).isFile()).toBe(true);
    expect(await readFile(link, 'utf8')).toBe('instead');
  });

  it('takes the next name when a temporary file of its name was left behind', async () => {
    const probe = path.join(folder.path, 'probe');
    await writeFileAtomically(probe, content('x'));
    for (let count = 0; count < 100; count += 1) await folder.write(`.holdfast-${process.pid}-${count}.tmp`, 'left');
    await writeFileAtomically(probe, content('y'));
    expect(await readFile(probe, 'utf8')).toBe('y');
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.tmp'))).toHaveLength(100);
  });

  it.skipIf(process.platform === 'win32')('writes to what is no regular file directly', async () => {
    await writeFileAtomically('/dev/null', content('gone'));
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it.each([
    ['its folder is absent', 'absent/file'],
    ['it is a folder', 'taken'],
    ['a part of its path is a file', 'package.json/file'],
  ])('says so when %s', async (_, name) => {
    await mkdir(path.join(folder.path, 'taken'));
    const target = path.join(folder.path, name);
    for (const replace of [false, true]) {
      const rejected = expect(writeFileAtomically(target, content('x'), { replace })).rejects;
      await rejected.toMatchObject({ code: 'LOCATION_INVALID', details: { path: target } });
    }
  });
});

describe('FolderMaker', () => {
  it('makes folders below its root, those that are there already included', async () => {
    const folders = new FolderMaker(path.join(folder.path, 'x/y'));
    await folders.makeRoot();
    const [first, second] = await Promise.all([folders.make(['a', 'b']), folders.make(['a', 'c'])]);
    expect((await stat(first)).isDirectory()).toBe(true);
    expect((await stat(second)).isDirectory()).toBe(true);
    expect(await new FolderMaker(path.join(folder.path, 'x/y')).make(['a', 'b'])).toBe(first);
  });

  it('refuses files and links on the way', async () => {
    await folder.write('file', '');
    await symlink('..', path.join(folder.path, 'link'));
    const folders = new FolderMaker(folder.path);
    await expect(folders.make(['file', 'x'])).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(folders.make(['link', 'x'])).rejects.toThrow('symbolic link');
  });
});
