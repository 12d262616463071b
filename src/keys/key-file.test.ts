import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { asyncOutcome } from '../../test/support/sealed.ts';
import { toBase64 } from '../bytes/base64.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { makeTemporaryFolder, seededRandom } from '../testing/index.ts';
import { generateIdentity, readIdentity, writeIdentity } from './identity.ts';
import { createKeyFile, formatKey, generateKey, parseKey, readKeyFile } from './key-file.ts';
import { openSecret } from './secrets.ts';
import { readWriterCredential } from './writer-credential.ts';

const { bytes: random } = seededRandom(7);
const KEY = random(32);
const folder = await makeTemporaryFolder();
afterAll(() => folder.remove());

const at = (name: string) => path.join(folder.path, name);

async function written(name: string, bytes: Uint8Array, mode = 0o600): Promise<string> {
  await writeFile(at(name), bytes, { mode });
  await chmod(at(name), mode);
  return at(name);
}

const SPELLINGS: readonly (readonly [string, Uint8Array])[] = [
  ['raw', KEY],
  ['hex', utf8Encode(toHex(KEY))],
  ['hex and a line end', utf8Encode(`${toHex(KEY)}\n`)],
  ['hex in capitals and a line end of Windows', utf8Encode(`${toHex(KEY).toUpperCase()}\r\n`)],
  ['base64', utf8Encode(toBase64(KEY))],
  ['base64 and a line end', utf8Encode(`${toBase64(KEY)}\n`)],
  ['base64 without padding', utf8Encode(toBase64(KEY).slice(0, 43))],
];

describe('a key file', () => {
  it.each(SPELLINGS)('is read as %s', async (name, bytes) => {
    expect(parseKey(bytes)).toEqual(KEY);
    expect(await readKeyFile(await written(name, bytes))).toEqual(KEY);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['31 bytes', random(31)],
    ['33 bytes', random(33)],
    ['a digit too few', utf8Encode(toHex(KEY).slice(1))],
    ['a digit too many', utf8Encode(`${toHex(KEY)}0`)],
    ['a letter that is no digit', utf8Encode(`g${toHex(KEY).slice(1)}`)],
    ['two line ends', utf8Encode(`${toHex(KEY)}\n\n`)],
    ['a space in front', utf8Encode(` ${toHex(KEY)}`)],
    ['base64 of 31 bytes', utf8Encode(toBase64(KEY.subarray(1)))],
    ['base64 with unused bits', utf8Encode(`${'A'.repeat(42)}B=`)],
    ['letters beyond ASCII', utf8Encode(`ü${toHex(KEY).slice(2)}`)],
    ['a long text', utf8Encode('a'.repeat(1000))],
  ])('is refused with %s in it', (_, bytes) => {
    expect(outcomeOf(() => parseKey(bytes))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('is made with a fresh key, for its owner alone, and flushed', async () => {
    const synced: string[] = [];
    const fileSystem = {
      ...nodeFileSystem,
      syncDirectory: (name: string) => {
        synced.push(name);
        return nodeFileSystem.syncDirectory(name);
      },
    };
    await createKeyFile(at('made.key'), random, { fileSystem });
    expect((await stat(at('made.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('made.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(synced).toEqual([folder.path]);
    expect(await readKeyFile(at('made.key'))).not.toEqual(KEY);
  });

  it('is never made over something else', async () => {
    const file = await written('there.key', KEY);
    expect(await asyncOutcome(createKeyFile(file, random))).toBe('invalid/LOCATION_INVALID');
    expect(new Uint8Array(await readFile(file))).toEqual(KEY);
    expect(await asyncOutcome(createKeyFile(at('none/x.key'), random))).toBe('invalid/LOCATION_INVALID');
  });

  it('is gone when it could not be flushed', async () => {
    const fileSystem = {
      ...nodeFileSystem,
      open: async (name: string, flags: 'r' | 'wx' | 'r+') => {
        const handle = await nodeFileSystem.open(name, flags);
        handle.sync = () => Promise.reject(new Error('no disk'));
        return handle;
      },
    };
    await expect(createKeyFile(at('lost.key'), random, { fileSystem })).rejects.toThrow('no disk');
    await expect(stat(at('lost.key'))).rejects.toThrow('ENOENT');
  });

  it('of 32 random bytes is written so that it reads back', () => {
    const key = generateKey(random);
    expect(key).toHaveLength(32);
    expect(parseKey(formatKey(key))).toEqual(key);
  });
});

describe.skipIf(process.platform === 'win32')('a key file that others can use', () => {
  it.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])('is refused with mode %o', async (mode) => {
    const file = await written(`mode-${mode}`, KEY, mode);
    const error = await readKeyFile(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'denied', code: 'KEY_FILE_EXPOSED' });
    expect(error).toMatchObject({ details: { path: file, expected: '0600', actual: `0${mode.toString(8)}` } });
  });

  it.each([0o600, 0o400])('is not one with mode %o', async (mode) => {
    expect(await readKeyFile(await written(`own-${mode}`, KEY, mode))).toEqual(KEY);
  });

  it('is refused through a link as well', async () => {
    await symlink(await written('open.key', KEY, 0o644), at('link.key'));
    expect(await asyncOutcome(readKeyFile(at('link.key')))).toBe('denied/KEY_FILE_EXPOSED');
  });
});

describe('where a key file is expected', () => {
  it.each([
    ['nothing', 'absent.key', 'not-found/CREDENTIAL_NOT_FOUND'],
    ['a path through a file', 'made.key/x', 'not-found/CREDENTIAL_NOT_FOUND'],
    ['a folder', '.', 'invalid/CREDENTIAL_INVALID'],
  ])('there is %s', async (_, name, expected) => {
    expect(await asyncOutcome(readKeyFile(at(name)))).toBe(expected);
  });

  it.each<[string, string, (file: string) => Promise<unknown>]>([
    ['key', 'CREDENTIAL_INVALID', (file) => readKeyFile(file)],
    ['identity', 'CREDENTIAL_INVALID', (file) => readIdentity(file)],
    ['credential', 'CREDENTIAL_INVALID', (file) => readWriterCredential(file)],
    ['secret', 'CREDENTIAL_INVALID', (file) => openSecret({ identity: file })],
  ])('there is something else, and its path is named but nothing of it: %s', async (name, code, read) => {
    const file = await written(`no-${name}`, Buffer.from('{"something": "else"}'));
    const error = await read(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, details: { path: file }, message: expect.stringContaining(file) });
    expect(inspect(error, { depth: 9 })).not.toContain('something');
  });

  it('there is an identity that signs, and its path is named', async () => {
    const file = at('signer.identity');
    await writeIdentity(file, generateIdentity('ed25519', random));
    await expect(openSecret({ identity: file })).rejects.toMatchObject({ details: { path: file } });
  });

  it('there is a large file, which is not read', async () => {
    const file = await written('large', new Uint8Array(65 * 1024));
    expect(await asyncOutcome(readKeyFile(file))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('the system may refuse it', async () => {
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
    const fileSystem = { ...nodeFileSystem, open: () => Promise.reject(denied) };
    expect(await asyncOutcome(readKeyFile(at('made.key'), { fileSystem }))).toBe('denied/PERMISSION_DENIED');
    expect(await asyncOutcome(createKeyFile(at('new.key'), random, { fileSystem }))).toBe('denied/PERMISSION_DENIED');
  });
});
