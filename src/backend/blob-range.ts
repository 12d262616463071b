import { storeError } from '../errors/store-error.ts';
import type { GetOptions } from './contract.ts';

/** The error of a range that does not lie within a blob of `size` bytes (B6). */
export function rangeError(key: string, range: GetOptions, size: number): Error {
  const { offset = 0, length = 0 } = range;
  return storeError(
    'BACKEND_RANGE_INVALID',
    `bytes ${offset} to ${offset + length} are not in a blob of ${size} bytes`,
    {
      details: { backendKey: key, offset, length, size },
    },
  );
}

/**
 * The bytes a `get` asks for, as absolute positions in a blob of `size` bytes.
 * @throws `invalid/BACKEND_RANGE_INVALID` when they reach past its end
 */
export function resolveRange(
  key: string,
  range: GetOptions,
  size: number,
): { readonly start: number; readonly end: number } {
  const start = range.offset ?? 0;
  const end = range.length === undefined ? size : start + range.length;
  if (start > size || end > size) throw rangeError(key, range, size);
  return { start, end };
}

/** The error of a conditional create whose key is taken (B4). */
export function blobExistsError(key: string, cause?: unknown): Error {
  return storeError('BLOB_EXISTS', 'a blob with this key exists already', { details: { backendKey: key }, cause });
}
