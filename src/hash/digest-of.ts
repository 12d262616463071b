import { checkDigestAlgorithm, type DigestAlgorithm } from './algorithms.ts';
import { checkBytes } from './check-bytes.ts';
import type { Digest } from './digest.ts';
import { hashBytes, openKeyedDigest } from './engines.ts';
import { checkBlake3Key, createDeriveHasher, createKeyedHasher } from './hasher.ts';

/**
 * Hashes bytes that are all at hand; for more than fits in memory see `createHasher`. Synchronous, nothing is kept.
 * @returns the digest, in memory of its own
 * @throws TypeError when `bytes` is no `Uint8Array`, TypeError or RangeError for an unknown algorithm
 * @example formatDigest('sha256', digestOf('sha256', bytes))
 */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  return hashBytes(checkDigestAlgorithm(algorithm), checkBytes('bytes', bytes));
}

/** `digestOf('blake3', bytes)`, for the callers that hash every chunk. */
export function blake3(bytes: Uint8Array): Digest {
  return hashBytes('blake3', checkBytes('bytes', bytes));
}

/**
 * Keyed BLAKE3 of bytes that are all at hand.
 * @param key 32 bytes
 * @throws as `createKeyedHasher`, and TypeError when `bytes` is no `Uint8Array`
 */
export function blake3Keyed(key: Uint8Array, bytes: Uint8Array): Digest {
  return createKeyedHasher(key).update(bytes).digest();
}

/**
 * Keyed BLAKE3 of many short inputs under one key: three times as fast as `blake3Keyed` for each. The key stays in
 * native memory until what is returned is collected.
 * @param key 32 bytes; copied
 * @returns gives the digest of bytes that are all at hand, in memory of its own; throws TypeError for what is no
 *   `Uint8Array`
 * @throws as `createKeyedHasher`
 */
export function createKeyedDigest(key: Uint8Array): (bytes: Uint8Array) => Digest {
  const digest = openKeyedDigest(checkBlake3Key(key));
  return (bytes) => digest(checkBytes('bytes', bytes));
}

/**
 * Derives a 32-byte key from key material with BLAKE3. Longer output is not to be had: derive another key under another
 * context instead.
 * @param context a constant of the program, globally unique for its purpose, never made from input
 * @param material key material of full strength, any length; not a password
 * @throws as `createDeriveHasher`, and TypeError when `material` is no `Uint8Array`
 * @example blake3Derive('example.org 2026-01-01 index key', masterKey)
 */
export function blake3Derive(context: string, material: Uint8Array): Digest {
  return createDeriveHasher(context).update(material).digest();
}
