import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

interface Found {
  readonly name: string;
  readonly mode: number;
  readonly held: string;
  readonly mtimeNs: bigint;
}

/** Everything below a folder, as it can be compared. */
async function contentsOf(folder: string): Promise<readonly Found[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name !== 'x.tmp').sort();
  return await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const found = await lstat(file, { bigint: true });
      const held = found.isFile() ? await readFile(file, 'utf8') : found.isSymbolicLink() ? await readlink(file) : '';
      return { name, mode: Number(found.mode), held, mtimeNs: found.mtimeNs };
    }),
  );
}

async function expectSame(actual: string, expected: string): Promise<void> {
  const [left, right] = [await contentsOf(actual), await contentsOf(expected)];
  const withoutTime = ({ mtimeNs: _, ...rest }: Found): object => rest;
  expect(left.map(withoutTime)).toEqual(right.map(withoutTime));
  // Node sets times in seconds with a fraction, which has room for microseconds.
  const distances = left.map(({ mtimeNs }, index) => Math.abs(Number(mtimeNs - (right[index] as Found).mtimeNs)));
  expect(Math.max(...distances)).toBeLessThan(1000);
}

/** An archive of one pipe and one file, as no snapshot can take the whole of it. */
function archiveWithPipe(): Uint8Array {
  const header = (name: string, type: string, size: number): Buffer => {
    const block = Buffer.alloc(512);
    block.write(name, 0);
    block.write('0000644\0', 100);
    block.write('0000000\0', 108);
    block.write('0000000\0', 116);
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    block.write(`${(1_700_000_000).toString(8)}\0`, 136);
    block.write('        ', 148);
    block.write(type, 156);
    block.write('ustar\u000000', 257);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return block;
  };
  const content = Buffer.alloc(512);
  content.write('kept');
  return Buffer.concat([header('pipe', '6', 0), header('file', '0', 4), content, Buffer.alloc(1024)]);
}

describe('snapshots of a folder on the command line', () => {
  let folder: CliFolder;
  let first: string;

  beforeAll(async () => {
    folder = await createCliFolder();
    await folder.write('photos/2024/1.jpg', 'one');
    await folder.write('photos/2024/deep/2.jpg', 'two');
    await folder.write('photos/trace.log', 'log');
    await folder.write('photos/.holdfastignore', '*.tmp\n');
    await folder.write('photos/x.tmp', 'x');
    await mkdir(path.join(folder.path, 'photos/empty'), { mode: 0o750 });
    await symlink('2024/1.jpg', path.join(folder.path, 'photos/link'));
    const made = await folder.ok('snapshot', 'create', 'photos', '-m', 'first', '-x', '*.log', '--json');
    first = String(jsonLines(made)[0]?.id);
    await folder.write('photos/2024/1.jpg', 'other');
    await folder.write('photos/new.pdf', 'new');
    await chmod(path.join(folder.path, 'photos/2024/deep/2.jpg'), 0o600);
    await rename(path.join(folder.path, 'photos/trace.log'), path.join(folder.path, 'trace.log'));
  });

  afterAll(() => folder.remove());

  it('form a series under the name of the folder, and are listed', async () => {
    const second = await folder.ok('snapshot', 'create', 'photos', '-m', 'second');
    expect(second).toMatch(/^[0-9a-f]{64} {2}photos\n4 files, 4 folders, 1 link: 17 B, /);
    expect(second).toContain('\nleft out: 1 excluded\n');
    expect(await folder.ok('snapshot', 'create', 'photos')).toContain('  photos  (as before)\n');
    const [headings, ...rows] = (await folder.ok('snapshot', 'list')).trimEnd().split('\n');
    expect(headings).toMatch(/^REF +NUMBER +TIME \(UTC\) +ID +MESSAGE$/);
    expect(rows[0]).toMatch(/^photos {2}3 +[\d-]{10} [\d:]{8} {2}[0-9a-f]{12} {2}current$/);
    expect(rows[2]).toContain(`${first.slice(0, 12)}           first`);
    expect(jsonLines(await folder.ok('snapshot', 'list', '--ref', 'photos', '--json'))).toMatchObject([
      { ref: 'photos', number: 3, current: true },
      { number: 2, message: 'second', current: false },
      { id: first, number: 1, message: 'first' },
    ]);
    const log = (await folder.ok('snapshot', 'log', 'photos~1')).trimEnd().split('\n');
    expect(log.map((line) => line.slice(35))).toEqual(['second', 'first']);
    const shown = jsonLines(await folder.ok('snapshot', 'show', first.slice(0, 8), '--count', '--json'));
    expect(shown).toMatchObject([{ id: first, counts: { files: 3, folders: 3, links: 1, bytes: 12 } }]);
  });

  it('are tried first', async () => {
    const tried = await folder.run(['snapshot', 'create', 'photos', '--dry-run', '-x', '2024/']);
    expect(tried).toMatchObject({
      status: 0,
      stdout:
        '.holdfastignore  6 B\nempty/\nlink\nnew.pdf  3 B\nwould store 2 files, 2 folders, 1 link: 9 B; 2 left out, 0 failed\n',
      stderr: 'holdfast: left out 2024: excluded\nholdfast: left out x.tmp: excluded\n',
    });
    expect(jsonLines(await folder.ok('snapshot', 'list', '--ref', 'photos', '--json'))).toHaveLength(3);
  });

  it('are looked into', async () => {
    expect(await folder.ok('snapshot', 'ls', first)).toBe('.holdfastignore\n2024/\nempty/\nlink\n');
    expect(await folder.ok('snapshot', 'ls', 'photos@{2}:2024', '-r')).toBe('1.jpg\ndeep/\ndeep/2.jpg\n');
    const lines = (await folder.ok('snapshot', 'ls', first, '--long')).trimEnd().split('\n');
    expect(lines[2]).toMatch(/^drwxr-x--- {14}[\d-]{10} [\d:]{8} {2}empty\/$/);
    expect(lines[3]).toMatch(/^l {23}[\d-]{10} [\d:]{8} {2}link -> 2024\/1\.jpg$/);
    expect(await folder.ok('snapshot', 'cat', `${first}:2024/1.jpg`, 'photos:2024/1.jpg')).toBe('oneother');
    expect(await folder.ok('snapshot', 'find', '*.jpg', 'photos:2024')).toBe(
      'photos:2024/1.jpg\nphotos:2024/deep/2.jpg\n',
    );
    const found = jsonLines(await folder.ok('snapshot', 'find', '1.jpg', '--ref', 'photos', '--json'));
    expect(found).toMatchObject([
      { path: '2024/1.jpg', ref: 'photos', child: { size: 5 } },
      { snapshot: first, path: '2024/1.jpg', child: { size: 3 } },
    ]);
  });

  it('are compared', async () => {
    expect(await folder.ok('snapshot', 'diff', first, 'photos', '--stat')).toMatch(
      /^M {2}2024\/1\.jpg {2}\(3 B -> 5 B\)\nm {2}2024\/deep\/2\.jpg {2}\(mode\)\nA {2}new\.pdf {2}\(3 B\)\n1 added, 0 removed, 1 changed, 1 in metadata only: \+8 B -3 B\n$/,
    );
    expect(await folder.ok('snapshot', 'diff', 'photos', first, '--content-only')).toBe('M  2024/1.jpg\nD  new.pdf\n');
  });

  it('are restored beside, in place, and by parts', async () => {
    await folder.ok('snapshot', 'restore', 'photos', '--to', 'again');
    const again = path.join(folder.path, 'again');
    await expectSame(again, path.join(folder.path, 'photos'));
    const refused = await folder.run(['snapshot', 'restore', first, '--to', 'again']);
    expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining('--overwrite changed') });
    const back = ['snapshot', 'restore', first, '--in-place', 'again', '--delete'];
    expect(await folder.ok(...back, '--dry-run')).toContain('remove     new.pdf\n');
    expect(await folder.ok(...back)).toContain('1 removed\n');
    expect((await readdir(again)).sort()).toEqual(['.holdfastignore', '2024', 'empty', 'link']);
    await folder.ok('snapshot', 'restore', 'photos:2024/1.jpg', '--in-place', 'again');
    expect(await readFile(path.join(again, '2024/1.jpg'), 'utf8')).toBe('other');
    await symlink('.', path.join(folder.path, 'away'));
    const followed = await folder.run(['snapshot', 'restore', 'photos:2024/1.jpg', '--in-place', 'away/again/link']);
    expect(followed.status).toBe(2);
    expect(await readFile(path.join(again, '2024/1.jpg'), 'utf8')).toBe('other');
  });

  it('go out as archives, and come in as such', async () => {
    expect(await folder.ok('snapshot', 'export', 'photos:2024', '-o', 'out.tar.gz')).toMatch(
      /^photos:2024 -> out\.tar\.gz/,
    );
    const file = path.join(folder.path, 'out.tar.gz');
    const input = await readFile(file);
    const made = await folder.run(['snapshot', 'create', '--tar', '-', '--ref', 'from/tar', '--json'], { input });
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(await folder.ok('snapshot', 'diff', 'photos:2024', 'from/tar', '--content-only')).toBe('');
    const partial = await folder.run(['snapshot', 'create', '--tar', '-'], { input: archiveWithPipe() });
    expect(partial).toMatchObject({
      status: 9,
      stdout: expect.stringContaining('PARTIAL: 1 failed and are not in it'),
    });
    expect(await folder.ok('snapshot', 'cat', 'main:file')).toBe('kept');
    const cut = await folder.run(['snapshot', 'create', '--tar', '-'], { input: input.subarray(0, 40) });
    expect(cut.status).toBe(2);
  });

  it('are read by tar', async (context) => {
    await folder.ok('snapshot', 'export', first, '-o', 'out.tar');
    let listed = '';
    try {
      listed = execFileSync('tar', ['-tf', 'out.tar'], { cwd: folder.path, encoding: 'utf8' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      context.skip('there is no tar');
    }
    expect(listed.split('\n').sort()).toEqual(
      ['', './', '.holdfastignore', '2024/', '2024/1.jpg', '2024/deep/', '2024/deep/2.jpg', 'empty/', 'link'].sort(),
    );
  });

  it('are forgotten by rules', async () => {
    const rules = ['snapshot', 'forget', 'photos', '--keep-last', '2'];
    expect(await folder.ok(...rules, '--dry-run')).toMatch(/ would forget\nphotos: would forget 1 snapshot, 2 kept\n$/);
    expect(jsonLines(await folder.ok(...rules, '--json'))).toMatchObject([
      { dryRun: false, kept: [{ number: 3, reasons: ['last'] }, { number: 2 }], forgotten: [{ id: first }] },
    ]);
    expect(jsonLines(await folder.ok('snapshot', 'list', '--ref', 'photos', '--json'))).toHaveLength(2);
  });

  it('refuse what cannot be meant, and say what to do', async () => {
    for (const args of [
      ['create'],
      ['create', 'photos', '--tar', 'x'],
      ['create', '--tar', 'x', '--reread'],
      ['create', 'photos', '--ref', 'a:b'],
      ['create', 'photos/2024/1.jpg'],
      ['restore', 'photos'],
      ['restore', 'photos', '--to', 'x', '--to-prefix', 'y'],
      ['restore', 'photos', '--to', 'photos/new.pdf'],
      ['forget', 'photos'],
      ['forget', '--keep-last', '1'],
      ['forget', 'photos', '--keep-last', '0'],
      ['forget', 'photos', '--keep-within', 'soon'],
      ['cat', 'photos:2024'],
      ['cat', 'photos:link'],
      ['find', '['],
      ['ls', '~1'],
    ])
      expect(await folder.run(['snapshot', ...args]), args.join(' ')).toMatchObject({ status: 2 });
    const unknown = await folder.run(['snapshot', 'ls', 'nobody']);
    expect(unknown).toMatchObject({ status: 3, stderr: expect.stringContaining('`holdfast snapshot list`') });
    expect(await folder.run(['snapshot', 'ls', 'photos:nothing'])).toMatchObject({ status: 3 });
    expect(await folder.run(['snapshot', 'create', 'nowhere'])).toMatchObject({ status: 3 });
    expect(await folder.run(['snapshot', 'list', '--ref', 'nobody'])).toMatchObject({ status: 3 });
    await mkdir(path.join(folder.path, 'odd~name'));
    const odd = await folder.run(['snapshot', 'create', 'odd~name']);
    expect(odd).toMatchObject({ status: 2, stderr: expect.stringContaining('--ref NAME') });
  });

  it('leave out the store itself', async () => {
    await folder.ok('snapshot', 'create', '.', '--ref', 'all');
    expect(await folder.ok('snapshot', 'ls', 'all')).not.toContain('.holdfast/');
  });
});

describe('snapshots of entries on the command line', () => {
  it('freeze and put back, within a namespace of a sealed store', async () => {
    const folder = await createCliFolder({ store: false });
    try {
      await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
      const run = (...args: string[]) => folder.run(args, { env: { HOLDFAST_KEY_FILE: 'main.key' } });
      const ok = async (...args: string[]): Promise<string> => {
        const { status, stdout, stderr } = await run(...args);
        expect(status, stderr).toBe(0);
        return stdout;
      };
      await ok('init', '-q');
      await ok('namespace', 'create', 'n');
      for (const key of ['r/a', 'r/b']) await ok('put', '-N', 'n', '--data', key, '-k', key);
      expect(await ok('snapshot', 'create', '-N', 'n', '--prefix', 'r/', '--ref', 'r')).toContain('\n2 entries: 6 B');
      expect(await ok('snapshot', 'list')).toBe('');
      await ok('put', '-N', 'n', '--data', 'changed', '-k', 'r/a');
      await ok('rm', '-N', 'n', 'r/b');
      const back = ['snapshot', 'restore', 'r', '-N', 'n', '--entries'];
      expect(await run(...back)).toMatchObject({
        status: 4,
        stdout: expect.stringContaining('put back 1 entry (3 B)'),
      });
      expect(await ok(...back, '--overwrite', 'changed')).toBe('put back 1 entry (3 B); 1 there already\n');
      expect(await ok(...back, '--to-prefix', 'old/', '--dry-run')).toContain('created   old/a\n');
      expect(await ok('cat', '-N', 'n', 'r/a', 'r/b')).toBe('r/ar/b');
      expect(await ok('find', '-N', 'n', 'a')).toBe('r/a\n');
      expect(await ok('find', '*')).toBe('');
      expect(await run('snapshot', 'restore', 'r', '-N', 'n', '--to', 'x')).toMatchObject({ status: 2 });
    } finally {
      await folder.remove();
    }
  });
});

describe('snapshots of two sides on the command line', () => {
  it('are merged, and go into another store with signatures', async () => {
    const folder = await createCliFolder();
    try {
      for (const [side, a, b] of [
        ['base', '1', '2'],
        ['ours', '11', '2'],
        ['theirs', '1', '22'],
        ['other', '111', '2'],
      ] as const) {
        await folder.write('notes/a', a);
        await folder.write('notes/b', b);
        const parent = side === 'base' ? [] : ['--parent', 'base'];
        await folder.ok('snapshot', 'create', 'notes', '--ref', side, '--reread', ...parent);
      }
      expect(await folder.ok('snapshot', 'merge', 'ours', 'theirs', '--dry-run')).toContain('would be merged from');
      await folder.ok('snapshot', 'merge', 'ours', 'theirs');
      expect(await folder.ok('snapshot', 'cat', 'ours:a', 'ours:b')).toBe('1122');
      const both = await folder.run(['snapshot', 'merge', 'ours', 'other']);
      expect(both).toMatchObject({ status: 4, stdout: expect.stringContaining('conflict  tree  a  (') });
      expect(await folder.run(['snapshot', 'merge', 'ours~1', 'other'])).toMatchObject({ status: 2 });
      expect(await folder.ok('snapshot', 'merge', 'ours~1', 'other', '--ref', 'new', '--favour', 'theirs')).toContain(
        'decided:  conflict  tree  a',
      );
      expect(await folder.ok('snapshot', 'cat', 'new:a')).toBe('111');

      await folder.ok('key', 'generate', 'ed25519', '-o', 'me.identity');
      const line = String(/^public +(.+)$/m.exec(await folder.ok('key', 'show', 'me.identity'))?.[1]);
      const [{ id = '' } = {}] = jsonLines(await folder.ok('snapshot', 'show', 'ours', '--json'));
      await folder.ok('snapshot', 'sign', String(id), '--identity', 'me.identity', '-o', 'ours.signature');
      const verify = ['snapshot', 'verify-signature', 'ours.signature', '--signer', line, '--snapshot'];
      expect(await folder.ok(...verify, String(id))).toBe('valid\n');
      expect(await folder.run([...verify, '0'.repeat(64)])).toMatchObject({ status: 6 });
      await folder.ok('snapshot', 'export', 'ours', '-o', 'ours.snapshot', '--signature', 'ours.signature');
      await folder.ok('init', '--plain', '-q', 'second');
      const taken = ['-s', 'second', 'snapshot', 'import', 'ours.snapshot', '--ref', 'from/me', '--signer', line];
      expect(await folder.ok(...taken)).toContain(`${id}  from/me\n`);
      expect(await folder.ok('-s', 'second', 'snapshot', 'cat', 'from/me:b')).toBe('22');
      await folder.ok('snapshot', 'export', 'base', '-o', 'unsigned.snapshot');
      const unsigned = taken.with(3, 'unsigned.snapshot');
      expect((await folder.run(unsigned)).status).not.toBe(0);
      expect(await folder.run(['snapshot', 'export', 'ours', '-o', 'x.tar', '--no-history'])).toMatchObject({
        status: 2,
      });
    } finally {
      await folder.remove();
    }
  });
});
