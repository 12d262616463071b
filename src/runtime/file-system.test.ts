import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../testing/index.ts';
import { nodeFileSystem } from './file-system.ts';

const root = await makeTemporaryFolder();
afterAll(() => root.remove());

describe('mkdir of the real file system', () => {
  it('makes the folders above, and is content with one that is there', async () => {
    const folder = path.join(root.path, 'a', 'b', 'c');
    await nodeFileSystem.mkdir(folder);
    await nodeFileSystem.mkdir(folder);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it('fails where a file is in the way', async () => {
    const file = path.join(root.path, 'file');
    await writeFile(file, '');
    await expect(nodeFileSystem.mkdir(file)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(nodeFileSystem.mkdir(path.join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it.runIf(process.platform === 'linux')('fails at once where nothing can be made', async () => {
    await expect(nodeFileSystem.mkdir('/proc/holdfast-test/below')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
