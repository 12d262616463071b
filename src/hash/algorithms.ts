import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';

/**
 * The digest algorithms of Holdfast with the size of what they give, in bytes. The names are written into stores and
 * digest texts, so they never change their meaning.
 *
 * - `blake3`: BLAKE3, default output length (BLAKE3 specification, section 2)
 * - `sha256`, `sha512`: SHA-2 (FIPS 180-4)
 * - `sha3-256`: SHA-3 (FIPS 202)
 * - `blake2b-256`: BLAKE2b with the digest length 32 in its parameter block (RFC 7693, section 2.5); a BLAKE2b-512 cut
 *   to 32 bytes is a different function
 */
export const DIGEST_ALGORITHMS = Object.freeze({
  blake3: { digestBytes: 32 },
  sha256: { digestBytes: 32 },
  sha512: { digestBytes: 64 },
  'sha3-256': { digestBytes: 32 },
  'blake2b-256': { digestBytes: 32 },
});

/** Name of a digest algorithm: a key of {@link DIGEST_ALGORITHMS}. */
export type DigestAlgorithm = keyof typeof DIGEST_ALGORITHMS;

/** Tells whether a value names a digest algorithm of Holdfast. Names are lower case. */
export function isDigestAlgorithm(value: unknown): value is DigestAlgorithm {
  return typeof value === 'string' && Object.hasOwn(DIGEST_ALGORITHMS, value);
}

/**
 * Checks an argument that must name a digest algorithm.
 * @throws TypeError when it is no text, RangeError when it names no algorithm
 */
export function checkDigestAlgorithm(value: unknown): DigestAlgorithm {
  if (isDigestAlgorithm(value)) return value;
  const expected = `one of ${Object.keys(DIGEST_ALGORITHMS).join(', ')}`;
  throw typeof value === 'string'
    ? argumentRangeError('algorithm', expected, value)
    : argumentTypeError('algorithm', expected, value);
}
