import { chmodSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blake3 } from '../../src/hash/index.ts';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

const SECRET = 'canary-passphrase-3f9a';
const CONTENT = 'canary-content-77c1 canary-content-77c1';

let folder: CliFolder;
const KEY = { HOLDFAST_KEY_FILE: 'main.key' };

/** Everything a store consists of, as text that two states of it can be compared by. */
function stateOf(store: string): string[] {
  const names = globSync('**/*', { cwd: store, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file} ${Buffer.from(blake3(readFileSync(file))).toString('hex')}`);
}

const store = () => path.join(folder.path, '.holdfast');

beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
  await folder.ok('key', 'generate', 'key-file', '-o', 'other.key');
  await folder.ok('key', 'generate', 'ml-kem-1024', '-o', 'other.identity');
  await folder.ok('key', 'generate', 'key-file', '-o', 'exposed.key');
  chmodSync(path.join(folder.path, 'exposed.key'), 0o644);
  await folder.write('truncated.key', 'abcd');
  chmodSync(path.join(folder.path, 'truncated.key'), 0o600);
  await folder.run(['init', '-q'], { env: KEY });
  await folder.run(['put', '--data', CONTENT, '-k', 'canary-name'], { env: KEY });
});
afterAll(() => folder.remove());

describe('a sealed store', () => {
  it.each([
    ['no key', [], {}, 5, 'KEY_REQUIRED'],
    ['a wrong passphrase', [], { HOLDFAST_PASSPHRASE: 'wrong' }, 5, 'WRONG_KEY'],
    ['a wrong key file', ['--key-file', 'other.key'], {}, 5, 'WRONG_KEY'],
    ['a foreign identity', ['--identity', 'other.identity'], {}, 5, 'WRONG_KEY'],
    ['a key file that others can read', ['--key-file', 'exposed.key'], {}, 5, 'KEY_FILE_EXPOSED'],
    ['a truncated key file', ['--key-file', 'truncated.key'], {}, 2, 'CREDENTIAL_INVALID'],
    ['a key file that is not there', ['--key-file', 'absent.key'], {}, 3, 'CREDENTIAL_NOT_FOUND'],
  ] as const)('refuses %s in one line, and is not touched', async (_, flags, env, status, code) => {
    const before = stateOf(store());
    for (const command of [['ls'], ['put', '--data', 'x', '-k', 'x'], ['key', 'rotate'], ['rebuild']]) {
      const done = await folder.run([...command, ...flags, '--json'], { env });
      expect(done).toMatchObject({ status, stdout: '' });
      expect(jsonLines(done.stderr)).toEqual([{ error: expect.objectContaining({ code }) }]);
    }
    const said = await folder.run(['ls', ...flags], { env });
    expect(said.stderr).toMatch(/^holdfast: .*\nhint: .*\n$/);
    expect(stateOf(store())).toEqual(before);
  });

  it('says all the ways to give a key when there is none', async () => {
    const { stderr } = await folder.run(['ls']);
    for (const way of ['--passphrase-file', '--key-file', '--identity', 'HOLDFAST_PASSPHRASE', 'terminal']) {
      expect(stderr).toContain(way);
    }
  });

  it('takes one secret, options before the environment', async () => {
    const two = await folder.run(['ls', '--key-file', 'main.key', '--identity', 'other.identity']);
    expect(two).toMatchObject({ status: 2 });
    expect(two.stderr).toContain('--key-file and --identity');
    const both = await folder.run(['ls'], { env: { ...KEY, HOLDFAST_PASSPHRASE: 'x' } });
    expect(both.stderr).toContain('HOLDFAST_PASSPHRASE and HOLDFAST_KEY_FILE');
    const over = await folder.run(['ls', '--key-file', 'main.key'], { env: { HOLDFAST_PASSPHRASE: 'x' } });
    expect(over).toMatchObject({ status: 0, stdout: 'canary-name\n' });
  });

  it('does every command on entries', async () => {
    const ok = async (...args: string[]) => {
      const done = await folder.run(args, { env: KEY });
      expect(done).toMatchObject({ status: 0, stderr: '' });
      return done.stdout;
    };
    await folder.write('tree/a.txt', 'a');
    await folder.write('tree/b.txt', 'b');
    await ok('put', 'tree', '--content-type', 'text/plain', '-a', 'from=here');
    await ok('put', '--isolated', '--data', 'to be shredded', '-k', 'isolated');
    expect(jsonLines(await ok('stat', 'isolated', '--json'))[0]).toMatchObject({ isolated: true });
    await ok('cp', 'tree/a.txt', 'copy');
    await ok('mv', 'copy', 'moved');
    expect(await ok('cat', 'moved', 'tree/b.txt')).toBe('ab');
    expect(await ok('ls', '--attribute', 'from=here', '--sort', 'size')).toContain('moved');
    await ok('get', '--prefix', 'tree/', '-o', 'restored');
    expect(readdirSync(path.join(folder.path, 'restored')).sort()).toEqual(['a.txt', 'b.txt']);
    expect(jsonLines(await ok('stats', '--json'))[0]).toMatchObject({ entries: 5 });
    await ok('rm', 'isolated', 'moved', 'tree/a.txt', 'tree/b.txt');
    expect(await ok('__complete', 'keys', 'can')).toBe('canary-name\n');
    expect(await ok('check')).toContain('ok: ');
    await ok('rebuild');
    expect(await ok('get', 'canary-name')).toBe(CONTENT);
  });

  it('is diagnosed with and without a key', async () => {
    const locked = await folder.run(['doctor']);
    expect(locked).toMatchObject({ status: 0 });
    expect(locked.stdout).toMatch(/sealing +aes-256-gcm, opened by 1 key file/);
    expect(locked.stdout).toContain(path.join('state'));
    expect(locked.stdout).toContain('not looked at');
    const open = await folder.run(['doctor'], { env: KEY });
    expect(open.stdout).toMatch(/metadata +\d+ entries/);
    const wrong = await folder.run(['doctor', '--key-file', 'other.key']);
    expect(wrong).toMatchObject({ status: 1 });
    expect(wrong.stdout).toContain('WRONG_KEY');
  });

  it('that went back is refused until that is accepted', async () => {
    const old = path.join(folder.path, 'old');
    await cp(store(), old, { recursive: true });
    await folder.run(['put', '--data', 'newer', '-k', 'newer'], { env: KEY });
    await rm(store(), { recursive: true });
    await cp(old, store(), { recursive: true });
    const refused = await folder.run(['ls'], { env: KEY });
    expect(refused).toMatchObject({ status: 6, stdout: '' });
    expect(refused.stderr).toContain('--accept-rollback');
    expect(await folder.run(['ls', '--accept-rollback'], { env: KEY })).toMatchObject({ status: 0 });
    expect(await folder.run(['ls'], { env: KEY })).toMatchObject({ status: 0 });
  });
});

describe('a plain store', () => {
  it('is what --plain makes, takes no key and has none', async () => {
    expect(await folder.ok('init', '--plain', 'plain')).toContain('whoever can read it there reads the data');
    expect(await folder.run(['-s', 'plain', 'ls'])).toMatchObject({ status: 0 });
    const given = await folder.run(['-s', 'plain', 'put', '--data', 'x', '-k', 'x', '--json'], { env: KEY });
    expect(given.status).toBe(5);
    expect(jsonLines(given.stderr)).toEqual([{ error: expect.objectContaining({ code: 'STORE_NOT_SEALED' }) }]);
    for (const args of [
      ['key', 'list'],
      ['namespace', 'list'],
      ['-N', 'a', 'ls'],
      ['inbox', 'adopt'],
    ]) {
      expect(await folder.run(['-s', 'plain', ...args])).toMatchObject({ status: 5, stdout: '' });
    }
    expect(await folder.run(['init', '--plain', 'x'], { env: KEY })).toMatchObject({ status: 2 });
  });
});

describe('init', () => {
  it('asks nobody where nobody can be asked, and leaves nothing behind', async () => {
    const done = await folder.run(['init', 'nobody']);
    expect(done).toMatchObject({ status: 5, stdout: '' });
    expect(done.stderr).toContain('--new-passphrase-file');
    expect(readdirSync(folder.path)).not.toContain('nobody');
  });

  it('makes a key file, or lets recipients in alone', async () => {
    await folder.ok('init', '--generate-key-file', 'fresh.key', 'keyed');
    expect(await folder.ok('-s', 'keyed', '--key-file', 'fresh.key', 'ls')).toBe('');
    await folder.write('other.recipient', await folder.ok('key', 'show', 'other.identity', '--recipient'));
    const recipient = ['--recipient', 'other.recipient'];
    const made = await folder.ok('init', ...recipient, ...recipient, 'theirs');
    const [shown] = jsonLines(await folder.ok('key', 'show', 'other.identity', '--json'));
    expect(made.split('\n').filter((line) => line.startsWith('fingerprint'))).toEqual([
      `fingerprint ${shown?.fingerprint}`,
    ]);
    const listed = jsonLines(await folder.ok('-s', 'theirs', '--identity', 'other.identity', 'key', 'list', '--json'));
    expect(listed.map(({ type }) => type)).toEqual(['recipient']);
    expect(await folder.run(['init', '--recipient', 'main.key', 'wrong'])).toMatchObject({ status: 2 });
    expect(readdirSync(folder.path)).not.toContain('wrong');
  });

  it.each([
    ['is a file', 'main.key'],
    ['lies below a file', path.join('main.key', 'below')],
  ])('leaves nothing behind when the folder of what it remembers %s, and says so', async (_, state) => {
    const status = 2;
    const env = { HOLDFAST_STATE: state };
    const done = await folder.run(['init', '--generate-key-file', 'unused.key', 'unused'], { env });
    expect(done.stderr).toContain('hint: ');
    expect(done.stderr).toContain('HOLDFAST_STATE');
    expect(done).toMatchObject({ status, stdout: '' });
    expect(readdirSync(folder.path).filter((name) => name.startsWith('unused'))).toEqual([]);
    const opened = await folder.run(['ls'], { env: { ...KEY, ...env } });
    expect(opened).toMatchObject({ status, stdout: '' });
    expect(opened.stderr).toContain('HOLDFAST_STATE');
  });

  it('takes a passphrase from a file or from the first line of standard input', async () => {
    await folder.write('passphrase', `${SECRET}\r\nsecond line\n`);
    chmodSync(path.join(folder.path, 'passphrase'), 0o600);
    await folder.ok('--passphrase-file', 'passphrase', 'init', 'by-file');
    const input = `${SECRET}\n`;
    const piped = await folder.run(['--passphrase-file', '-', '-s', 'by-file', 'ls'], { input });
    expect(piped).toMatchObject({ status: 0, stderr: '' });
    const twice = await folder.run(['--passphrase-file', '-', '-s', 'by-file', 'put', '-', '-k', 'x'], { input });
    expect(twice).toMatchObject({ status: 2 });
    expect(twice.stderr).toContain('standard input');
  });
});
