/**
 * Files that hold a secret: key files, identities, writer credentials. Made once and never overwritten, for their owner
 * alone; one that others can read is refused, because then it is no secret.
 */

import path from 'node:path';
import { namingFile } from '../errors/naming-file.ts';
import { storeError } from '../errors/store-error.ts';
import { CREDENTIAL_FILE_BYTES_MAX } from '../limits.ts';
import { type FileHandle, type FileStat, type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { readAll, writeAll } from '../runtime/whole-io.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';

/** How files of secrets are reached; for tests. */
export interface SecretFileOptions {
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
}

/** Modes have a meaning on POSIX systems only; elsewhere the folder's access list is all there is. */
const HAS_MODES = process.platform !== 'win32';
const GROUP_AND_OTHERS = 0o077;

function isAbsence(system: string): boolean {
  return system === 'ENOENT' || system === 'ENOTDIR';
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
};

/**
 * Reads a file that holds a secret.
 * @param what what the file should be, with its article; for messages
 * @returns fresh memory, to be wiped by the caller
 * @throws `denied/KEY_FILE_EXPOSED` when group or others have any access to it; `not-found/CREDENTIAL_NOT_FOUND`;
 *   `invalid/CREDENTIAL_INVALID` when it is no regular file, or too large; `denied/PERMISSION_DENIED`; other errors of
 *   the system as they are
 */
export async function readSecretFile(file: string, what: string, options: SecretFileOptions = {}): Promise<Uint8Array> {
  try {
    return await readChecked(file, what, options.fileSystem ?? nodeFileSystem);
  } catch (error) {
    const system = systemCode(error);
    const problem = system && UNREADABLE[system];
    if (system && isAbsence(system)) {
      const details = { path: file, system };
      throw storeError('CREDENTIAL_NOT_FOUND', `${file}: ${problem}`, { details, cause: error });
    }
    if (problem) throw credentialError(what, `${file}: ${problem}`, { path: file, system });
    throw system ? deniedOr(error, file, system) : error;
  }
}

/**
 * Reads a file that holds a secret, and makes of it what it should be. Errors name the file; its bytes are overwritten.
 * @throws as `readSecretFile`, and what `parse` throws
 */
export async function parseSecretFile<T>(
  file: string,
  how: { readonly what: string; readonly parse: (bytes: Uint8Array) => T },
  options: SecretFileOptions = {},
): Promise<T> {
  const bytes = await readSecretFile(file, how.what, options);
  try {
    return how.parse(bytes);
  } catch (error) {
    throw namingFile(error, file);
  } finally {
    wipe(bytes);
  }
}

async function readChecked(file: string, what: string, fileSystem: FileSystem): Promise<Uint8Array> {
  const handle = await fileSystem.open(file, 'r');
  try {
    // Of the open file, not of the path: what is looked at is what is read.
    const stat = await handle.stat();
    if (!stat.isFile()) throw credentialError(what, `${file} is no regular file`, { path: file });
    refuseExposed(file, stat);
    if (stat.size > CREDENTIAL_FILE_BYTES_MAX) {
      throw credentialError(what, `${file} has ${stat.size} bytes`, { path: file, size: stat.size });
    }
    return await readWhole(handle, stat.size);
  } finally {
    await handle.close();
  }
}

function refuseExposed(file: string, stat: FileStat): void {
  if (!HAS_MODES || (stat.mode & GROUP_AND_OTHERS) === 0) return;
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  const message = `${file} can be used by others than its owner (mode ${mode}); if nobody has read it, run: chmod 600`;
  throw storeError('KEY_FILE_EXPOSED', message, { details: { path: file, expected: '0600', actual: mode } });
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  return bytes.subarray(0, await readAll(handle, bytes));
}

/**
 * Makes a file that holds a secret: mode 0600, on stable storage when this resolves. When it rejects there is no file,
 * or the one that was there before.
 * @throws `invalid/LOCATION_INVALID` when there is something at the path already, or no folder to hold it;
 *   `denied/PERMISSION_DENIED`; other errors of the system as they are
 */
export async function createSecretFile(
  file: string,
  bytes: Uint8Array,
  options: SecretFileOptions = {},
): Promise<void> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  try {
    await writeNewFile(fileSystem, file, bytes);
    await fileSystem.syncDirectory(path.dirname(file));
  } catch (error) {
    const system = systemCode(error);
    if (!system) throw error;
    const problem = UNWRITABLE[system];
    if (problem === undefined) throw deniedOr(error, file, system);
    throw storeError('LOCATION_INVALID', `${file}: ${problem}`, { details: { path: file, system }, cause: error });
  }
}

const UNWRITABLE: Readonly<Record<string, string>> = {
  ...UNREADABLE,
  ENOENT: 'there is no folder to hold it',
  EEXIST: 'is there already, and files of keys are never overwritten',
};

/** Writes a file that must not exist, and flushes its content; its name may not survive a crash yet. */
export async function writeNewFile(fileSystem: FileSystem, file: string, bytes: Uint8Array): Promise<void> {
  const handle = await fileSystem.open(file, 'wx');
  try {
    try {
      await writeAll(handle, bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Half a key is worse than none; the first failure is the one to report.
    await fileSystem.unlink(file).catch(() => undefined);
    throw error;
  }
}

function deniedOr(error: unknown, file: string, system: string): unknown {
  if (system !== 'EACCES' && system !== 'EPERM') return error;
  const details = { path: file, system };
  return storeError('PERMISSION_DENIED', `no permission for ${file}`, { details, cause: error });
}
