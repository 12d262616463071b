/**
 * Signatures: Ed25519 (RFC 8032, small and fast) and ML-DSA-87 (FIPS 204, large and safe from quantum computers). A
 * pair is kept as its 32-byte seed. Messages are signed as they are, without a context: what is signed says itself what
 * it is.
 */

import { sign as signWith, verify as verifyWith } from 'node:crypto';
import { argumentRangeError } from '../errors/argument-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { importPublicKey, importSeed, publicKeyOf } from './asymmetric-key.ts';

/** Algorithms that sign. */
export type SignatureAlgorithm = 'ed25519' | 'ml-dsa-87';

/** Bytes of a seed, for both algorithms. */
export const SIGNATURE_SEED_BYTES = 32;
/** Bytes of a signature. */
export const SIGNATURE_BYTES: Readonly<Record<SignatureAlgorithm, number>> = { ed25519: 64, 'ml-dsa-87': 4627 };

/** A public key and the algorithm it is for. */
export interface VerifyingKey {
  readonly algorithm: SignatureAlgorithm;
  /** Raw: 32 bytes of Ed25519, 2592 of ML-DSA-87. */
  readonly publicKey: Uint8Array;
}

/** One pair, ready to sign. */
export interface Signer extends VerifyingKey {
  /**
   * Signs a message, which is read before the call returns. Ed25519 gives the same signature every time, ML-DSA-87
   * another one (it is hedged with randomness of the system).
   * @returns 64 bytes of Ed25519 or 4627 of ML-DSA-87
   * @throws TypeError when the message is no `Uint8Array`
   */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * Expands a seed into a signer.
 * @param seed 32 bytes of full randomness (`createKeySeed(algorithm, random)`); copied
 * @throws TypeError or RangeError for an unknown algorithm or a seed of another type or length
 * @see RFC 8032, section 5.1.5; FIPS 204, algorithm 6
 */
export function createSigner(algorithm: SignatureAlgorithm, seed: Uint8Array): Signer {
  const privateKey = importSeed(checkAlgorithm(algorithm), seed);
  return {
    algorithm,
    publicKey: publicKeyOf(algorithm, privateKey),
    sign: (message) => new Uint8Array(signWith(null, checkBytes('message', message), privateKey)),
  };
}

/**
 * Tells whether a signature is one of this key over this message.
 * @returns false for any other bytes, those of another length included
 * @throws TypeError for what is no `Uint8Array`, RangeError for an unknown algorithm, `invalid/CREDENTIAL_INVALID` when
 *   the public key has a wrong length
 * @see RFC 8032, section 5.1.7; FIPS 204, algorithm 3
 */
export function verifySignature(key: VerifyingKey, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = importPublicKey(checkAlgorithm(key.algorithm), key.publicKey);
  return verifyWith(null, checkBytes('message', message), publicKey, checkBytes('signature', signature));
}

// Key pairs of other algorithms would be taken here and fail later, without a word on why.
function checkAlgorithm(algorithm: SignatureAlgorithm): SignatureAlgorithm {
  if (Object.hasOwn(SIGNATURE_BYTES, algorithm)) return algorithm;
  throw argumentRangeError('algorithm', Object.keys(SIGNATURE_BYTES).join(' or '), algorithm);
}
