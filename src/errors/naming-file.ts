import { isStoreError, storeError } from './store-error.ts';

/**
 * Lets an error of what a file holds name the file, never its content; one that names a path already, and every error
 * that is no `StoreError`, stays as it is.
 * @param file its path
 * @returns what to throw
 */
export function namingFile(error: unknown, file: string): unknown {
  if (!isStoreError(error) || error.details.path !== undefined) return error;
  const { code, message, details, retry } = error;
  return storeError(code, `${file}: ${message}`, { details: { ...details, path: file }, retry, cause: error });
}
