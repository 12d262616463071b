/**
 * ML-KEM-1024 (FIPS 203): with a public key anyone makes a fresh shared key and a ciphertext that only the holder of
 * the seed turns into the same shared key. It stays secret from quantum computers as well. A pair is kept as its
 * 64-byte seed.
 *
 * Ciphertexts do not authenticate: a wrong one of the right length decapsulates to another, unpredictable shared key
 * (implicit rejection), so what the shared key seals is what tells.
 */

import { decapsulate, encapsulate as encapsulateTo } from 'node:crypto';
import { argumentRangeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { checkPublicKeyLength, importPublicKey, importSeed, publicKeyOf } from './asymmetric-key.ts';

/** Bytes of a seed: d ‖ z of FIPS 203, algorithm 19. */
export const KEM_SEED_BYTES = 64;
/** Bytes of a public key: the encapsulation key. */
export const KEM_PUBLIC_KEY_BYTES = 1568;
/** Bytes of a ciphertext. */
export const KEM_CIPHERTEXT_BYTES = 1568;
/** Bytes of a shared key. */
export const KEM_SHARED_KEY_BYTES = 32;

const COEFFICIENT_COUNT = 4 * 256;
const COEFFICIENT_END = 3329;

/** One pair, ready for use. */
export interface KemKeyPair {
  /** 1568 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * Turns a ciphertext into the shared key it was made with; about 50 µs.
   * @param ciphertext 1568 bytes
   * @returns 32 bytes; of no use when the ciphertext was made for another public key
   * @throws TypeError when it is no `Uint8Array`, RangeError when it has another length
   * @see FIPS 203, section 7.3
   */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
}

/** What encapsulating gives. */
export interface Encapsulated {
  /** 1568 bytes, public. */
  readonly ciphertext: Uint8Array;
  /** 32 bytes, secret. */
  readonly sharedKey: Uint8Array;
}

/**
 * Expands a seed into its pair; about 0.1 ms, so pairs are kept.
 * @param seed 64 bytes of full randomness (`createKeySeed('ml-kem-1024', random)`); copied
 * @throws TypeError when it is no `Uint8Array`, RangeError when it has another length
 * @see FIPS 203, section 7.1
 */
export function createKemKeyPair(seed: Uint8Array): KemKeyPair {
  const privateKey = importSeed('ml-kem-1024', seed);
  return {
    publicKey: publicKeyOf('ml-kem-1024', privateKey),
    decapsulate: (ciphertext) => {
      const { length } = checkBytes('ciphertext', ciphertext);
      if (length !== KEM_CIPHERTEXT_BYTES) {
        throw argumentRangeError('ciphertext.length', `${KEM_CIPHERTEXT_BYTES} bytes`, length);
      }
      return new Uint8Array(decapsulate(privateKey, ciphertext));
    },
  };
}

/**
 * Makes a fresh shared key for the holder of a public key, with randomness of the system; about 0.1 ms.
 * @param publicKey 1568 bytes; checked as `checkKemPublicKey` does
 * @throws TypeError when it is no `Uint8Array`, `invalid/CREDENTIAL_INVALID` when it is no public key
 * @see FIPS 203, section 7.2
 */
export function encapsulate(publicKey: Uint8Array): Encapsulated {
  checkKemPublicKey(publicKey);
  const { ciphertext, sharedKey } = encapsulateTo(importPublicKey('ml-kem-1024', publicKey));
  return { ciphertext: new Uint8Array(ciphertext), sharedKey: new Uint8Array(sharedKey) };
}

/**
 * Checks a public key that comes from outside: its length, and that it encodes no coefficient beyond the modulus.
 * OpenSSL 3.5 refuses such keys as well, with an error that does not tell why.
 * @throws TypeError when it is no `Uint8Array`, `invalid/CREDENTIAL_INVALID` when it is no public key
 * @see FIPS 203, section 7.2, "modulus check"
 */
export function checkKemPublicKey(publicKey: Uint8Array): void {
  checkPublicKeyLength('ml-kem-1024', publicKey);
  if (!isReduced(publicKey)) {
    throw storeError('CREDENTIAL_INVALID', 'a public key of ML-KEM-1024 has a coefficient beyond the modulus');
  }
}

/** The key begins with 1024 coefficients of 12 bits, two in three bytes, little-endian (ByteEncode_12). */
function isReduced(publicKey: Uint8Array): boolean {
  const end = (COEFFICIENT_COUNT * 12) / 8;
  for (let offset = 0; offset < end; offset += 3) {
    const middle = publicKey[offset + 1] as number;
    const first = (publicKey[offset] as number) | ((middle & 15) << 8);
    const second = (middle >> 4) | ((publicKey[offset + 2] as number) << 4);
    if (first >= COEFFICIENT_END || second >= COEFFICIENT_END) return false;
  }
  return true;
}
