import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { concatBytes, copyBytes, equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { fingerprint } from '../crypto/fingerprint.ts';
import { checkKemPublicKey } from '../crypto/kem.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { blake3 } from '../hash/index.ts';
import { credentialError } from './credential-error.ts';

/** What an identity does: open stores (ML-KEM, FIPS 203), or sign (ML-DSA, FIPS 204; Ed25519, RFC 8032). */
export const IDENTITY_ALGORITHMS = ['ml-kem-1024', 'ml-dsa-87', 'ed25519'] as const;
/** One of {@link IDENTITY_ALGORITHMS}. */
export type IdentityAlgorithm = (typeof IDENTITY_ALGORITHMS)[number];

/** The public half of an identity. */
export interface PublicIdentity {
  readonly algorithm: IdentityAlgorithm;
  readonly publicKey: Uint8Array;
  /** Names algorithm and key to people: 32 hex digits. */
  readonly fingerprint: string;
}

const PUBLIC_KEY_BYTES: Readonly<Record<IdentityAlgorithm, number>> = {
  'ml-kem-1024': 1568,
  'ml-dsa-87': 2592,
  ed25519: 32,
};

const CHECK_BYTES = 4;

/** First word of the line, by what the identity does. */
const RECIPIENT = 'holdfast-recipient-1';
const SIGNER = 'holdfast-signer-1';

function firstWord(algorithm: IdentityAlgorithm): string {
  return algorithm === 'ml-kem-1024' ? RECIPIENT : SIGNER;
}

/** Whether a text names an algorithm of identities. */
export function isIdentityAlgorithm(text: unknown): text is IdentityAlgorithm {
  return (IDENTITY_ALGORITHMS as readonly unknown[]).includes(text);
}

/**
 * A public key as an identity, checked: its length, and for ML-KEM that it is one (FIPS 203, section 7.2).
 * @throws `invalid/CREDENTIAL_INVALID`
 */
export function publicIdentity(algorithm: IdentityAlgorithm, publicKey: Uint8Array): PublicIdentity {
  const what = `a public key for ${algorithm}`;
  if (!isIdentityAlgorithm(algorithm)) throw argumentTypeError('algorithm', IDENTITY_ALGORITHMS.join(', '), algorithm);
  if (publicKey.length !== PUBLIC_KEY_BYTES[algorithm]) {
    throw credentialError(what, `it has ${publicKey.length} bytes`, { size: publicKey.length });
  }
  if (algorithm === 'ml-kem-1024') checkKemPublicKey(publicKey);
  return { algorithm, publicKey: copyBytes(publicKey), fingerprint: fingerprint(algorithm, publicKey) };
}

/**
 * One line of text: `holdfast-recipient-1 ml-kem-1024 <base64>`, or `holdfast-signer-1 <algorithm> <base64>`, of the
 * key and a check of everything in front of it. Layout in `docs/format.md`, section "Files of keys".
 */
export function formatPublicIdentity({ algorithm, publicKey }: PublicIdentity): string {
  return frontOf(algorithm) + toBase64(concatBytes([publicKey, checkOf(algorithm, publicKey)]));
}

function frontOf(algorithm: IdentityAlgorithm): string {
  return `${firstWord(algorithm)} ${algorithm} `;
}

/** Against mistyped lines: one may still be a key, and would let in nobody. */
function checkOf(algorithm: IdentityAlgorithm, publicKey: Uint8Array): Uint8Array {
  return blake3(concatBytes([utf8Encode(frontOf(algorithm)), publicKey])).subarray(0, CHECK_BYTES);
}

/**
 * Reads the line of a public identity; white space around it is let pass.
 * @throws `invalid/CREDENTIAL_INVALID`, for a typing error too
 */
export function parsePublicIdentity(text: string): PublicIdentity {
  const what = 'a recipient or signer';
  if (typeof text !== 'string') throw argumentTypeError('text', 'the line of a recipient or signer', text);
  const [word, algorithm, encoded, ...more] = text.trim().split(' ');
  if (!isIdentityAlgorithm(algorithm) || word !== firstWord(algorithm) || more.length > 0) {
    throw credentialError(what, `it must be a line of three words, the first ${RECIPIENT} or ${SIGNER}`);
  }
  const bytes = fromBase64(encoded ?? '');
  if (!bytes) throw credentialError(what, 'its key is no base64');
  const expected = PUBLIC_KEY_BYTES[algorithm] + CHECK_BYTES;
  if (bytes.length !== expected) {
    throw credentialError(what, 'a part of it is missing, or there is too much', { size: bytes.length, expected });
  }
  const publicKey = bytes.subarray(0, -CHECK_BYTES);
  if (!equalBytes(checkOf(algorithm, publicKey), bytes.subarray(-CHECK_BYTES))) {
    throw credentialError(what, 'it has a typing error: its check does not fit');
  }
  return publicIdentity(algorithm, publicKey);
}

/**
 * Reads the line of a recipient.
 * @throws `invalid/CREDENTIAL_INVALID`, for a signer too: it opens nothing
 */
export function parseRecipient(text: string): PublicIdentity {
  const identity = parsePublicIdentity(text);
  if (identity.algorithm === 'ml-kem-1024') return identity;
  throw credentialError('a recipient', 'its key signs', { actual: identity.algorithm });
}
