import type { ErrorCode } from '../errors/codes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import { systemCode } from '../runtime/file-system.ts';

const DENIED: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
};

const WRITING: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['DISK_FULL', 'no space left on the disk'],
  EDQUOT: ['DISK_FULL', 'disk quota exceeded'],
  EFBIG: ['LOCATION_INVALID', 'the file is too large for this file system'],
  ENAMETOOLONG: ['LOCATION_INVALID', 'the name is too long for this file system'],
  EINVAL: ['LOCATION_INVALID', 'this is not possible on this file system'],
  EILSEQ: ['LOCATION_INVALID', 'the name is not possible on this file system'],
  EEXIST: ['TARGET_EXISTS', 'something of that name is there'],
  ENOTEMPTY: ['TARGET_EXISTS', 'a folder that is not empty is there'],
  EISDIR: ['TARGET_EXISTS', 'a folder of that name is there'],
  ENOTDIR: ['TARGET_EXISTS', 'a part of the path is not a folder'],
  ELOOP: ['PATH_UNSAFE', 'a symbolic link is in the way and is not followed'],
};

const READING: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['SOURCE_NOT_FOUND', 'no such file or folder'],
  ENOTDIR: ['SOURCE_NOT_FOUND', 'a part of the path is not a folder'],
  ENAMETOOLONG: ['SOURCE_INVALID', 'the path is longer than the system takes'],
  ELOOP: ['SOURCE_INVALID', 'too many symbolic links'],
};

/** A path for messages and reports: text, with U+FFFD for what is not UTF-8. Never used to find a file again. */
export function pathText(path: Buffer): string {
  return path.toString('utf8');
}

/**
 * Says in Holdfast's terms why an item could not be read or written. What is no system error (an abort, an error that
 * content was read with) comes back as it is.
 * @param path as bytes, or as the text that is told
 */
export function itemError(error: unknown, path: Buffer | string, use: 'read' | 'write'): unknown {
  const system = systemCode(error);
  return system === undefined
    ? error
    : describe(system, typeof path === 'string' ? path : pathText(path), [use, error]);
}

function describe(system: string, path: string, [use, cause]: readonly ['read' | 'write', unknown]): StoreError {
  const options = { details: { path, system }, cause };
  const denied = DENIED[system];
  if (denied !== undefined) return storeError('PERMISSION_DENIED', `${path}: ${denied}`, options);
  const known = (use === 'read' ? READING : WRITING)[system];
  if (known !== undefined) return storeError(known[0], `${path}: ${known[1]}`, options);
  if (use === 'read') return storeError('SOURCE_INVALID', `${path}: cannot be read (${system})`, options);
  return storeError('LOCATION_INVALID', `${path}: cannot be written (${system})`, options);
}
