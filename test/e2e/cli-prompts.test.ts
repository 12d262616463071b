import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, type CliFolder, createCliFolder, environment, jsonLines } from '../support/cli.ts';

const CANARY = 'canary-3f9a-words';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder({ store: false });
});
afterAll(() => folder.remove());

const hasPty = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
if (!hasPty) console.warn('not run: prompts on a terminal (install script of util-linux to run them)');

/** Runs the command on a terminal of its own; types each text as soon as its question has been shown. */
async function onTerminal(args: readonly string[], answers: readonly (readonly [question: string, typed: string])[]) {
  const words = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const env = { ...environment, HOLDFAST_STATE: path.join(folder.path, 'state'), SHELL: '/bin/sh' };
  // What follows the command shows whether the terminal echoes again.
  const command = `${words}; status=$?; stty -a; exit $status`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder.path, env, stdio: 'pipe' });
  let shown = '';
  let looked = 0;
  let next = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (let answer = answers[next]; answer !== undefined; answer = answers[next]) {
      const at = shown.indexOf(answer[0], looked);
      if (at < 0) return;
      looked = at + answer[0].length;
      next += 1;
      child.stdin.write(answer[1]);
    }
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, shown };
}

describe.skipIf(!hasPty)('a prompt', () => {
  it('asks twice for a new passphrase, once for one that opens, and shows neither', async () => {
    const made = await onTerminal(
      ['init', 'typed'],
      [
        ['New passphrase: ', `${CANARY}x\u007f\r`],
        ['The same again: ', `${CANARY}\r`],
      ],
    );
    expect(made).toMatchObject({ status: 0, shown: expect.stringContaining('created a sealed store') });
    const put = await onTerminal(
      ['-s', 'typed', 'put', '--data', 'x', '-k', 'x', '-q'],
      [['Passphrase of the store: ', `${CANARY}\r`]],
    );
    expect(put.status).toBe(0);
    expect(put.shown.split('Passphrase of the store').length).toBe(2);
    for (const { shown } of [made, put]) {
      expect(shown).not.toContain(CANARY);
      expect(shown).toMatch(/(?<!-)\becho\b/);
      expect(shown).toMatch(/(?<!-)\bicanon\b/);
    }
    const opened = await folder.run(['-s', 'typed', 'ls'], { env: { HOLDFAST_PASSPHRASE: CANARY } });
    expect(opened).toMatchObject({ status: 0, stdout: 'x\n' });
  });

  it('makes nothing of two that differ, and dies of Ctrl-C with the terminal as it was', async () => {
    const differ = await onTerminal(
      ['init', 'differ'],
      [
        ['New passphrase: ', 'one\r'],
        ['The same again: ', 'two\r'],
      ],
    );
    expect(differ).toMatchObject({ status: 2, shown: expect.stringContaining('not the same') });
    const stopped = await onTerminal(['init', 'stopped'], [['New passphrase: ', `${CANARY}\u0003`]]);
    expect(stopped.status).toBe(130);
    expect(stopped.shown).toMatch(/(?<!-)\becho\b/);
    expect(stopped.shown).not.toContain(CANARY);
    expect(readdirSync(folder.path)).not.toContain('differ');
    expect(readdirSync(folder.path)).not.toContain('stopped');
  });

  it('asks before what cannot be undone, and takes yes alone', async () => {
    const env = { HOLDFAST_KEY_FILE: 'sure.key' };
    await folder.ok('init', '--generate-key-file', 'sure.key', 'sure');
    await folder.run(['-s', 'sure', 'namespace', 'create', 'n'], { env });
    const drop = ['-s', 'sure', '--key-file', 'sure.key', 'namespace', 'drop', 'n', '--shred'];
    const no = await onTerminal(drop, [['Type yes to go on: ', 'y\r']]);
    expect(no).toMatchObject({ status: 2, shown: expect.stringContaining('nothing was changed') });
    const yes = await onTerminal(drop, [['Type yes to go on: ', 'yes\r']]);
    expect(yes.status).toBe(0);
    const left = await folder.run(['-s', 'sure', 'namespace', 'list', '--json'], { env });
    expect(jsonLines(left.stdout).map(({ name }) => name)).toEqual(['default']);
  });

  it('asks the terminal while standard input brings content', async () => {
    await folder.write('words', CANARY);
    chmodSync(path.join(folder.path, 'words'), 0o600);
    await folder.ok('--passphrase-file', 'words', 'init', 'piped');
    await folder.write('run.sh', `echo content | '${process.execPath}' '${CLI}' -s piped put - -k c -q\n`);
    const env = { ...environment, HOLDFAST_STATE: path.join(folder.path, 'state'), SHELL: '/bin/sh' };
    const child = spawn('script', ['-qec', 'sh run.sh', '/dev/null'], { cwd: folder.path, env, stdio: 'pipe' });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Passphrase of the store: ')) child.stdin.write(`${CANARY}\r`);
    });
    expect(await new Promise<number | null>((resolve) => child.on('close', resolve))).toBe(0);
    expect(await folder.ok('--passphrase-file', 'words', '-s', 'piped', 'get', 'c')).toBe('content\n');
  });
});
