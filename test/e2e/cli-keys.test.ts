import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
const KEY = { HOLDFAST_KEY_FILE: 'main.key' };

/** Runs a command with the main key, and fails the test unless it ends with 0. */
async function ok(...args: string[]): Promise<string> {
  const done = await folder.run(args, { env: KEY });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return done.stdout;
}

async function slots(): Promise<Record<string, unknown>[]> {
  return jsonLines(await ok('key', 'list', '--json'));
}

beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
  await ok('init', '-q');
  await ok('put', '--data', 'hello', '-k', 'greeting');
});
afterAll(() => folder.remove());

describe('slots', () => {
  it('let in a second key file, a recipient and a passphrase, each under its label', async () => {
    await folder.ok('key', 'generate', 'key-file', '-o', 'spare.key');
    await folder.ok('key', 'generate', 'ml-kem-1024', '-o', 'ann.identity');
    await folder.write('ann.recipient', await folder.ok('key', 'show', 'ann.identity', '--recipient'));
    await ok('key', 'add', 'key-file', 'spare.key', '--label', 'spare');
    const added = await ok('key', 'add', 'recipient', 'ann.recipient', '--label', 'ann');
    const [ann] = jsonLines(await folder.ok('key', 'show', 'ann.identity', '--json'));
    expect(added).toContain(`fingerprint ${ann?.fingerprint}`);
    for (const again of [
      ['key', 'add', 'key-file', 'spare.key'],
      ['key', 'add', 'recipient', 'ann.recipient'],
    ])
      expect(await folder.run(again, { env: KEY })).toMatchObject({ status: 4, stdout: '' });
    await folder.run(['key', 'add', 'passphrase'], { env: { ...KEY, HOLDFAST_NEW_PASSPHRASE: 'grüße from here' } });
    expect((await slots()).map(({ type, label }) => [type, label])).toEqual([
      ['key-file', 'key-file'],
      ['key-file', 'spare'],
      ['recipient', 'ann'],
      ['passphrase', 'passphrase'],
    ]);
    expect(await folder.ok('--key-file', 'spare.key', 'get', 'greeting')).toBe('hello');
    expect(await folder.ok('get', 'greeting', '--identity', 'ann.identity')).toBe('hello');
    const typed = { HOLDFAST_PASSPHRASE: 'grüße from here'.normalize('NFD') };
    expect(await folder.run(['get', 'greeting'], { env: typed })).toMatchObject({ status: 0, stdout: 'hello' });
    const identity = jsonLines(await folder.ok('key', 'show', 'ann.identity', '--json'))[0];
    expect((await slots())[2]?.fingerprint).toBe(identity?.fingerprint);
  });

  it('shut out whoever is removed, after a dry run and a confirmation', async () => {
    const spare = (await slots()).find(({ label }) => label === 'spare')?.id as string;
    expect(await ok('key', 'remove', spare.slice(0, 6), '--dry-run')).toContain(`would remove key-file ${spare}`);
    const unsure = await folder.run(['key', 'remove', spare], { env: KEY });
    expect(unsure).toMatchObject({ status: 2, stdout: '' });
    expect(unsure.stderr).toContain('--yes');
    expect(await slots()).toHaveLength(4);
    await ok('key', 'remove', spare, '--yes');
    expect(await folder.run(['ls', '--key-file', 'spare.key'])).toMatchObject({ status: 5, stdout: '' });
    expect(await ok('get', 'greeting')).toBe('hello');
  });

  it('get another label or passphrase', async () => {
    const ann = (await slots()).find(({ label }) => label === 'ann')?.id as string;
    expect(await ok('key', 'label', ann, 'ann of accounting')).toContain('(ann of accounting)');
    await folder.write('new.txt', 'another one\nnot this line\n');
    chmodSync(path.join(folder.path, 'new.txt'), 0o600);
    await ok('key', 'passphrase', '--new-passphrase-file', 'new.txt');
    const open = (passphrase: string) => folder.run(['ls'], { env: { HOLDFAST_PASSPHRASE: passphrase } });
    expect(await open('another one')).toMatchObject({ status: 0, stdout: 'greeting\n' });
    expect(await open('grüße from here')).toMatchObject({ status: 5 });
  });

  it('are named by a beginning that is the only one, and the last one stays', async () => {
    expect(await folder.run(['key', 'remove', 'zz', '--yes'], { env: KEY })).toMatchObject({ status: 3 });
    const alone = await createCliFolder({ store: false });
    await alone.ok('key', 'generate', 'key-file', '-o', 'only.key');
    const env = { HOLDFAST_KEY_FILE: 'only.key' };
    await alone.run(['init'], { env });
    const [slot] = jsonLines((await alone.run(['key', 'list', '--json'], { env })).stdout);
    const done = await alone.run(['key', 'remove', `${slot?.id}`, '--yes', '--json'], { env });
    expect(done.status).toBe(4);
    expect(jsonLines(done.stderr)).toEqual([{ error: expect.objectContaining({ code: 'LAST_SLOT' }) }]);
    await alone.remove();
  });
});

describe('epochs', () => {
  it('begin with rotate, and old ones go with rekey', async () => {
    const numbers = async () => jsonLines(await ok('key', 'epochs', '--json')).map(({ epoch }) => epoch as number);
    const before = (await numbers()).at(-1) as number;
    expect(await ok('key', 'rotate', '--dry-run')).toBe(`would begin epoch ${before + 1}\n`);
    expect(await ok('key', 'rotate')).toContain(`epoch ${before + 1} has begun`);
    expect(await ok('key', 'rekey', '--dry-run')).toMatch(/^would seal \d+ packs? anew\n$/);
    const report = jsonLines(await ok('key', 'rekey', '--json'))[0];
    expect(report).toMatchObject({ done: true, pending: [] });
    expect(await numbers()).toEqual([before + 1]);
    expect(await ok('get', 'greeting')).toBe('hello');
    expect(await ok('check', '--json')).toContain('"outcome":"ok"');
  });
});

describe('writers', () => {
  it('put what they cannot read, until they are removed', async () => {
    await ok('namespace', 'create', 'dumps');
    await ok('key', 'export-writer', '--label', 'web-1', '-N', 'dumps', '-o', 'web-1.credential');
    expect(statSync(path.join(folder.path, 'web-1.credential')).mode & 0o777).toBe(0o600);
    const env = { HOLDFAST_CREDENTIAL: 'web-1.credential' };
    const put = await folder.run(['put', '--data', 'written blindly', '-k', 'dump'], { env });
    expect(put).toMatchObject({ status: 0, stderr: '' });
    expect(put.stdout).toContain('waits in the inbox');
    expect(await folder.run(['get', 'dump'], { env })).toMatchObject({ status: 2, stdout: '' });
    expect(await folder.run(['put', '--data', 'nameless'], { env })).toMatchObject({ status: 2 });
    expect(await folder.run(['put', '--data', 'x', '-k', 'y', '--isolated'], { env })).toMatchObject({ status: 2 });
    expect(await ok('inbox', 'adopt')).toBe('adopted 1 message: 1 entry, 15 B\n');
    expect(await ok('-N', 'dumps', 'get', 'dump')).toBe('written blindly');
    const [writer] = jsonLines(await ok('key', 'writers', '--json'));
    expect(writer).toMatchObject({ label: 'web-1', namespace: 'dumps' });
    await ok('key', 'remove-writer', `${writer?.fingerprint}`.slice(0, 8), '--yes');
    expect(await ok('key', 'writers')).not.toContain('web-1');
    await folder.run(['put', '--data', 'too late', '-k', 'late'], { env });
    const adopted = await folder.run(['inbox', 'adopt', '--json'], { env: KEY });
    expect(adopted.status).toBe(1);
    const { refused } = jsonLines(adopted.stdout)[0] as { refused: { message: string }[] };
    expect(refused).toHaveLength(1);
    expect(await ok('-N', 'dumps', 'ls')).toBe('dump\n');
    await folder.run(['inbox', 'discard', `${refused[0]?.message}`, '--yes'], { env: KEY });
    expect(await ok('inbox', 'adopt')).toContain('adopted 0 messages');
  });
});

describe('a writer that is not made', () => {
  it('is not let in when its file is there, and leaves no file when it is not let in', async () => {
    const before = await ok('key', 'writers');
    await folder.write('taken.credential', 'something else');
    const taken = ['key', 'export-writer', '--label', 'web-2', '-o', 'taken.credential'];
    expect(await folder.run(taken, { env: KEY })).toMatchObject({ status: 2, stdout: '' });
    expect(readFileSync(path.join(folder.path, 'taken.credential'), 'utf8')).toBe('something else');
    const nowhere = ['key', 'export-writer', '--label', 'web-2', '-N', 'none', '-o', 'none.credential'];
    expect(await folder.run(nowhere, { env: KEY })).toMatchObject({ status: 3 });
    expect(existsSync(path.join(folder.path, 'none.credential'))).toBe(false);
    expect(await ok('key', 'writers')).toBe(before);
  });
});

describe('identities', () => {
  it.each(['raw', 'hex', 'base64'])('go out and come back as %s', async (form) => {
    const [out, back] = [`${form}.out`, `${form}.identity`];
    await folder.ok('key', 'export', 'ann.identity', '--form', form, '-o', out);
    await folder.ok('key', 'import', 'ml-kem-1024', out, '-o', back);
    const read = (name: string) => readFileSync(path.join(folder.path, name), 'utf8');
    expect(read(back)).toBe(read('ann.identity'));
    await folder.ok('key', 'export', 'main.key', '--form', form, '-o', `${out}.key`);
    await folder.ok('key', 'import', 'key-file', `${out}.key`, '-o', `${back}.key`);
    expect(read(`${back}.key`)).toBe(read('main.key'));
  });

  it('come back from enough of their shares, and not from fewer', async () => {
    await folder.ok('key', 'split', 'ann.identity', '--shares', '3', '--threshold', '2', '-o', 'shares');
    const share = (index: number) => path.join('shares', `share-${index}.txt`);
    expect(await folder.run(['key', 'combine', share(2), '-o', 'few.identity'])).toMatchObject({ status: 2 });
    await folder.ok('key', 'combine', share(3), share(1), '-o', 'combined.identity');
    expect(await folder.ok('ls', '--identity', 'combined.identity')).toBe('greeting\n');
  });

  it('are named by their file when they are none, and never shown', async () => {
    const line = await folder.ok('key', 'show', 'ann.identity', '--recipient');
    await folder.write('mistyped.recipient', line.replace(/.{6}$/m, 'AAAAAA'));
    await folder.write('none.signature', '{"secret": "canary"}');
    for (const args of [
      ['key', 'add', 'recipient', 'mistyped.recipient'],
      ['key', 'show', 'mistyped.recipient'],
      ['key', 'verify', 'none.signature', '--signer', 'mistyped.recipient', '--root', 'x'],
    ]) {
      const done = await folder.run(args, { env: KEY });
      expect(done).toMatchObject({ status: 2, stdout: '' });
      expect(done.stderr).toContain('holdfast: mistyped.recipient: ');
      expect(done.stderr).toContain('typing error');
    }
    await folder.write('signer', await folder.ok('key', 'show', 'ann.identity', '--recipient'));
    const none = await folder.run(['key', 'verify', 'none.signature', '--signer', 'signer', '--root', 'x']);
    expect(none.stderr).toContain('holdfast: none.signature: ');
    expect(none.stderr).not.toContain('canary');
    const absent = await folder.run(['key', 'add', 'recipient', 'absent.recipient'], { env: KEY });
    expect(absent).toMatchObject({ status: 3, stdout: '' });
  });

  it.each(['ml-dsa-87', 'ed25519'])('sign roots with %s', async (algorithm) => {
    const file = `${algorithm}.identity`;
    await folder.ok('key', 'generate', algorithm, '-o', file);
    await folder.write(`${algorithm}.pub`, await folder.ok('key', 'show', file, '--recipient'));
    const root = jsonLines(await ok('stat', 'greeting', '--json'))[0]?.root as string;
    await folder.write(`${algorithm}.sig`, await folder.ok('key', 'sign', root, '--identity', file));
    const verify = (signed: string) =>
      folder.run(['key', 'verify', `${algorithm}.sig`, '--signer', `${algorithm}.pub`, '--root', signed]);
    expect(await verify(root)).toMatchObject({ status: 0, stderr: '' });
    const other = await verify(root.replace(/.$/, (last) => (last === '0' ? '1' : '0')));
    expect(other.status).toBe(6);
    expect(other.stdout).toContain('NOT VALID');
  });

  it('are never written over', async () => {
    const done = await folder.run(['key', 'generate', 'ed25519', '-o', 'main.key']);
    expect(done).toMatchObject({ status: 2, stdout: '' });
    expect(await ok('get', 'greeting')).toBe('hello');
  });
});
