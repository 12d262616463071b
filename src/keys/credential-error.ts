import { type ErrorDetails, type StoreError, storeError } from '../errors/store-error.ts';

/**
 * The error for a key file, identity, recipient, share, credential or guard that is none. Neither the text nor the
 * cause ever holds what was read: it may be a secret, whole or in part.
 * @param what what it should have been, with its article
 * @param problem completes "this is not <what>: ..."
 */
export function credentialError(what: string, problem: string, details: ErrorDetails = {}): StoreError {
  return storeError('CREDENTIAL_INVALID', `this is not ${what}: ${problem}`, { details });
}
