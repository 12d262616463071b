import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { BACKEND_KEY_DEPTH_MAX, BACKEND_KEY_LENGTH_MAX } from '../limits.ts';

/**
 * Backend keys are components `[a-z0-9][a-z0-9._-]*` joined by `/`. The alphabet is the part that every file system and
 * object store keeps apart and orders alike; no component starts with a dot, so `.` and `..` cannot occur and dot names
 * are the backend's own.
 */
const COMPONENT = '[a-z0-9][a-z0-9._-]*';
const KEY = new RegExp(`^${COMPONENT}(?:/${COMPONENT}){0,${BACKEND_KEY_DEPTH_MAX - 1}}$`);
const PREFIX = new RegExp(`^(?:${COMPONENT}/){0,${BACKEND_KEY_DEPTH_MAX - 1}}(?:${COMPONENT})?$`);

function checkText(parameter: string, text: unknown, grammar: RegExp): string {
  if (typeof text !== 'string') throw argumentTypeError(parameter, 'a string', text);
  if (text.length > BACKEND_KEY_LENGTH_MAX || !grammar.test(text)) {
    // A key of the wrong length may be anything: only its beginning goes into the message.
    const shown = JSON.stringify(text.slice(0, BACKEND_KEY_LENGTH_MAX));
    throw storeError('BACKEND_KEY_INVALID', `${parameter} cannot be a backend key or its beginning: ${shown}`, {
      details: { backendKey: shown, length: text.length },
    });
  }
  return text;
}

/** True for text that can be a backend key: what else lies in a backend's folder is not a blob. */
export function isBackendKey(text: string): boolean {
  return text.length <= BACKEND_KEY_LENGTH_MAX && KEY.test(text);
}

/**
 * Checks a backend key (B9) and gives it back.
 * @throws TypeError when it is no string; `invalid/BACKEND_KEY_INVALID` outside the grammar, longer than 200 characters
 *   or deeper than four components
 */
export function checkBackendKey(key: unknown): string {
  return checkText('key', key, KEY);
}

/**
 * Checks text that a backend key can start with: empty, or cut anywhere, as `packs/` or `packs/0a`. Used for the
 * `prefix` and `after` of a listing.
 * @throws TypeError when it is no string; `invalid/BACKEND_KEY_INVALID` when no legal key starts with it
 */
export function checkBackendPrefix(prefix: unknown, parameter: 'prefix' | 'after' = 'prefix'): string {
  return checkText(parameter, prefix, PREFIX);
}
