/**
 * HKDF (RFC 5869): keys made from a secret of full strength, each under a label of its own. Not for passwords; those go
 * through `argon2id`.
 */

import { createSecretKey, hkdfSync } from 'node:crypto';
import { EMPTY_BYTES, utf8Encode } from '../bytes/bytes.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { HKDF_INFO_BYTES_MAX } from '../limits.ts';

/** How a key is derived. */
export interface HkdfOptions {
  /** Public randomness; default none, which RFC 5869 takes as zeros. */
  readonly salt?: Uint8Array;
  /** What the key is for: a constant label, or bytes that begin with one. Up to 1,024 bytes; text is taken as UTF-8. */
  readonly info: string | Uint8Array;
  /** Bytes of the key; default 32, at most 255 digests. */
  readonly bytes?: number;
}

/**
 * Derives a key with HKDF over SHA-256. Synchronous; about 6 µs on Node 24.
 * @param secret key material of full strength, any length
 * @returns the key, in memory of its own
 * @throws TypeError for arguments of other types, RangeError for more than 8,160 bytes or a longer `info`
 * @see RFC 5869, section 2
 * @example hkdfSha256(masterKey, { salt, info: 'example config key v1' })
 */
export function hkdfSha256(secret: Uint8Array, options: HkdfOptions): Uint8Array {
  return hkdf('sha256', secret, options);
}

/**
 * Derives a key with HKDF over SHA-512.
 * @throws TypeError for arguments of other types, RangeError for more than 16,320 bytes or a longer `info`
 * @see RFC 5869, section 2
 */
export function hkdfSha512(secret: Uint8Array, options: HkdfOptions): Uint8Array {
  return hkdf('sha512', secret, options);
}

const DIGEST_BYTES = { sha256: 32, sha512: 64 } as const;

function hkdf(digest: keyof typeof DIGEST_BYTES, secret: Uint8Array, options: HkdfOptions): Uint8Array {
  const { salt = EMPTY_BYTES, info, bytes = 32 } = options;
  checkInteger('bytes', bytes, { min: 1, max: 255 * DIGEST_BYTES[digest] });
  const label = typeof info === 'string' ? utf8Encode(info) : checkBytes('info', info);
  if (label.length > HKDF_INFO_BYTES_MAX) {
    throw argumentRangeError('info.length', `at most ${HKDF_INFO_BYTES_MAX} bytes`, label.length);
  }
  // A key object, because from a byte array Node takes twice the time.
  const key = createSecretKey(checkBytes('secret', secret));
  return new Uint8Array(hkdfSync(digest, key, checkBytes('salt', salt), label, bytes));
}
