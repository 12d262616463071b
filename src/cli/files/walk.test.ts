import { chmod, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConsumerFolder } from '../../../test/support/consumer-folder.ts';
import { compileGlob } from './glob.ts';
import { type Found, type WalkOptions, walk } from './walk.ts';

const isRoot = process.getuid?.() === 0;
if (isRoot) console.warn('not run as root, who may read everything: unreadable files and folders');

describe('walk', () => {
  let folder: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const made = await createConsumerFolder();
    folder = path.join(made.path, 'tree');
    remove = made.remove;
    await mkdir(path.join(folder, 'b/deep'), { recursive: true });
    for (const name of ['b.txt', 'a.txt', 'b/2', 'b/10', 'b/deep/x']) await writeFile(path.join(folder, name), name);
  });

  afterEach(() => remove());

  async function found(options: Partial<WalkOptions> = {}, name = 'tree', root = folder): Promise<Found[]> {
    const all: Found[] = [];
    const { signal } = new AbortController();
    for await (const one of walk({ path: root, name }, { follow: false, excludes: [], signal, ...options }))
      all.push(one);
    return all;
  }

  function names(all: readonly Found[]): string[] {
    return all.map((one) => (one.kind === 'file' ? one.name : `${one.kind} ${path.relative(folder, one.path)}`));
  }

  it('finds files in order of their names, below the name of the folder', async () => {
    expect(names(await found())).toEqual(['tree/a.txt', 'tree/b/10', 'tree/b/2', 'tree/b/deep/x', 'tree/b.txt']);
    expect(names(await found({}, ''))).toEqual(['a.txt', 'b/10', 'b/2', 'b/deep/x', 'b.txt']);
  });

  it('takes a file by itself', async () => {
    const file = path.join(folder, 'a.txt');
    expect(await found({}, 'a', file)).toEqual([{ kind: 'file', path: file, name: 'a', regular: true }]);
  });

  it('leaves out what is excluded, whole folders as well', async () => {
    expect(names(await found({ excludes: [compileGlob('deep'), compileGlob('*.txt')] }))).toEqual([
      'tree/b/10',
      'tree/b/2',
    ]);
  });

  it('tells of links, and follows them when asked, but never in a circle', async () => {
    await symlink('../a.txt', path.join(folder, 'b/file-link'));
    await symlink('..', path.join(folder, 'b/up'));
    expect(names(await found())).toContain('skipped b/file-link');
    const followed = await found({ follow: true });
    expect(names(followed)).toContain('tree/b/file-link');
    expect(followed).toContainEqual({
      kind: 'skipped',
      path: path.join(folder, 'b/up'),
      reason: 'is a link to a folder above it',
    });
  });

  it('tells of a dangling link as a failure when it follows', async () => {
    await symlink('nowhere', path.join(folder, 'dangling'));
    const [failed] = (await found({ follow: true })).filter(({ kind }) => kind === 'failed');
    expect(failed).toMatchObject({ error: { code: 'SOURCE_NOT_FOUND' } });
  });

  it('leaves the store out', async () => {
    const avoid = await realpath(path.join(folder, 'b'));
    expect(names(await found({ avoid }))).toEqual(['tree/a.txt', 'skipped b', 'tree/b.txt']);
  });

  it('tells of a path that is not there', async () => {
    const [failed] = await found({}, 'x', path.join(folder, 'x'));
    expect(failed).toMatchObject({ kind: 'failed', error: { code: 'SOURCE_NOT_FOUND' } });
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(found({ signal: controller.signal })).rejects.toThrow('enough');
  });

  it.skipIf(isRoot)('passes by a folder that may not be read', async () => {
    await chmod(path.join(folder, 'b'), 0);
    const all = await found();
    await chmod(path.join(folder, 'b'), 0o755);
    expect(names(all)).toEqual(['tree/a.txt', 'failed b', 'tree/b.txt']);
    expect(all[1]).toMatchObject({ error: { code: 'PERMISSION_DENIED' } });
  });

  it.skipIf(process.platform !== 'linux')(
    'tells of a name that is not UTF-8 instead of storing another one',
    async () => {
      await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]), 'x');
      const failed = (await found()).filter((one) => one.kind !== 'file');
      expect(failed).toMatchObject([{ kind: 'failed', error: { code: 'KEY_INVALID' } }]);
    },
  );
});
