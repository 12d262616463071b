import type { ErrorCode } from '../errors/codes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';

/** Code of a system error (`ENOENT`, `EPIPE`, ...), or `undefined` for anything else. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: ['PERMISSION_DENIED', 'permission denied'],
  EPERM: ['PERMISSION_DENIED', 'operation not permitted'],
  EROFS: ['PERMISSION_DENIED', 'read-only file system'],
  ENOSPC: ['DISK_FULL', 'no space left on the disk'],
  EDQUOT: ['DISK_FULL', 'disk quota exceeded'],
  EISDIR: ['LOCATION_INVALID', 'is a folder'],
  ENOTDIR: ['LOCATION_INVALID', 'a part of the path is not a folder'],
  EEXIST: ['LOCATION_INVALID', 'is in the way'],
  ENAMETOOLONG: ['LOCATION_INVALID', 'the name is too long for this file system'],
  EINVAL: ['LOCATION_INVALID', 'the name is not possible on this file system'],
  ENXIO: ['SOURCE_INVALID', 'is a socket, or a device that is not there'],
  ELOOP: ['LOCATION_INVALID', 'too many symbolic links'],
};

/**
 * Says in Holdfast's terms what went wrong with a file of the user's. `ENOENT` depends on the direction: a source that
 * is absent is not-found, a target can only lack its folder.
 */
export function fileError(error: unknown, path: string, use: 'read' | 'write'): unknown {
  const system = systemCodeOf(error);
  if (system === undefined) return error;
  return describe(system, path, { use, cause: error });
}

function describe(system: string, path: string, context: { use: 'read' | 'write'; cause: unknown }): StoreError {
  const options = { details: { path, system }, cause: context.cause };
  if (system === 'ENOENT') {
    return context.use === 'read'
      ? storeError('SOURCE_NOT_FOUND', `${path}: no such file or folder`, options)
      : storeError('LOCATION_INVALID', `${path}: the folder to write into does not exist`, options);
  }
  const [code, meaning] = MEANINGS[system] ?? (['BACKEND_IO', `${context.use} failed (${system})`] as const);
  return storeError(code, `${path}: ${meaning}`, options);
}
