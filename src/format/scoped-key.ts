/**
 * Scoped keys: entry keys as metadata and journal hold them, so that the keys of all namespaces live in one order. A
 * key of the default namespace is itself; one of namespace n is `0xFF ‖ n (u32 big-endian) ‖ key`. UTF-8 never holds
 * 0xFF, so the two never meet, and each namespace is one range of that order.
 */

import { isUtf8 } from 'node:buffer';
import { concatBytes, EMPTY_BYTES } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { ENTRY_KEY_BYTES_MAX, NAMESPACE_NUMBER_MAX, SCOPED_KEY_BYTES_MAX } from '../limits.ts';

/** What a scoped key means. */
export interface ScopedKey {
  /** u32; 0 is the default namespace. */
  readonly namespace: number;
  /** The user's key, UTF-8. */
  readonly key: Uint8Array;
}

const DEFAULT_NAMESPACE = 0;
const SCOPE_MARK = 0xff;
const SCOPE_BYTES = 5;

/**
 * First bytes of every scoped key of a namespace; empty for the default namespace, whose keys have nothing before them.
 */
export function scopePrefix(namespace: number): Uint8Array {
  invariant(
    Number.isInteger(namespace) && namespace >= 0 && namespace <= NAMESPACE_NUMBER_MAX,
    'a namespace has a number of 32 bits',
  );
  if (namespace === DEFAULT_NAMESPACE) return EMPTY_BYTES;
  const prefix = new Uint8Array(SCOPE_BYTES);
  prefix[0] = SCOPE_MARK;
  new DataView(prefix.buffer).setUint32(1, namespace, false);
  return prefix;
}

/**
 * @param key checked before: UTF-8 of 1 to `ENTRY_KEY_BYTES_MAX` bytes
 * @returns the key as metadata and journal hold it; for the default namespace `key` itself
 */
export function scopeKey(namespace: number, key: Uint8Array): Uint8Array {
  const prefix = scopePrefix(namespace);
  return prefix.length === 0 ? key : concatBytes([prefix, key]);
}

/** Takes a scoped key apart. @returns its key as a view of `bytes` */
export function unscopeKey(bytes: Uint8Array): ScopedKey {
  const namespace = namespaceOfKey(bytes);
  return { namespace, key: namespace === DEFAULT_NAMESPACE ? bytes : bytes.subarray(SCOPE_BYTES) };
}

/** The namespace whose entry a scoped key names. */
export function namespaceOfKey(bytes: Uint8Array): number {
  if (bytes[0] !== SCOPE_MARK) return DEFAULT_NAMESPACE;
  invariant(bytes.length > SCOPE_BYTES, 'a scoped key holds a key');
  // Not by a `DataView`, which would move a short array out of V8's heap.
  let namespace = 0;
  for (let at = 1; at < SCOPE_BYTES; at += 1) namespace = namespace * 256 + (bytes[at] ?? 0);
  return namespace;
}

/** Whether bytes from outside are a scoped key, in the one spelling that {@link scopeKey} gives. */
export function isScopedKey(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > SCOPED_KEY_BYTES_MAX) return false;
  if (bytes[0] === SCOPE_MARK && bytes.length <= SCOPE_BYTES) return false;
  const { namespace, key } = unscopeKey(bytes);
  const isSpelledOnce = bytes[0] !== SCOPE_MARK || namespace !== DEFAULT_NAMESPACE;
  return isSpelledOnce && key.length <= ENTRY_KEY_BYTES_MAX && isUtf8(key);
}
