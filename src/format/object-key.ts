/**
 * Object keys: what objects are found by in metadata and journal. Like the keys of entries they begin with the scope of
 * their namespace; then `class (u8) ‖ plain digest (32)`. The class keeps bytes of a user apart from the canonical JSON
 * of an object, whatever the bytes say.
 */
import { concatBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { namespaceOfKey, scopePrefix } from './scoped-key.ts';
import { DIGEST_BYTES } from './sizes.ts';
import type { ObjectClass } from './types.ts';

const CLASSES: Readonly<Record<ObjectClass, number>> = { raw: 1, structured: 2 };

/** What an object key means. */
export interface ObjectName {
  readonly namespace: number;
  readonly objectClass: ObjectClass;
  /** 32 bytes; of a key that was taken apart a view of it. */
  readonly digest: Uint8Array;
}

/** First bytes of all keys of a class in a namespace. */
export function objectKeyPrefix(namespace: number, objectClass: ObjectClass): Uint8Array {
  return concatBytes([scopePrefix(namespace), Uint8Array.of(CLASSES[objectClass])]);
}

export function encodeObjectKey({ namespace, objectClass, digest }: ObjectName): Uint8Array {
  invariant(digest.length === DIGEST_BYTES, 'an object is named by a digest');
  const scope = scopePrefix(namespace);
  const key = new Uint8Array(scope.length + 1 + DIGEST_BYTES);
  key.set(scope);
  key[scope.length] = CLASSES[objectClass];
  key.set(digest, scope.length + 1);
  return key;
}

/** @returns `undefined` for bytes that are no object key */
export function parseObjectKey(bytes: Uint8Array): ObjectName | undefined {
  if (bytes.length <= DIGEST_BYTES) return undefined;
  const namespace = namespaceOfKey(bytes);
  const start = scopePrefix(namespace).length;
  if (bytes.length !== start + 1 + DIGEST_BYTES) return undefined;
  const digest = bytes.subarray(start + 1);
  if (bytes[start] === CLASSES.raw) return { namespace, objectClass: 'raw', digest };
  return bytes[start] === CLASSES.structured ? { namespace, objectClass: 'structured', digest } : undefined;
}
