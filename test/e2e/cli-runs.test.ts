import { execFileSync, spawn } from 'node:child_process';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blake3 } from '../../src/hash/index.ts';
import { CLI, type CliFolder, createCliFolder, environment, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
  await folder.ok('put', '--data', 'hello', '-k', 'a');
});
afterAll(() => folder.remove());

/** Starts the command and leaves it running. */
function start({ path: cwd }: CliFolder, args: readonly string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: environment, stdio: 'pipe' });
  const notes: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => notes.push(text));
  // Status as a shell gives it: 128 and the number of the signal, for a process that died of one.
  const ended = new Promise<number | null>((resolve) =>
    child.on('close', (status, signal) => resolve(signal ? 128 + os.constants.signals[signal] : status)),
  );
  return { child, ended, notes };
}

/** Files of the store that hold content or journal, by size. */
async function blobsOf(store: string): Promise<string[]> {
  const names = await readdir(store, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== 'holdfast.json')
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('.metadata'));
}

describe('help and usage', () => {
  it('prints help on standard output when asked', async () => {
    const help = await folder.ok('--help');
    for (const name of [
      'init',
      'put',
      'get',
      'cat',
      'ls',
      'rm',
      'mv',
      'cp',
      'stat',
      'stats',
      'check',
      'validate',
      'rebuild',
    ])
      expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    expect(help).toContain('Examples:');
    expect(help).toContain('Exit status:');
    expect(help).not.toContain('__complete');
    expect(await folder.ok('help', 'put')).toBe(await folder.ok('put', '--help'));
  });

  it('prints help on standard error when nothing is asked', async () => {
    const done = await folder.start([]);
    expect(done).toMatchObject({ status: 2, stdout: '' });
    expect(done.stderr).toContain('Usage: holdfast');
  });

  it.each([
    [['putt'], "unknown command 'putt' (Did you mean put?)"],
    [['ls', '--revers'], "unknown option '--revers' (Did you mean --reverse?)"],
    [['stat'], "missing required argument 'keys'"],
    [['ls', '--limit', 'x'], 'whole number'],
    [['get'], 'name one KEY'],
    [['put'], 'nothing to put'],
    [['init', '--plain', '--recipient', 'x'], 'leave one of both away'],
    [['init', '--plain', 'x', '--level', '99'], 'compressionLevel'],
    [['init', '--plain', 'x', '--profile', 'tiny'], 'Allowed choices are fast, small'],
    [['init', '--plain', 'x', '--chunking', 'nonsense'], 'chunking'],
    [['completion', 'tcsh'], 'Allowed choices'],
  ])('ends a wrong command line with 2: %j', async (args, message) => {
    const done = await folder.run(args);
    expect(done).toMatchObject({ status: 2, stdout: '' });
    expect(done.stderr).toMatch(/^holdfast: /);
    expect(done.stderr).toContain(message);
    expect(done.stderr).not.toContain('    at ');
  });

  it('makes a store with a named setting', async () => {
    await folder.ok('init', '--plain', 'small', '--profile', 'small', '-q');
    const config = JSON.parse(await readFile(path.join(folder.path, 'small', 'holdfast.json'), 'utf8'));
    expect(config).toMatchObject({ compression: { codec: 'zstd', level: 3 } });
  });

  it('tells a wrong command line as JSON too', async () => {
    const done = await folder.run(['--json', 'putt']);
    expect(jsonLines(done.stderr)).toEqual([
      { error: expect.objectContaining({ kind: 'invalid', code: 'ARGUMENT_INVALID' }) },
    ]);
  });

  it('refuses an older Node before it loads anything', async () => {
    const preload = await folder.write(
      'old-node.mjs',
      "Object.defineProperty(process.versions, 'node', { value: '20.20.0' });",
    );
    const done = await folder.start(['ls'], { env: { NODE_OPTIONS: `--import=file://${preload}` } });
    expect(done).toMatchObject({ status: 9, stdout: '' });
    expect(done.stderr).toMatch(/^holdfast: needs Node 24\.7 or newer, this is 20\.20\.0.*\n$/);
    const json = await folder.start(['ls', '--json'], { env: { NODE_OPTIONS: `--import=file://${preload}` } });
    expect(jsonLines(json.stderr)).toEqual([{ error: expect.objectContaining({ code: 'NODE_UNSUPPORTED' }) }]);
  });
});

describe('errors', () => {
  it('come with a hint, and with a stack only for -v', async () => {
    const done = await folder.run(['get', 'absent']);
    expect(done).toMatchObject({ status: 3, stdout: '' });
    expect(done.stderr).toMatch(/^holdfast: .*absent.*\nhint: .*holdfast ls.*\n$/);
    expect((await folder.run(['get', 'absent', '-v'])).stderr).toContain('    at ');
  });

  it('are objects with --json', async () => {
    const done = await folder.run(['get', 'absent', '--json']);
    expect(jsonLines(done.stderr)).toEqual([
      {
        error: {
          kind: 'not-found',
          code: 'ENTRY_NOT_FOUND',
          message: expect.stringContaining('absent'),
          details: { key: 'absent' },
        },
      },
    ]);
  });

  it.each([
    ['there is no store', ['-s', 'nowhere', 'ls'], 3, 'STORE_NOT_FOUND'],
    ['the folder is no store', ['-s', '.', 'ls'], 2, 'NOT_A_STORE'],
    ['there is a store already', ['init', '--plain'], 4, 'STORE_EXISTS'],
  ])('say that %s', async (_, args, status, code) => {
    const done = await folder.run([...args, '--json']);
    expect(done).toMatchObject({ status, stdout: '' });
    expect(jsonLines(done.stderr)).toEqual([{ error: expect.objectContaining({ code }) }]);
  });

  it.skipIf(process.platform !== 'linux')('say that a path may not be written, even by root', async () => {
    const done = await folder.run(['get', 'a', '-o', '/sys/holdfast', '--json']);
    expect(done).toMatchObject({ status: 5, stdout: '' });
    expect(jsonLines(done.stderr)).toEqual([
      { error: expect.objectContaining({ kind: 'denied', code: 'PERMISSION_DENIED' }) },
    ]);
  });

  it.skipIf(process.platform !== 'linux')('say that a disk is full', async () => {
    const done = await folder.run(['get', 'a', '-o', '/dev/full']);
    expect(done).toMatchObject({ status: 8, stdout: '' });
    expect(done.stderr).toContain('no space left');
  });

  it('say that another process has the store open, where that matters', async () => {
    const { child, ended } = start(folder, ['put', '-', '-k', 'slow']);
    await new Promise<void>((resolve) => child.stdin.write(Buffer.alloc(4 << 20), () => resolve()));
    const rebuild = await folder.run(['rebuild', '--json']);
    expect([rebuild.status, jsonLines(rebuild.stderr)]).toEqual([
      4,
      [{ error: expect.objectContaining({ code: 'STORE_IN_USE' }) }],
    ]);
    await folder.ok('put', '--data', 'beside it', '-k', 'fast');
    expect(await folder.ok('ls')).toBe('a\nfast\n');
    child.stdin.end();
    expect(await ended).toBe(0);
    await folder.ok('rm', 'slow', 'fast');
  });

  it('say that a store is of a newer version', async () => {
    await folder.ok('init', '--plain', 'newer');
    const config = path.join(folder.path, 'newer/holdfast.json');
    const [text = ''] = (await readFile(config, 'utf8')).split(/,\n {2}"check"/);
    const newer = text.replace('"format": 1', '"format": 999');
    const check = Buffer.from(blake3(new TextEncoder().encode(newer))).toString('hex');
    await writeFile(config, `${newer},\n  "check": "${check}"\n}\n`);
    const done = await folder.run(['-s', 'newer', 'ls', '--json']);
    expect([done.status, jsonLines(done.stderr)[0]]).toEqual([
      9,
      { error: expect.objectContaining({ kind: 'unsupported' }) },
    ]);
  });
});

describe('stats, check, rebuild and doctor', () => {
  let sound: CliFolder;
  beforeAll(async () => {
    sound = await createCliFolder();
    await sound.ok('put', '--data', 'hello', '-k', 'a');
  });
  afterAll(() => sound.remove());

  it('print numbers for programs and sizes for people', async () => {
    const [stats] = jsonLines(await sound.ok('stats', '--json'));
    expect(stats).toMatchObject({ entries: 1, logicalBytes: 5, uniqueBytes: 5, savingsPercent: 0 });
    expect(Object.keys(stats ?? {})).toEqual(
      expect.arrayContaining(['chunks', 'storedBytes', 'packs', 'compressionRatio', 'commit']),
    );
    const text = await sound.ok('stats');
    expect(text).toMatch(/^entries {2}1\ncontent {2}5 B in all entries\nunique {3}5 B in 1 chunk \(dedup.* 0\.0 %\)/);
  });

  it('prove a sound store', async () => {
    expect(await sound.ok('check')).toContain('checked 1 entry, 1 chunk');
    expect(jsonLines(await sound.ok('check', '--json'))[0]).toMatchObject({ outcome: 'ok', entries: 1, problems: [] });
    expect(await sound.ok('doctor')).toMatch(/\nhealthy\n$/);
    expect(jsonLines(await sound.ok('doctor', '--json'))[0]).toMatchObject({ healthy: true });
  });

  it('look at the machine without a store', async () => {
    const bare = await createCliFolder({ store: false });
    expect(await bare.run(['doctor'])).toMatchObject({ status: 0, stdout: expect.stringContaining('node') });
    await bare.remove();
  });

  it('do not call what removed entries still hold a saving', async () => {
    await sound.ok('put', '--data', 'soon gone', '-k', 'b');
    await sound.ok('rm', 'b');
    expect(await sound.ok('stats')).toContain('in 2 chunks (those of objects and removed entries included)');
  });

  it('make the metadata anew', async () => {
    const copy = await createCliFolder();
    await copy.ok('put', '--data', 'still here', '-k', 'note');
    await rm(path.join(copy.path, '.holdfast/.metadata'), { recursive: true });
    expect(jsonLines(await copy.ok('rebuild', '--json'))[0]).toMatchObject({ entries: 1, problems: [] });
    expect(await copy.ok('get', 'note')).toBe('still here');
    await copy.remove();
  });

  it('find damage, which no command hands out', async () => {
    const copy = await createCliFolder();
    await writeFile(path.join(copy.path, 'big'), Buffer.alloc(300_000, 'no two chunks of this are alike '));
    for (let name = 0; name < 40; name += 1) await copy.write(`small/${name}`, String(name));
    await copy.ok('put', 'big', 'small');
    const store = path.join(copy.path, '.holdfast');
    for (const blob of await blobsOf(store)) await rename(blob, `${blob}.gone`);
    const check = await copy.run(['check', '--json']);
    expect(check.status).toBe(6);
    const [report] = jsonLines(check.stdout);
    expect(report).toMatchObject({ outcome: 'damaged' });
    const { stdout } = await copy.run(['check']);
    expect(stdout.split('\n').filter((line) => /^ {2}[A-Z_]+: /.test(line))).toHaveLength(30);
    expect(stdout).toContain(`  and ${(report?.problemCount as number) - 30} more: --json`);
    await copy.write('out', 'old');
    const get = await copy.run(['get', 'big', '-o', 'out']);
    expect(get.status).toBe(6);
    expect(get.stderr).toContain('hint: run `holdfast check`');
    expect(await readFile(path.join(copy.path, 'out'), 'utf8')).toBe('old');
    await copy.remove();
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints a script for %s that knows every command', async (shell) => {
    const script = await folder.ok('completion', shell);
    for (const word of ['init', 'put', 'doctor', 'if-match', '__complete keys']) expect(script).toContain(word);
  });

  it('offers keys of the store, and stays silent without one', async () => {
    expect(await folder.ok('__complete', 'keys', '')).toBe('a\n');
    expect(await folder.ok('__complete', 'keys', 'b')).toBe('');
    expect(await folder.run(['-s', 'nowhere', '__complete', 'keys', ''])).toMatchObject({ stdout: '', stderr: '' });
  });
});

describe('a run', () => {
  it('ends quietly when nobody reads its output any more', async () => {
    const big = await createCliFolder();
    await writeFile(path.join(big.path, 'zeros'), Buffer.alloc(20_000_000, 'x'));
    await big.ok('put', 'zeros');
    const { child, ended, notes } = start(big, ['get', 'zeros']);
    child.stdout.once('data', () => child.stdout.destroy());
    expect([await ended, notes.join('')]).toEqual([0, '']);
    await big.remove();
  });

  it('finishes its work when nobody reads its confirmations', async () => {
    const quiet = await createCliFolder();
    for (const name of ['1', '2', '3']) await quiet.write(`tree/${name}`, name);
    const { child, ended } = start(quiet, ['put', '-v', 'tree']);
    child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(await quiet.ok('ls')).toBe('tree/1\ntree/2\ntree/3\n');
    await quiet.remove();
  });

  it.skipIf(process.platform === 'win32')('stops cleanly at Ctrl-C', async () => {
    const { child, ended, notes } = start(folder, ['put', '-', '-k', 'never', '--json']);
    // Once it has read more than any pipe holds it is in the middle of the put.
    const block = Buffer.alloc(1 << 20, 'y');
    for (let count = 0; count < 4; count += 1) {
      await new Promise<void>((resolve) => child.stdin.write(block, () => resolve()));
    }
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(notes.join('')).toContain('"code":"INTERRUPTED"');
    expect(await folder.run(['stat', 'never'])).toMatchObject({ status: 3 });
    expect(await folder.run(['check'])).toMatchObject({ status: 0 });
  });

  it.skipIf(process.platform === 'win32')('ends with 143 when it is terminated', async () => {
    const { child, ended } = start(folder, ['put', '-', '-k', 'never']);
    await new Promise<void>((resolve) => child.stdin.write(Buffer.alloc(4 << 20), () => resolve()));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(child.signalCode).toBe('SIGTERM');
  });

  it.skipIf(process.platform === 'win32')(
    'ends although nobody opens the other end of the pipe it waits for',
    async () => {
      const pipe = path.join(folder.path, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const { child, ended, notes } = start(folder, ['put', 'absent', 'pipe']);
      // By the time it tells of the one it waits for the other.
      await new Promise((resolve) => child.stderr.once('data', resolve).once('end', resolve));
      child.kill('SIGINT');
      expect([await ended, notes.join('')]).toEqual([130, expect.stringContaining('interrupted')]);
    },
  );

  it('says nothing with --quiet but results and errors', async () => {
    expect(await folder.run(['put', '--data', 'x', '-k', 'q', '-q'])).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(await folder.run(['get', 'q', '-q'])).toMatchObject({ stdout: 'x' });
    await folder.ok('rm', 'q');
  });
});
