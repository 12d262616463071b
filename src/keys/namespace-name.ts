import { utf8Encode } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { NAMESPACE_NAME_BYTES_MAX } from '../limits.ts';

/** Name of the namespace with the number 0, which every sealed store has. */
export const DEFAULT_NAMESPACE = 'default';

/** Whether a text can name a namespace: 1 to 64 bytes of UTF-8 without control characters or lone surrogates. */
export function isNamespaceName(name: string): boolean {
  return /^[^\p{Cc}\p{Cs}]+$/u.test(name) && utf8Encode(name).length <= NAMESPACE_NAME_BYTES_MAX;
}

/** @throws `TypeError` for what is no text, `invalid/NAMESPACE_INVALID` for text that names no namespace */
export function checkNamespaceName(name: unknown): string {
  if (typeof name !== 'string') throw argumentTypeError('namespace', 'a name', name);
  if (isNamespaceName(name)) return name;
  const rule = `1 to ${NAMESPACE_NAME_BYTES_MAX} bytes of UTF-8 without control characters`;
  throw storeError('NAMESPACE_INVALID', `the name of a namespace has ${rule}`);
}
