import { spawnSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTar, type TarItem, writeTar } from '../../src/archive/index.ts';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { archiveOf, bytesOf, file, folder, linkTo, pieces, readAll, sameAs, stream } from './items.ts';

const hasGnuTar = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;
const hasPrograms = (...names: readonly string[]) =>
  hasGnuTar && names.every((name) => spawnSync(name, ['--version']).status === 0);

function tar(...args: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('tar', args, { maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`tar ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const LONG = `${'long/'.repeat(80)}${'n'.repeat(150)}`;
const NOT_UTF8 = Uint8Array.of(0x66, 0xff, 0x80, 0x41);

const ITEMS: readonly TarItem[] = [
  folder('a', { mode: 0o750 }),
  file('a/text', 'hello', { mode: 0o640, mtime: '2026-11-21T20:00:00.123456789Z' }),
  file('a/before', 'b', { mtime: '1969-12-31T23:59:58.250000000Z' }),
  file(LONG, 'long'),
  file('ä/日本', 'not ASCII'),
  file(NOT_UTF8, 'not UTF-8'),
  folder('d'.repeat(120)),
  linkTo('link', 'a/text'),
  linkTo('far', 't'.repeat(200)),
  sameAs('same', 'a/text'),
];

let work: TemporaryFolder;
beforeEach(async () => {
  work = await makeTemporaryFolder();
});
afterEach(() => work.remove());

async function nanoseconds(path: string): Promise<bigint> {
  return (await lstat(path, { bigint: true })).mtimeNs;
}

describe.skipIf(!hasGnuTar)('the tar of the system', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('unpacks what is written, compressed with %s', async (compression) => {
    if (compression !== 'none' && !hasPrograms(compression)) return;
    const archive = join(work.path, 'archive');
    const out = join(work.path, 'out');
    await writeFile(archive, await archiveOf(ITEMS, { compression }));
    await mkdir(out);
    tar('-xpf', archive, '-C', out);
    expect(await readFile(join(out, 'a/text'), 'utf8')).toBe('hello');
    expect((await lstat(join(out, 'a'))).mode & 0o7777).toBe(0o750);
    expect((await lstat(join(out, 'a/text'))).mode & 0o7777).toBe(0o640);
    expect(await nanoseconds(join(out, 'a/text'))).toBe(1_795_291_200_123_456_789n);
    expect(await nanoseconds(join(out, 'a/before'))).toBe(-1_750_000_000n);
    expect(await readFile(join(out, LONG), 'utf8')).toBe('long');
    expect(await readFile(join(out, 'ä/日本'), 'utf8')).toBe('not ASCII');
    expect(await readlink(join(out, 'link'))).toBe('a/text');
    expect(await readlink(join(out, 'far'))).toBe('t'.repeat(200));
    expect((await lstat(join(out, 'same'))).ino).toBe((await lstat(join(out, 'a/text'))).ino);
    expect((await lstat(join(out, 'd'.repeat(120)))).isDirectory()).toBe(true);
    const names = await readdir(out, { encoding: 'buffer' });
    expect(names.some((name) => Buffer.compare(name, NOT_UTF8) === 0)).toBe(true);
    expect(names).toHaveLength(8);
  });

  it.each([
    ['gnu', 'none'],
    ['pax', 'none'],
    ['ustar', 'none'],
    ['v7', 'none'],
    ['pax', 'gzip'],
    ['gnu', 'zstd'],
  ] as const)('writes %s archives that are read, compressed with %s', async (format, compression) => {
    if (compression !== 'none' && !hasPrograms(compression)) return;
    const from = join(work.path, 'from');
    const isShort = format === 'v7' || format === 'ustar';
    await mkdir(join(from, 'folder/empty'), { recursive: true });
    await writeFile(join(from, 'folder/ä'), 'text');
    await writeFile(Buffer.concat([Buffer.from(`${from}/`), NOT_UTF8]), 'not UTF-8');
    await symlink('folder/ä', join(from, 'link'));
    if (!isShort) await writeFile(join(from, 'n'.repeat(200)), 'long');
    const flags = { none: [], gzip: ['-z'], zstd: ['--zstd'] }[compression];
    await utimes(join(from, 'folder/ä'), 1_700_000_000, 1_700_000_000.5);
    const archive = tar('-c', ...flags, `--format=${format}`, '--sort=name', '-C', from, '-f', '-', '.');
    const items = await readAll(pieces(archive, 5000));
    expect(items.filter((item) => item.type === 'refused')).toEqual([]);
    const find = (path: string | Uint8Array) => {
      const bytes = typeof path === 'string' ? bytesOf(path) : path;
      return items.find((item) => Buffer.compare(item.path, bytes) === 0);
    };
    expect(find('')).toMatchObject({ type: 'folder' });
    expect(find('folder/empty')).toMatchObject({ type: 'folder' });
    const fraction = format === 'pax' ? '500000000' : '000000000';
    expect(find('folder/ä')).toMatchObject({ bytes: bytesOf('text'), mtime: `2023-11-14T22:13:20.${fraction}Z` });
    expect(find(NOT_UTF8)).toMatchObject({ bytes: bytesOf('not UTF-8') });
    expect(find('link')).toMatchObject({ type: 'link', target: bytesOf('folder/ä') });
    if (!isShort) expect(find('n'.repeat(200))).toMatchObject({ bytes: bytesOf('long') });
    expect(items).toHaveLength(isShort ? 6 : 7);
  });

  it('reads the size of a file beyond 8 GiB', async () => {
    const size = 8 * 2 ** 30 + 1;
    const content = async function* () {
      for (;;) yield new Uint8Array(65_536);
    };
    // The beginning of the archive is enough: the size stands before the content.
    const writing = writeTar(stream([file('large', '', { size, content })]));
    const start = concatBytes([(await writing.next()).value!, (await writing.next()).value!]);
    await writing.return(undefined);
    expect(spawnSync('tar', ['-tvf', '-'], { input: start }).stdout.toString()).toMatch(/ 8589934593 .* large$/m);
    expect((await readTar(pieces(start)).next()).value).toMatchObject({ path: bytesOf('large'), size });
  });

  it('refuses nothing of what it wrote, sparse files aside', async () => {
    const from = join(work.path, 'from');
    await mkdir(from);
    await writeFile(join(from, 'b'), 'b');
    spawnSync('truncate', ['-s', '1M', join(from, 'a')]);
    for (const format of ['gnu', 'pax']) {
      const archive = tar('-cS', `--format=${format}`, '--sort=name', '-C', from, '-f', '-', 'a', 'b');
      const items = await Array.fromAsync(readTar(pieces(concatBytes([archive]))));
      expect(items).toMatchObject([{ error: { code: 'ARCHIVE_ITEM_UNSUPPORTED' } }, { path: bytesOf('b'), size: 1 }]);
    }
  });
});
