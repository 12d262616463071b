import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/index.ts';
import { SmallFileWriter } from './small-file-writer.ts';

describe('SmallFileWriter', () => {
  let folder: string;
  let files: SmallFileWriter;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'holdfast-files-'));
    files = new SmallFileWriter();
  });
  afterEach(async () => {
    await files.close();
    await rm(folder, { recursive: true });
  });

  function write(name: string, bytes: Uint8Array, { mode = 0o644, sync = false, mtimeNs = 5_000_000_000n } = {}) {
    return files.write({ path: Buffer.from(path.join(folder, name)), mode, mtimeNs, sync }, bytes);
  }

  it('writes many at once, each with its mode and time, and leaves nothing else', async () => {
    const random = seededRandom(3);
    const contents = Array.from({ length: 200 }, (_, index) => random.bytes(index * 331));
    await Promise.all(contents.map((bytes, index) => write(`f${index}`, bytes, { mode: index % 2 ? 0o640 : 0o4755 })));
    for (const [index, bytes] of contents.entries()) {
      const file = path.join(folder, `f${index}`);
      expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
      const { mode, mtimeMs } = await stat(file);
      expect([mode & 0o7777, mtimeMs]).toEqual([index % 2 ? 0o640 : 0o4755, 5000]);
    }
    expect(await readdir(folder)).toHaveLength(contents.length);
  });

  it('writes what comes together, and tells by their places what was not written', async () => {
    await mkdir(path.join(folder, 'taken'));
    const facts = { mode: 0o604, mtimeNs: 7_000_000_000n, sync: false };
    const names = ['a', 'taken', 'b', 'no/such'];
    const lent = files.lend();
    lent.set(Buffer.from(names.map((name) => name.repeat(9)).join('')));
    const inMessage = names.map((name) => ({
      file: { ...facts, path: Buffer.from(path.join(folder, name)) },
      length: name.length * 9,
    }));
    const errors = await files.writeTogether(inMessage, lent);
    expect([...errors].map(([at, error]) => [at, (error as { code?: string }).code])).toEqual([
      [1, 'EISDIR'],
      [3, 'ENOENT'],
    ]);
    expect((await readdir(folder)).sort()).toEqual(['a', 'b', 'taken']);
    expect(await readFile(path.join(folder, 'b'), 'utf8')).toBe('bbbbbbbbb');
    const { mode, mtimeMs } = await stat(path.join(folder, 'a'));
    expect([mode & 0o7777, mtimeMs]).toEqual([0o604, 7000]);
  });

  it('flushes files together, and no more of them than there is time for', async () => {
    await write('a', Buffer.from('a'));
    await mkdir(path.join(folder, 'sub'));
    const paths = ['a', 'absent', 'a'].map((name) => Buffer.from(path.join(folder, name)));
    const { tried, errors } = await files.syncTogether(paths, 60_000);
    expect([tried, [...errors].map(([at, error]) => [at, (error as { code?: string }).code])]).toEqual([
      3,
      [[1, 'ENOENT']],
    ]);
    expect((await files.syncTogether(paths, 0)).tried).toBe(1);
    expect(await files.syncTogether([], 0)).toEqual({ tried: 0, errors: new Map() });
  });

  it('replaces what has the name', async () => {
    await writeFile(path.join(folder, 'a'), 'what was there before, and is longer');
    await write('a', Buffer.from('new'), { sync: true });
    expect(await readFile(path.join(folder, 'a'), 'utf8')).toBe('new');
  });

  it('takes names that are no text', async () => {
    const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]);
    const file = { path: name, mode: 0o600, mtimeNs: -1n, sync: false };
    await files.write(file, Buffer.from('x'));
    expect(await readFile(name, 'utf8')).toBe('x');
  });

  it('fails alone, with the error of the system, and removes what it began', async () => {
    await mkdir(path.join(folder, 'taken'));
    const outcomes = await Promise.allSettled([
      write('taken', Buffer.from('a')),
      write('no/such', Buffer.from('c')),
      write('good', Buffer.from('d')),
    ]);
    const codes = outcomes.map((one) => (one.status === 'fulfilled' ? 'done' : (one.reason as { code: string }).code));
    expect(codes).toEqual(['EISDIR', 'ENOENT', 'done']);
    expect((await readdir(folder)).sort()).toEqual(['good', 'taken']);
  });

  it.skipIf(process.getuid?.() === 0)('tells of a folder that may not be written into', async () => {
    await chmod(folder, 0o500);
    await expect(write('a', Buffer.from('a'))).rejects.toMatchObject({ code: 'EACCES' });
    await chmod(folder, 0o700);
  });

  it('fails what waits when it is closed', async () => {
    const outcome = expect(write('a', Buffer.alloc(10))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    // The thread has been asked by then.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await files.close();
    await outcome;
  });
});
