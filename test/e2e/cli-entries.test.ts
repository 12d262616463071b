import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

const DIGEST_OF_HELLO = 'blake3:ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
});
afterAll(() => folder.remove());

describe('put and get of one entry', () => {
  it('prints key, digest and size, and gives the bytes back', async () => {
    await folder.write('notes/hello.txt', 'hello');
    expect(await folder.ok('put', './notes/hello.txt')).toBe(`notes/hello.txt  ${DIGEST_OF_HELLO}  5 B\n`);
    expect(await folder.ok('get', 'notes/hello.txt')).toBe('hello');
    expect(await folder.ok('cat', 'notes/hello.txt', 'notes/hello.txt')).toBe('hellohello');
  });

  it('puts standard input, named by its digest or by a key', async () => {
    const named = await folder.run(['put', '-', '-k', 'from stdin'], { input: 'hello' });
    expect(named.stdout).toBe(`from stdin  ${DIGEST_OF_HELLO}  5 B\n`);
    const nameless = await folder.run(['put', '-', '--json'], { input: 'hello' });
    expect(jsonLines(nameless.stdout)).toEqual([
      expect.objectContaining({ key: DIGEST_OF_HELLO, digest: DIGEST_OF_HELLO, size: 5, chunks: 1, path: '-' }),
    ]);
    const random = await folder.run(['put', '-', '--name', 'uuid', '--json'], { input: '' });
    expect(jsonLines(random.stdout)[0]?.key).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  it('keeps any byte from standard input to standard output', async () => {
    const bytes = readFileSync(process.execPath).subarray(0, 3_000_000);
    expect(await folder.run(['put', '-', '-k', 'binary'], { input: bytes })).toMatchObject({ status: 0 });
    await folder.ok('get', 'binary', '-o', 'binary.out');
    expect(readFileSync(path.join(folder.path, 'binary.out')).equals(bytes)).toBe(true);
    const range = await folder.ok('get', 'binary', '--range', '1:3');
    expect(range).toBe('ELF');
  });

  it('keeps type and attributes', async () => {
    await folder.ok('put', '--data', 'x', '-k', 'typed', '--content-type', 'text/plain', '-a', 'a=1', '-a', 'b=x=y');
    const [entry] = jsonLines(await folder.ok('stat', 'typed', '--json'));
    expect(entry).toMatchObject({ key: 'typed', contentType: 'text/plain', attributes: { a: '1', b: 'x=y' }, size: 1 });
    const text = await folder.ok('stat', 'typed');
    expect(text).toMatch(/^key {10}typed\nsize {9}1 B\n/);
    expect(text).toContain('attribute b  x=y\n');
  });

  it('reads a range, and refuses one past the end', async () => {
    await folder.ok('put', '--data', '0123456789', '-k', 'digits');
    expect(await folder.ok('get', 'digits', '--range', '2:3')).toBe('234');
    expect(await folder.ok('get', 'digits', '--range', '7:')).toBe('789');
    expect(await folder.run(['get', 'digits', '--range', '8:3'])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('conditions', () => {
  it('creates only with --if-absent', async () => {
    const args = ['put', '--data', 'x', '-k', 'created once', '--if-absent'];
    expect(await folder.run(args)).toMatchObject({ status: 0 });
    const again = await folder.run(args);
    expect(again.status).toBe(4);
    expect(again.stderr).toContain('created once');
    expect(again.stderr).toContain('hint: ');
  });

  it('replaces and removes only the version that is meant', async () => {
    const put = async (data: string, ...more: string[]) =>
      folder.run(['put', '--data', data, '-k', 'versioned', '--json', ...more]);
    const first = jsonLines((await put('1')).stdout)[0]?.version as string;
    expect(await put('2', '--if-match', first)).toMatchObject({ status: 0 });
    expect(await put('3', '--if-match', first)).toMatchObject({ status: 4 });
    expect(await folder.run(['rm', 'versioned', '--if-match', first])).toMatchObject({ status: 4 });
    expect(await folder.ok('get', 'versioned')).toBe('2');
  });
});

describe('odd keys', () => {
  const keys = [
    'a',
    'a/b',
    '__index__',
    '__proto__',
    '..',
    '../../etc',
    '/abs',
    'two  words',
    '🎉/ü',
    '-dash',
    'new\nline',
  ];

  it('are keys like any other', async () => {
    const odd = await createCliFolder();
    for (const key of keys) await odd.ok('put', '--data', `content of ${key}`, `--key=${key}`);
    for (const key of keys) expect(await odd.ok('get', '--', key)).toBe(`content of ${key}`);
    const listed = jsonLines(await odd.ok('ls', '--json')).map(({ key }) => key as string);
    expect(listed).toEqual(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(await odd.ok('ls', '--limit', '1', '--', '-dash')).toBe('-dash\n');
    expect(await odd.ok('rm', '-v', '--', ...keys)).toBe(keys.map((key) => `${key}\n`).join(''));
    expect(await odd.ok('ls')).toBe('');
    await odd.remove();
  });

  it('are refused when they are no key', async () => {
    const long = 'k'.repeat(1025);
    expect(await folder.run(['put', '--data', 'x', '-k', long])).toMatchObject({ status: 2 });
    expect(await folder.run(['get', ''])).toMatchObject({ status: 2 });
  });
});

describe('mv, cp and rm', () => {
  it('rename and copy, and replace only with --force', async () => {
    await folder.ok('put', '--data', 'one', '-k', 'm1');
    await folder.ok('put', '--data', 'two', '-k', 'm2');
    for (const command of ['mv', 'cp']) {
      expect(await folder.run([command, 'm1', 'm2'])).toMatchObject({ status: 4 });
      expect(await folder.run([command, 'nowhere', 'm3'])).toMatchObject({ status: 3 });
    }
    expect(await folder.ok('cp', 'm1', 'm3')).toBe('');
    expect(jsonLines(await folder.ok('mv', 'm1', 'm2', '-f', '--json'))[0]).toMatchObject({ key: 'm2', size: 3 });
    expect(await folder.ok('cat', 'm2', 'm3')).toBe('oneone');
    expect(await folder.run(['get', 'm1'])).toMatchObject({ status: 3 });
  });

  it('removes what is there and tells what is not', async () => {
    await folder.ok('put', '--data', 'x', '-k', 'r1');
    await folder.ok('put', '--data', 'x', '-k', 'r2');
    const done = await folder.run(['rm', 'r1', 'absent', 'r2', '-v']);
    expect(done).toMatchObject({ status: 3, stdout: 'r1\nr2\n' });
    expect(done.stderr).toContain('absent');
    expect(await folder.ok('ls', 'r')).toBe('');
  });

  it('removes by prefix, after saying what it would remove', async () => {
    for (const key of ['p/1', 'p/2', 'q']) await folder.ok('put', '--data', 'x', '-k', key);
    expect(await folder.ok('rm', '--prefix', 'p/', '-n')).toBe('p/1\np/2\nwould remove 2 entries\n');
    expect(await folder.ok('rm', '--prefix', 'p/')).toBe('removed 2 entries\n');
    expect(await folder.ok('ls', 'p/')).toBe('');
    expect(await folder.ok('ls', 'q')).toBe('q\n');
    expect(await folder.run(['rm', '--prefix', ''])).toMatchObject({ status: 2 });
  });
});
