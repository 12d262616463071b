import { isStoreError } from '../../src/errors/store-error.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENTRY_EXISTS: 'There is a file of this name already.',
  ENTRY_NOT_FOUND: 'This file is not there any more.',
  ENTRY_HAS_CHILDREN: 'Other files belong to this one, so it was not deleted.',
  JOB_HELD: 'This is going on already.',
  KEY_INVALID: 'This name cannot be used.',
  PRECONDITION_FAILED: 'Somebody else changed this meanwhile. Look at it again before you change it.',
  QUOTA_EXCEEDED: 'There is no space left: a limit that was set has been reached.',
  READ_ONLY: 'The store is open for reading only.',
  REQUESTS_EXCEEDED: 'Too much at once. Wait a moment, and try again.',
  STORE_NOT_SEALED: 'This store is not encrypted, so it has no keys and no namespaces.',
  TOKEN_REQUIRED: 'This needs another token.',
};

/** An error in words. */
export function say(error: unknown): string {
  if (isStoreError(error))
    return WORDS[error.code] ?? `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  if (error instanceof TypeError) return 'The server cannot be reached.';
  return error instanceof Error ? error.message : String(error);
}
