import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../runtime/file-system.ts';
import { CrashFileSystem } from './crash-file-system.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { seededRandom } from './seeded-random.ts';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

const VALUE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

async function write(fileSystem: FileSystem, path: string, sync = false): Promise<void> {
  const handle = await fileSystem.open(path, 'wx');
  await handle.write(VALUE, 0, VALUE.length, 0);
  if (sync) await handle.sync();
  await handle.close();
}

async function read(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const handle = await fileSystem.open(path, 'r');
  const buffer = new Uint8Array((await handle.stat()).size);
  await handle.read(buffer, 0, buffer.length, 0);
  await handle.close();
  return buffer;
}

/** One line for each step: what it gave, or the code it failed with. */
async function behaviour(fileSystem: FileSystem, root: string): Promise<readonly string[]> {
  const at = (name: string) => join(root, name);
  const steps: readonly (() => Promise<unknown>)[] = [
    () => fileSystem.mkdir(at('folder/deep')),
    () => fileSystem.mkdir(at('folder')),
    () => write(fileSystem, at('folder/file')),
    () => write(fileSystem, at('folder/file')),
    () => write(fileSystem, at('absent/file')),
    () => fileSystem.mkdir(at('folder/file')),
    () => read(fileSystem, at('folder/file')),
    () => read(fileSystem, at('folder/absent')),
    () => read(fileSystem, at('folder/file/below')),
    () => fileSystem.stat(at('absent')),
    () => fileSystem.stat(at('folder/file/below')),
    () => fileSystem.link(at('folder/file'), at('linked')),
    () => fileSystem.link(at('folder/file'), at('linked')),
    () => fileSystem.link(at('absent'), at('other')),
    () => fileSystem.rename(at('folder/file'), at('linked-not')),
    () => fileSystem.rename(at('absent'), at('linked')),
    () => fileSystem.rename(at('linked'), at('folder')),
    () => fileSystem.rename(at('linked'), at('folder/deep/file')),
    async () =>
      (await fileSystem.readdir(root)).map((item) => `${item.name} ${item.isFile()} ${item.isDirectory()}`).sort(),
    () => fileSystem.readdir(at('absent')),
    () => fileSystem.readdir(at('linked-not')),
    () => fileSystem.rmdir(at('folder')),
    () => fileSystem.rmdir(at('linked-not')),
    () => fileSystem.unlink(at('absent')),
    () => fileSystem.unlink(at('folder/deep/file')),
    () => fileSystem.rmdir(at('folder/deep')),
    () => fileSystem.syncDirectory(root),
    () => fileSystem.syncDirectory(at('absent')),
    async () => (await fileSystem.stat(at('linked-not'))).size,
    async () => (await fileSystem.freeBytes(root)) > 0,
  ];
  const lines: string[] = [];
  for (const step of steps) {
    lines.push(
      await step().then(
        (value) => String(value),
        (error: { code: string }) => error.code,
      ),
    );
  }
  // What `stat` gives is an object, and equal only by name.
  return lines.map((line) => line.replace(/^\[object .*\]$/, 'object'));
}

describe('CrashFileSystem', () => {
  it('behaves as the real file system does while the power is on', async () => {
    const simulated = new CrashFileSystem();
    await simulated.mkdir(folder.path);
    expect(await behaviour(simulated, folder.path)).toEqual(await behaviour(nodeFileSystem, folder.path));
  });

  it('keeps what was flushed, content and name, whatever chance says', async () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const disk = new CrashFileSystem();
      await write(disk, '/file', true);
      await disk.syncDirectory('/');
      disk.restart(seededRandom(seed));
      expect(await read(disk, '/file')).toEqual(VALUE);
    }
  });

  it('keeps of the rest now all, now nothing, now a part', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const disk = new CrashFileSystem();
      await write(disk, '/file');
      disk.restart(seededRandom(seed));
      const bytes = await read(disk, '/file').catch(() => undefined);
      if (!bytes) seen.add('no name');
      else if (bytes.length === 0) seen.add('empty');
      else if (bytes.length < VALUE.length) seen.add('cut');
      else seen.add(bytes.every((byte, index) => byte === VALUE[index]) ? 'whole' : 'holes');
    }
    expect([...seen].sort()).toEqual(['cut', 'empty', 'holes', 'no name', 'whole']);
  });

  it('brings an unlinked name back, and loses or doubles a renamed one, until the folder was flushed', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const disk = new CrashFileSystem();
      await disk.mkdir('/a');
      await disk.mkdir('/b');
      await write(disk, '/a/moved', true);
      await write(disk, '/a/removed', true);
      for (const path of ['/', '/a', '/b']) await disk.syncDirectory(path);
      await disk.rename('/a/moved', '/b/moved');
      await disk.unlink('/a/removed');
      disk.restart(seededRandom(seed));
      const [from, to] = [await disk.readdir('/a'), await disk.readdir('/b')];
      if (from.some((item) => item.name === 'removed')) seen.add('removed came back');
      seen.add(`moved ${from.some((item) => item.name === 'moved')} ${to.length === 1}`);
    }
    expect([...seen].sort()).toEqual([
      'moved false false',
      'moved false true',
      'moved true false',
      'moved true true',
      'removed came back',
    ]);
  });

  it('fails every call after the power is cut, and none once it is back', async () => {
    const disk = new CrashFileSystem();
    await write(disk, '/file', true);
    await disk.syncDirectory('/');
    disk.cutPowerAfter(1);
    await disk.mkdir('/folder');
    await expect(disk.mkdir('/other')).rejects.toMatchObject({ code: 'EIO' });
    await expect(read(disk, '/file')).rejects.toMatchObject({ code: 'EIO' });
    disk.restart(seededRandom(1));
    expect(await read(disk, '/file')).toEqual(VALUE);
  });
});

describe('FaultyFileSystem', () => {
  it('passes everything on, and traces it', async () => {
    const faulty = new FaultyFileSystem(nodeFileSystem, folder.path);
    const real = await behaviour(nodeFileSystem, folder.path);
    await folder.remove();
    await nodeFileSystem.mkdir(folder.path);
    expect(await behaviour(faulty, folder.path)).toEqual(real);
    expect(faulty.trace.slice(0, 5)).toEqual([
      'mkdir folder/deep',
      'mkdir folder',
      'open folder/file wx',
      'write folder/file',
      'close folder/file',
    ]);
  });

  it('fails the calls that were chosen, by kind, path and count, before or after the work', async () => {
    const faulty = new FaultyFileSystem(new CrashFileSystem(), '/');
    faulty.fail({ call: 'mkdir', code: 'ENOSPC', path: 'x', nth: 2 });
    await faulty.mkdir('/x1');
    await faulty.mkdir('/y');
    await expect(faulty.mkdir('/x2')).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'mkdir', path: '/x2' });
    await faulty.mkdir('/x2');
    faulty.fail({ call: 'rename', code: 'EIO', when: 'after', times: Number.POSITIVE_INFINITY });
    await expect(faulty.rename('/x1', '/z1')).rejects.toMatchObject({ code: 'EIO' });
    await expect(faulty.rename('/x2', '/z2')).rejects.toMatchObject({ code: 'EIO' });
    faulty.heal();
    await faulty.rename('/y', '/z3');
    expect((await faulty.readdir('/')).map((item) => item.name).sort()).toEqual(['z1', 'z2', 'z3']);
  });

  it('moves as few bytes at a time as it is told', async () => {
    const faulty = new FaultyFileSystem(new CrashFileSystem(), '/');
    faulty.transferBytesMax = 3;
    const handle = await faulty.open('/file', 'wx');
    expect(await handle.write(VALUE, 0, 8, 0)).toEqual({ bytesWritten: 3 });
    expect(await handle.read(new Uint8Array(8), 0, 8, 1)).toEqual({ bytesRead: 2 });
  });
});
