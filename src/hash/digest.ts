import { timingSafeEqual } from 'node:crypto';
import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { checkDigestAlgorithm, DIGEST_ALGORITHMS, type DigestAlgorithm, isDigestAlgorithm } from './algorithms.ts';
import { checkBytes } from './check-bytes.ts';

const LOWER_HEX = /^[0-9a-f]*$/;

declare const brand: unique symbol;

/**
 * The raw bytes of a cryptographic hash: 32 of them, or 64 for `sha512`. A plain `Uint8Array` at run time; the brand
 * keeps other bytes from being passed where a digest is meant. Holders treat it as immutable.
 */
export type Digest = Uint8Array & { readonly [brand]: 'Digest' };

/** A digest together with the algorithm that made it, as its text names both. */
export interface NamedDigest {
  readonly algorithm: DigestAlgorithm;
  readonly digest: Digest;
}

/**
 * Declares bytes from outside (a file, a row, a message) to be a digest. Checks the length alone: nothing can tell
 * whether bytes came out of a hash. Keeps the array, copies nothing.
 * @param algorithm the algorithm whose length is demanded; default: the length of any
 * @throws `invalid/DIGEST_INVALID` for a wrong length
 */
export function asDigest(bytes: Uint8Array, algorithm?: DigestAlgorithm): Digest {
  const actual = checkBytes('bytes', bytes).length;
  if (algorithm === undefined) {
    if (Object.values(DIGEST_ALGORITHMS).some(({ digestBytes }) => digestBytes === actual)) return bytes as Digest;
    throw storeError('DIGEST_INVALID', `no digest has ${actual} bytes`, { details: { actual } });
  }
  const expected = DIGEST_ALGORITHMS[checkDigestAlgorithm(algorithm)].digestBytes;
  if (actual === expected) return bytes as Digest;
  throw storeError('DIGEST_INVALID', `a ${algorithm} digest has ${expected} bytes, not ${actual}`, {
    details: { expected, actual },
  });
}

/**
 * Compares two digests in time that depends on their lengths only, so that an attacker who can make the comparison run
 * learns nothing about how much of a guess was right. Digests of different lengths are different.
 */
export function equalDigests(a: Digest, b: Digest): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Writes a digest as text: the algorithm, a colon, lower-case hex.
 * @throws `invalid/DIGEST_INVALID` when the digest has not the length of the algorithm
 * @example formatDigest('sha256', digestOf('sha256', utf8Encode('abc'))) // 'sha256:ba7816bf…'
 */
export function formatDigest(algorithm: DigestAlgorithm, digest: Digest): string {
  const { buffer, byteOffset, byteLength } = asDigest(digest, algorithm);
  return `${algorithm}:${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
}

/**
 * Reads the text that {@link formatDigest} writes, and no other spelling of it: one digest has one text, so that texts
 * can be compared and used as keys.
 * @returns the algorithm and a digest of its own memory
 * @throws `invalid/DIGEST_INVALID` for an unknown algorithm, a wrong length, upper case or anything that is not hex
 */
export function parseDigest(text: string): NamedDigest {
  if (typeof text !== 'string') throw argumentTypeError('text', 'a string', text);
  const colon = text.indexOf(':');
  if (colon < 0) throw storeError('DIGEST_INVALID', 'a digest is written as algorithm:hex');
  const algorithm = text.slice(0, colon);
  if (!isDigestAlgorithm(algorithm)) {
    const expected = Object.keys(DIGEST_ALGORITHMS).join(', ');
    throw storeError('DIGEST_INVALID', `unknown digest algorithm; known are ${expected}`, { details: { expected } });
  }
  const expected = 2 * DIGEST_ALGORITHMS[algorithm].digestBytes;
  const actual = text.length - colon - 1;
  if (actual !== expected) {
    const message = `a ${algorithm} digest has ${expected} hex digits, not ${actual}`;
    throw storeError('DIGEST_INVALID', message, { details: { expected, actual } });
  }
  const hex = text.slice(colon + 1);
  // Buffer stops silently at the first thing that is no hex digit, and takes upper case.
  if (!LOWER_HEX.test(hex)) throw storeError('DIGEST_INVALID', 'a digest is written in lower-case hex digits only');
  return { algorithm, digest: asDigest(new Uint8Array(Buffer.from(hex, 'hex')), algorithm) };
}
