import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TEMPORARY_AGE_MS_MAX } from '../limits.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { systemRandom } from '../runtime/random.ts';
import { FaultyFileSystem } from '../testing/faulty-file-system.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/temporary-folder.ts';
import { TemporaryFiles } from './fs-temporary.ts';
import { type FsBackendOptions, openFsBackend } from './open-fs-backend.ts';

const VALUE = new Uint8Array(100).fill(1);

let folder: TemporaryFolder;
let root: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  root = join(folder.path, 'blobs');
});
afterEach(() => folder.remove());

function open(options: FsBackendOptions = {}) {
  return openFsBackend(root, { reserveBytes: 0, ...options });
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('a temporary file', () => {
  const makeNames = () => {
    const living = new TemporaryFiles(join(root, '.tmp'), { fileSystem: nodeFileSystem, random: systemRandom });
    const ours = living.next();
    const named = (part: number, text: string) =>
      join(root, '.tmp', (ours.split('/').at(-1) ?? '').split('.').with(part, text).join('.'));
    return { living, ours, named };
  };

  it('of a dead process is removed when the folder is opened, one of a living process is not', async () => {
    await open();
    const { living, ours, named } = makeNames();
    const kept = [ours, named(0, String(process.ppid)), join(root, '.tmp', 'of-somebody-else')];
    const abandoned = [named(0, String(deadPid())), named(2, '0123456789abcdef')];
    for (const path of [...kept, ...abandoned]) await writeFile(path, VALUE);
    await open();
    expect((await readdir(join(root, '.tmp'))).map((name) => join(root, '.tmp', name)).sort()).toEqual(kept.sort());
    living.close();
    await open();
    expect(await readdir(join(root, '.tmp'))).not.toContain(ours.split('/').at(-1));
  });

  it('of another machine is removed after a day', async () => {
    await open();
    const { named } = makeNames();
    await writeFile(named(1, 'elsewhere'), VALUE);
    const written = (await nodeFileSystem.stat(named(1, 'elsewhere'))).mtimeMs;
    const clock = (now: number) => ({ now: () => now, monotonicMs: () => 0 });
    await open({ clock: clock(written + TEMPORARY_AGE_MS_MAX) });
    expect(await readdir(join(root, '.tmp'))).toHaveLength(1);
    await open({ clock: clock(written + TEMPORARY_AGE_MS_MAX + 1) });
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  it('is not left by puts, aborted puts and refused creates', async () => {
    const backend = await open();
    await backend.put('key', VALUE);
    await expect(backend.put('key', VALUE, { ifAbsent: true })).rejects.toMatchObject({ code: 'BLOB_EXISTS' });
    const abort = new AbortController();
    const put = backend.put('other', new Uint8Array(20_000_000), { signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(put).rejects.toThrow('enough');
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
    expect(await backend.list()).toEqual([{ key: 'key', bytes: 100 }]);
  });
});

describe('a read-only backend', () => {
  it('writes nothing: no temporary folder, no reserve, no sweep', async () => {
    await mkdir(root);
    await writeFile(join(root, 'key'), VALUE);
    const fileSystem = new FaultyFileSystem(nodeFileSystem, root);
    const backend = await openFsBackend(root, { readOnly: true, quotaBytes: 1000, fileSystem });
    expect(await backend.get('key')).toEqual(VALUE);
    expect(await backend.list()).toEqual([{ key: 'key', bytes: 100 }]);
    await expect(backend.put('key', VALUE)).rejects.toMatchObject({ code: 'READ_ONLY', retry: false });
    await backend.close();
    expect(
      fileSystem.trace.filter((call) => !/^(?:open \S+ r|read|readdir|stat|handleStat|close|freeBytes)\b/.test(call)),
    ).toEqual([]);
    expect(await readdir(root)).toEqual(['key']);
  });

  it('of an absent folder fails, and makes none', async () => {
    await expect(open({ readOnly: true })).rejects.toMatchObject({ code: 'BACKEND_IO', details: { system: 'ENOENT' } });
    await expect(open({ create: false })).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('a disk that is not mounted', () => {
  it('is an error for every call though its mount point stands, and whole again when it is back', async () => {
    await (await open()).put('a/key', VALUE);
    const backend = await open();
    await rename(root, `${root}-unmounted`);
    await mkdir(root);
    for (const call of [
      () => backend.get('a/key'),
      () => backend.get('absent'),
      () => backend.head('a/key'),
      () => backend.list(),
      () => backend.list({ prefix: 'absent/' }),
      () => backend.delete('a/key'),
      () => backend.put('b/key', VALUE),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    }
    expect(await readdir(root)).toEqual([]);
    await rm(root, { recursive: true });
    await rename(`${root}-unmounted`, root);
    expect(await backend.get('a/key')).toEqual(VALUE);
  });
});

describe('a folder that somebody removed', () => {
  it.each([false, true])('is made again by the next put, with ifAbsent %s', async (ifAbsent) => {
    const backend = await open();
    await backend.put('packs/00/a', VALUE, { ifAbsent });
    await rm(join(root, 'packs'), { recursive: true });
    await backend.put('packs/00/a', VALUE, { ifAbsent });
    expect(await backend.get('packs/00/a')).toEqual(VALUE);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
    await backend.close();
  });
});

describe('what is no blob', () => {
  it('is not listed, counted or read: dot names, foreign names, links, folders too deep', async () => {
    const backend = await open({ reserveBytes: 10 });
    await backend.put('a/b/c/d', VALUE);
    await mkdir(join(root, 'a/b/c/deep'));
    for (const path of ['a/.hidden', 'Upper', 'a/b/c/deep/e', 'sp ace', `${'l'.repeat(201)}`])
      await writeFile(join(root, path), VALUE);
    await symlink(join(root, 'a/b/c/d'), join(root, 'link'));
    expect(await backend.list()).toEqual([{ key: 'a/b/c/d', bytes: 100 }]);
    expect((await backend.space()).usedBytes).toBe(100);
  });

  it('but stands where one belongs is an error that no retry mends', async () => {
    const backend = await open();
    await backend.put('a/b', VALUE);
    for (const call of [
      () => backend.get('a'),
      () => backend.head('a'),
      () => backend.put('a', VALUE),
      () => backend.get('a/b/c'),
      () => backend.put('a/b/c', VALUE),
      () => backend.delete('a/b/c'),
      () => backend.list({ prefix: 'a/b/' }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false });
    }
    await writeFile(join(folder.path, 'file'), VALUE);
    await expect(openFsBackend(join(folder.path, 'file'))).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false });
    expect(await backend.list()).toEqual([{ key: 'a/b', bytes: 100 }]);
  });

  it('and vanishes while it is listed is left out', async () => {
    const backend = await open({
      fileSystem: new (class extends FaultyFileSystem {
        override async stat(path: string) {
          if (path.endsWith('going')) await rm(path, { force: true });
          return super.stat(path);
        }
      })(nodeFileSystem, root),
    });
    for (const key of ['going', 'staying']) await backend.put(key, VALUE);
    expect(await backend.list()).toEqual([{ key: 'staying', bytes: 100 }]);
  });
});

describe('a listing', () => {
  it('reads only the folders in which its keys can lie', async () => {
    const fileSystem = new FaultyFileSystem(nodeFileSystem, root);
    const backend = await open({ fileSystem });
    for (const key of ['a/1/x', 'a/2/x', 'a/3/x', 'b/1/x', 'c/1/x']) await backend.put(key, VALUE);
    const foldersOf = async (list: () => Promise<unknown>) => {
      fileSystem.trace.length = 0;
      await list();
      return fileSystem.trace.filter((call) => call.startsWith('readdir')).map((call) => call.slice(8));
    };
    expect(await foldersOf(() => backend.list({ prefix: 'a/2/' }))).toEqual(['a/2']);
    expect(await foldersOf(() => backend.list({ prefix: 'a/', after: 'a/2/x' }))).toEqual(['a', 'a/2', 'a/3']);
    expect(await foldersOf(() => backend.list({ after: 'b/1/x' }))).toEqual(['.', 'b', 'b/1', 'c', 'c/1']);
    expect(await foldersOf(() => backend.list({ limit: 1 }))).toEqual(['.', 'a', 'a/1']);
  });
});

describe('a file that ends early while it is read', () => {
  it('is refused, never a short read', async () => {
    const backend = await open({
      fileSystem: new (class extends FaultyFileSystem {
        override async open(path: string, flags: 'r' | 'wx' | 'r+') {
          const handle = await super.open(path, flags);
          if (flags !== 'r') return handle;
          return { ...handle, read: async () => ({ bytesRead: 0 }) };
        }
      })(nodeFileSystem, root),
    });
    await backend.put('key', VALUE);
    await expect(backend.get('key')).rejects.toMatchObject({ code: 'BACKEND_RANGE_INVALID' });
  });
});
