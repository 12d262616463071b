/**
 * Key pairs as the two byte strings that Holdfast keeps, the seed and the raw public key, and as Node's key objects.
 * The way between them is DER with fixed prefixes, which every Node with these algorithms reads: PKCS #8 (RFC 5958) in
 * its seed-only form (ML-DSA: RFC 9881, section 6; ML-KEM: draft-ietf-lamps-kyber-certificates, section 6; Ed25519: RFC
 * 8410, section 7), and SubjectPublicKeyInfo of the same documents.
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concatBytes, fromHex } from '../bytes/bytes.ts';
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import type { RandomBytes } from '../runtime/random.ts';

/** Algorithms of key pairs, as named in texts and fingerprints. */
export type KeyAlgorithm = 'ml-kem-1024' | 'ed25519' | 'ml-dsa-87';

interface KeyForm {
  /** Bytes of the seed, from which everything else follows. */
  readonly seedBytes: number;
  /** Bytes of the raw public key. */
  readonly publicKeyBytes: number;
  /** PKCS #8 up to the seed. */
  readonly pkcs8: Uint8Array;
  /** SubjectPublicKeyInfo up to the raw public key. */
  readonly spki: Uint8Array;
}

const FORMS: Readonly<Record<KeyAlgorithm, KeyForm>> = {
  // FIPS 203: d ‖ z; OID 2.16.840.1.101.3.4.4.3
  'ml-kem-1024': {
    seedBytes: 64,
    publicKeyBytes: 1568,
    pkcs8: der('3054020100300b060960864801650304040304428040'),
    spki: der('30820632300b06096086480165030404030382062100'),
  },
  // RFC 8032; OID 1.3.101.112
  ed25519: {
    seedBytes: 32,
    publicKeyBytes: 32,
    pkcs8: der('302e020100300506032b657004220420'),
    spki: der('302a300506032b6570032100'),
  },
  // FIPS 204: xi; OID 2.16.840.1.101.3.4.3.19
  'ml-dsa-87': {
    seedBytes: 32,
    publicKeyBytes: 2592,
    pkcs8: der('3034020100300b060960864801650304031304228020'),
    spki: der('30820a32300b060960864801650304031303820a2100'),
  },
};

function der(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  invariant(bytes, 'a DER prefix is hex');
  return bytes;
}

function formOf(algorithm: KeyAlgorithm): KeyForm {
  if (typeof algorithm !== 'string') throw argumentTypeError('algorithm', 'a string', algorithm);
  if (!Object.hasOwn(FORMS, algorithm)) {
    throw argumentRangeError('algorithm', Object.keys(FORMS).join(', '), algorithm);
  }
  return FORMS[algorithm];
}

/**
 * Draws the seed of a new key pair: 64 bytes for ML-KEM-1024, 32 for signatures. It is the whole secret.
 * @throws TypeError or RangeError for an unknown algorithm
 */
export function createKeySeed(algorithm: KeyAlgorithm, random: RandomBytes): Uint8Array {
  const { seedBytes } = formOf(algorithm);
  const seed = random(seedBytes);
  invariant(seed.length === seedBytes, 'a source of randomness gives as many bytes as asked for');
  return seed;
}

/** Turns a seed into the private key it stands for. The seed is copied. */
export function importSeed(algorithm: KeyAlgorithm, seed: Uint8Array): KeyObject {
  const { seedBytes, pkcs8 } = formOf(algorithm);
  const { length } = checkBytes('seed', seed);
  if (length !== seedBytes) throw argumentRangeError('seed.length', `${seedBytes} bytes`, length);
  const encoded = asBuffer(concatBytes([pkcs8, seed]));
  try {
    return createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
  } finally {
    encoded.fill(0);
  }
}

/**
 * Checks that a public key from outside is as long as those of its algorithm.
 * @throws TypeError when it is no `Uint8Array`, `invalid/CREDENTIAL_INVALID` when it has another length
 */
export function checkPublicKeyLength(algorithm: KeyAlgorithm, publicKey: Uint8Array): void {
  const { publicKeyBytes } = formOf(algorithm);
  const { length: size } = checkBytes('publicKey', publicKey);
  if (size === publicKeyBytes) return;
  const message = `a public key of ${algorithm} has ${publicKeyBytes} bytes, not ${size}`;
  throw storeError('CREDENTIAL_INVALID', message, { details: { size } });
}

/** Turns a raw public key into a key object. Throws as `checkPublicKeyLength`. */
export function importPublicKey(algorithm: KeyAlgorithm, publicKey: Uint8Array): KeyObject {
  checkPublicKeyLength(algorithm, publicKey);
  const { spki } = formOf(algorithm);
  return createPublicKey({ key: asBuffer(concatBytes([spki, publicKey])), format: 'der', type: 'spki' });
}

/** The raw public key of a pair. */
export function publicKeyOf(algorithm: KeyAlgorithm, privateKey: KeyObject): Uint8Array {
  const { spki, publicKeyBytes } = formOf(algorithm);
  const encoded = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  invariant(encoded.length === spki.length + publicKeyBytes, 'a public key has the length of its algorithm');
  return new Uint8Array(encoded.subarray(spki.length));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
