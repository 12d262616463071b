import { isStoreError, storeError } from '../errors/store-error.ts';
import { systemCode } from '../runtime/file-system.ts';

/** What the backend was doing when the system refused. */
export interface FailedAction {
  readonly action: 'open' | 'put' | 'get' | 'head' | 'delete' | 'list' | 'space' | 'close' | 'reserve';
  /** Folder of the backend. */
  readonly root: string;
  readonly key?: string;
}

const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
/** The folder holds something else than this backend put there: trying again cannot help. */
const WRONG_SHAPE: ReadonlySet<string> = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);

/** True for the system codes of a full disk and of a full allowance on it. */
export function isDiskFull(system: string | undefined): boolean {
  return system !== undefined && DISK_FULL.has(system);
}

/**
 * The store error of a system error, with the system error as its cause (B13). Anything that is no system error, as an
 * abort reason or an error made earlier, comes back as it is.
 */
export function fsError(error: unknown, failed: FailedAction): unknown {
  const system = systemCode(error);
  if (isStoreError(error) || system === undefined) return error;
  const { action, root, key } = failed;
  const details = { path: root, system, ...(key !== undefined && { backendKey: key }) };
  const where = key === undefined ? root : `${key} in ${root}`;
  if (isDiskFull(system)) {
    return storeError('DISK_FULL', `${action} ${where}: no space left on the disk`, { details, cause: error });
  }
  if (DENIED.has(system)) {
    return storeError('PERMISSION_DENIED', `${action} ${where}: the system does not permit it (${system})`, {
      details,
      cause: error,
    });
  }
  if (WRONG_SHAPE.has(system)) {
    const message = `${action} ${where}: a folder stands where a file belongs, or the other way round (${system})`;
    return storeError('BACKEND_IO', message, { details, cause: error, retry: false });
  }
  return storeError('BACKEND_IO', `${action} ${where}: the disk failed (${system})`, { details, cause: error });
}

/** The error of a name that is not the plain file a blob is. */
export function notAFileError(failed: FailedAction): Error {
  const { action, root, key } = failed;
  const details = { path: root, system: 'EISDIR', ...(key !== undefined && { backendKey: key }) };
  const message = `${action} ${key ?? ''} in ${root}: there is something else than a plain file`;
  return storeError('BACKEND_IO', message, { details, retry: false });
}

/**
 * Tells an absent blob from an absent disk. Both answer `ENOENT`, and only the first may become `undefined` (B5): a
 * folder that was there when the backend was opened (`marker`) must still be there.
 * @throws `unavailable/BACKEND_IO` when it is not
 */
export async function assertMounted(
  stat: (path: string) => Promise<unknown>,
  marker: string,
  failed: FailedAction,
): Promise<void> {
  try {
    await stat(marker);
  } catch (error) {
    const system = systemCode(error);
    if (system !== 'ENOENT' && system !== 'ENOTDIR') throw fsError(error, failed);
    const message = `${failed.action} in ${failed.root}: the folder ${marker} is gone; is the disk mounted?`;
    throw storeError('BACKEND_IO', message, { details: { path: marker, system }, cause: error });
  }
}
