import { isStoreError, storeError } from '../errors/store-error.ts';

/** What a backend was doing when its file failed it. */
export interface FailedAction {
  readonly action: string;
  readonly path: string;
  readonly key?: string | undefined;
}

/**
 * The error of a backend for one of its database, with that as its cause (B13). Damage is told as a holder that fails:
 * nobody may take it for an absent blob, and only looking at the file helps.
 */
export function fileError(error: unknown, { action, path, key }: FailedAction): unknown {
  const details = { path, ...(key !== undefined && { backendKey: key }) };
  const where = key === undefined ? path : `${key} in ${path}`;
  if (isStoreError(error, 'METADATA_CORRUPT')) {
    const message = `${action} ${where}: the file is damaged; \`holdfast vault salvage\` gets out what is whole`;
    return storeError('BACKEND_IO', message, { details, cause: error, retry: false });
  }
  if (isStoreError(error, 'DISK_FULL')) {
    return storeError('DISK_FULL', `${action} ${where}: no space left`, { details, cause: error });
  }
  return error;
}
