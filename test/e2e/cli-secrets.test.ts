import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, type CliFolder, createCliFolder, environment } from '../support/cli.ts';

/** Short enough to type, and in nothing else. */
const CANARY = 'canary-3f9a-words';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder({ store: false });
});
afterAll(() => folder.remove());

/** What a secret looks like in output: as it is, or as the usual texts of its bytes. */
function textsOf(secret: Buffer): string[] {
  return [secret.toString('latin1').trim(), secret.toString('hex'), secret.toString('base64')];
}

describe('a secret', () => {
  it('shows in no output of any command', async () => {
    const env = { HOLDFAST_KEY_FILE: 'main.key', HOLDFAST_NEW_PASSPHRASE: CANARY };
    await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
    await folder.ok('key', 'generate', 'ml-kem-1024', '-o', 'ann.identity');
    await folder.ok('key', 'generate', 'ed25519', '-o', 'signer.identity');
    const commands = [
      ['init'],
      ['key', 'add', 'passphrase', '--label', 'words'],
      ['key', 'add', 'recipient', 'ann.recipient'],
      ['key', 'list'],
      ['key', 'rotate'],
      ['key', 'rekey'],
      ['key', 'passphrase'],
      ['key', 'export-writer', '--label', 'w', '-o', 'w.credential'],
      ['key', 'writers'],
      ['key', 'show', 'ann.identity'],
      ['key', 'export', 'ann.identity', '--form', 'hex', '-o', 'ann.hex'],
      ['key', 'import', 'ml-kem-1024', 'ann.hex', '-o', 'ann2.identity'],
      ['key', 'import', 'ml-dsa-87', 'ann.hex', '-o', 'wrong.identity'],
      ['key', 'split', 'ann.identity', '--shares', '2', '--threshold', '2', '-o', 'shares'],
      ['key', 'combine', 'shares/share-1.txt', 'shares/share-2.txt', '-o', 'ann3.identity'],
      ['key', 'sign', 'blake3:00', '--identity', 'signer.identity'],
      ['key', 'show', 'w.credential'],
      ['namespace', 'create', 'n'],
      ['namespace', 'list'],
      ['put', '--data', 'x', '-k', 'x'],
      ['stat', 'x'],
      ['stats'],
      ['check'],
      ['doctor'],
      ['inspect', '.holdfast/holdfast.json'],
      ['ls', '--key-file', 'w.credential'],
      ['ls', '--key-file', 'ann.identity'],
      ['ls', '--identity', 'main.key'],
    ];
    await folder.write('ann.recipient', await folder.ok('key', 'show', 'ann.identity', '--recipient'));
    let printed = '';
    for (const command of commands) {
      const own = command[1] === 'sign' || command.includes('--identity') ? { HOLDFAST_NEW_PASSPHRASE: CANARY } : env;
      for (const more of [['-v'], ['-v', '--json', ...(command[0] === 'init' ? ['again'] : [])]]) {
        const done = await folder.run([...command, ...more], { env: own });
        printed += done.stdout + done.stderr;
      }
    }
    for (const command of [['ls'], ['put', '--data', 'x', '-k', 'y'], ['rebuild']]) {
      const done = await folder.run([...command, '-v'], { env: { HOLDFAST_PASSPHRASE: `${CANARY}-wrong` } });
      expect(done.status).toBe(5);
      printed += done.stdout + done.stderr;
    }
    const file = (name: string): Buffer => readFileSync(path.join(folder.path, name));
    const json = (name: string) => JSON.parse(file(name).toString()) as Record<string, string>;
    const seed = Buffer.from(json('ann.identity').seed ?? '', 'base64');
    const { signingSeed = '', idKey = '' } = json('w.credential');
    const shares = readdirSync(path.join(folder.path, 'shares')).map((name) => file(`shares/${name}`));
    const hidden = [
      Buffer.from(CANARY),
      file('main.key'),
      Buffer.from(file('main.key').toString().trim(), 'hex'),
      seed,
      Buffer.from(json('signer.identity').seed ?? '', 'base64'),
      Buffer.from(signingSeed, 'base64'),
      Buffer.from(idKey, 'base64'),
      ...shares,
    ];
    expect(printed).toContain(json('ann.identity').fingerprint);
    for (const text of hidden.flatMap(textsOf)) {
      expect(text.length).toBeGreaterThan(15);
      expect(printed.includes(text)).toBe(false);
    }
  });

  it.skipIf(process.platform !== 'linux')('stands in the arguments of no process', async () => {
    const fifo = path.join(folder.path, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    await folder.ok('init', '--generate-key-file', 'busy.key', 'busy');
    const args = ['-s', 'busy', '--key-file', 'busy.key', 'put', 'fifo'];
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder.path, env: environment, stdio: 'ignore' });
    try {
      const secret = readFileSync(path.join(folder.path, 'busy.key'), 'utf8').trim();
      const tasks = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
      // Processes come and go while they are looked at.
      const lines = tasks.map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? cmdlineOf(pid) : ''));
      expect(lines.some((line) => line.includes('busy.key'))).toBe(true);
      expect(lines.some((line) => line.includes(secret) || line.includes(CANARY))).toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

function cmdlineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
