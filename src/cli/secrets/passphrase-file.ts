import { open } from 'node:fs/promises';
import { storeError } from '../../errors/store-error.ts';
import { fileError } from '../file-error.ts';

/** More than the longest passphrase there may be; what is behind the first line is nobody's business. */
const READ_BYTES_MAX = 8192;
const LINE_FEED = 0x0a;
const GROUP_AND_OTHERS = 0o077;

/**
 * The first line of a file or pipe, without its end.
 * @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED`, `denied/KEY_FILE_EXPOSED` for a regular file that
 *   group or others can use, `invalid/CREDENTIAL_INVALID` for an empty or over-long line and for what is no UTF-8
 */
export async function readPassphraseFile(file: string): Promise<string> {
  const bytes = new Uint8Array(READ_BYTES_MAX);
  try {
    const handle = await open(file, 'r').catch((error: unknown) => {
      throw fileError(error, file, 'read');
    });
    try {
      const stat = await handle.stat();
      // A pipe (`--passphrase-file <(pass show store)`) is for this process alone, whatever its mode says.
      if (stat.isFile()) refuseExposed(file, stat.mode);
      const length = await fillToLineEnd(bytes, async (into) => (await handle.read(into)).bytesRead);
      return lineOf(bytes.subarray(0, length), file);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, file, 'read');
  } finally {
    bytes.fill(0);
  }
}

/** The first line of standard input, without its end. @throws as `readPassphraseFile` */
export async function readPassphraseLine(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const bytes = new Uint8Array(READ_BYTES_MAX);
  let length = 0;
  for await (const piece of stream) {
    const taken = piece.subarray(0, bytes.length - length);
    bytes.set(taken, length);
    length += taken.length;
    if (taken.includes(LINE_FEED) || length === bytes.length) break;
  }
  const line = lineOf(bytes.subarray(0, length), 'standard input');
  bytes.fill(0);
  return line;
}

function refuseExposed(file: string, mode: number): void {
  if (process.platform === 'win32' || (mode & GROUP_AND_OTHERS) === 0) return;
  const actual = (mode & 0o777).toString(8).padStart(4, '0');
  throw storeError('KEY_FILE_EXPOSED', `${file} can be used by others than its owner (mode ${actual})`, {
    details: { path: file, expected: '0600', actual },
  });
}

async function fillToLineEnd(bytes: Uint8Array, read: (into: Uint8Array) => Promise<number>): Promise<number> {
  let length = 0;
  while (length < bytes.length) {
    const count = await read(bytes.subarray(length));
    length += count;
    if (count === 0 || bytes.subarray(length - count, length).includes(LINE_FEED)) break;
  }
  return length;
}

function lineOf(bytes: Uint8Array, where: string): string {
  const end = bytes.indexOf(LINE_FEED);
  const refuse = (problem: string): never => {
    throw storeError('CREDENTIAL_INVALID', `${where}: this is not a passphrase: ${problem}`, {
      details: { path: where },
    });
  };
  if (end < 0 && bytes.length === READ_BYTES_MAX) return refuse('its first line is too long');
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  const text = decode(line) ?? refuse('its first line is not UTF-8');
  const passphrase = text.endsWith('\r') ? text.slice(0, -1) : text;
  return passphrase === '' ? refuse('its first line is empty') : passphrase;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
