import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, type TemporaryFolder } from '../../testing/temporary-folder.ts';
import { readPassphraseFile, readPassphraseLine } from './passphrase-file.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
});
afterAll(() => folder.remove());

async function fileWith(content: string | Uint8Array, mode = 0o600): Promise<string> {
  const file = path.join(folder.path, 'passphrase');
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

describe('a passphrase file', () => {
  it.each([
    ['words', 'words'],
    ['words\n', 'words'],
    ['words\r\nmore\n', 'words'],
    [' grüße \nmore', ' grüße '],
  ])('means its first line: %j', async (content, passphrase) => {
    expect(await readPassphraseFile(await fileWith(content))).toBe(passphrase);
    expect(await readPassphraseLine(Readable.from([Buffer.from(content)]))).toBe(passphrase);
  });

  it.each([
    ['empty', ''],
    ['empty', '\nsecond line'],
    ['not UTF-8', Uint8Array.of(0xff, 0x0a)],
    ['too long', 'x'.repeat(10_000)],
  ])('is refused when its first line is %s', async (problem, content) => {
    const refusal = expect.objectContaining({ code: 'CREDENTIAL_INVALID', message: expect.stringContaining(problem) });
    await expect(readPassphraseFile(await fileWith(content))).rejects.toEqual(refusal);
    await expect(readPassphraseLine(Readable.from([Buffer.from(content)]))).rejects.toEqual(refusal);
  });

  it.skipIf(process.platform === 'win32')('is refused when others can read it', async () => {
    const file = await fileWith('words\n', 0o640);
    await expect(readPassphraseFile(file)).rejects.toMatchObject({ code: 'KEY_FILE_EXPOSED' });
  });

  it('that is not there is not found', async () => {
    const absent = path.join(folder.path, 'absent');
    await expect(readPassphraseFile(absent)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  it('may come in pieces, and what follows the line is left alone', async () => {
    const pieces = [Buffer.from('wo'), Buffer.from('rds\nmore'), Buffer.from('never read')];
    expect(await readPassphraseLine(Readable.from(pieces))).toBe('words');
  });
});
