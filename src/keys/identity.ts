import { z } from 'zod';
import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { copyBytes, equalBytes, fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { createKemKeyPair } from '../crypto/kem.ts';
import { createSigner } from '../crypto/signature.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { base64Bytes } from './base64-schema.ts';
import { conceal, wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { formatDocument, parseDocument } from './json-document.ts';
import {
  IDENTITY_ALGORITHMS,
  type IdentityAlgorithm,
  isIdentityAlgorithm,
  type PublicIdentity,
  publicIdentity,
} from './public-identity.ts';
import { refuseWriterCredential } from './refuse-writer.ts';
import { createSecretFile, parseSecretFile, type SecretFileOptions } from './secret-file.ts';

const TYPE = 'holdfast identity';
const VERSION = 1;
const WHAT = 'an identity';

/** Bytes of a seed: FIPS 203, section 7.1 (`d ‖ z`); FIPS 204, section 6.1; RFC 8032, section 5.1.5. */
export const IDENTITY_SEED_BYTES: Readonly<Record<IdentityAlgorithm, number>> = {
  'ml-kem-1024': 64,
  'ml-dsa-87': 32,
  ed25519: 32,
};

/** How a seed is written down. */
export type SeedEncoding = 'hex' | 'base64';

/**
 * A key pair that somebody holds: an ML-KEM-1024 one opens the stores it is a recipient of, the others sign. Everything
 * follows from the seed. Shows nothing secret when it is logged or made JSON.
 */
export class Identity implements PublicIdentity {
  readonly algorithm: IdentityAlgorithm;
  readonly publicKey: Uint8Array;
  readonly fingerprint: string;
  readonly #seed: Uint8Array;

  /**
   * @param seed copied
   * @throws `invalid/CREDENTIAL_INVALID` for a seed of the wrong length
   */
  constructor(algorithm: IdentityAlgorithm, seed: Uint8Array) {
    const expected = seedBytesOf(algorithm);
    if (seed.length !== expected) {
      throw credentialError(WHAT, `the seed of ${algorithm} has ${expected} bytes`, { size: seed.length });
    }
    const { publicKey, fingerprint } = publicIdentity(algorithm, publicKeyOf(algorithm, seed));
    this.algorithm = algorithm;
    this.publicKey = publicKey;
    this.fingerprint = fingerprint;
    this.#seed = copyBytes(seed);
    conceal(this, `[Identity ${algorithm} ${fingerprint}]`);
  }

  /** A copy of the seed: 64 bytes for ML-KEM-1024, 32 for the others. Secret. */
  get seed(): Uint8Array {
    return copyBytes(this.#seed);
  }
}

/** Whether a value is an identity with its seed. */
export function isIdentity(value: unknown): value is Identity {
  return value instanceof Identity;
}

function seedBytesOf(algorithm: IdentityAlgorithm): number {
  if (isIdentityAlgorithm(algorithm)) return IDENTITY_SEED_BYTES[algorithm];
  throw argumentTypeError('algorithm', IDENTITY_ALGORITHMS.join(', '), algorithm);
}

function publicKeyOf(algorithm: IdentityAlgorithm, seed: Uint8Array): Uint8Array {
  return algorithm === 'ml-kem-1024' ? createKemKeyPair(seed).publicKey : createSigner(algorithm, seed).publicKey;
}

/** Makes an identity from fresh randomness. @throws TypeError for an unknown algorithm */
export function generateIdentity(algorithm: IdentityAlgorithm, random: RandomBytes): Identity {
  const seed = random(seedBytesOf(algorithm));
  const identity = new Identity(algorithm, seed);
  wipe(seed);
  return identity;
}

const identitySchema = z.strictObject({
  type: z.literal(TYPE),
  version: z.literal(VERSION),
  algorithm: z.enum(IDENTITY_ALGORITHMS),
  seed: z.string(),
  publicKey: z.string(),
  fingerprint: z.string(),
});

/** The text form of an identity, one JSON document. As secret as the identity. */
export function formatIdentity(identity: Identity): string {
  const { algorithm, seed, publicKey, fingerprint } = identity;
  return formatDocument({
    type: TYPE,
    version: VERSION,
    algorithm,
    seed: toBase64(seed),
    publicKey: toBase64(publicKey),
    fingerprint,
  });
}

/**
 * Reads the text form of an identity, and makes sure that its public key belongs to its seed.
 * @throws `invalid/CREDENTIAL_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseIdentity(document: string | Uint8Array): Identity {
  const { algorithm, ...parts } = parseDocument(document, identitySchema, WHAT);
  const seed = base64Bytes(IDENTITY_SEED_BYTES[algorithm]).safeParse(parts.seed);
  if (!seed.success) throw credentialError(WHAT, 'wrong or missing: seed');
  const identity = new Identity(algorithm, seed.data);
  wipe(seed.data);
  const publicKey = fromBase64(parts.publicKey);
  const isWhole = publicKey && equalBytes(publicKey, identity.publicKey) && parts.fingerprint === identity.fingerprint;
  if (!isWhole) throw credentialError(WHAT, 'public key and fingerprint do not belong to its seed');
  return identity;
}

/** The seed as text, for paper and other programs. Secret. */
export function exportSeed(identity: Identity, encoding: SeedEncoding): string {
  return encoding === 'hex' ? toHex(identity.seed) : toBase64(identity.seed);
}

/**
 * Makes an identity of a seed: bytes, or text in hex or base64.
 * @throws `invalid/CREDENTIAL_INVALID`; TypeError for an unknown algorithm
 */
export function importSeed(algorithm: IdentityAlgorithm, seed: Uint8Array | string): Identity {
  if (typeof seed !== 'string') return new Identity(algorithm, seed);
  const text = seed.trim();
  // Of the lengths that seeds have, no base64 is as long as hex.
  const isHex = text.length === 2 * seedBytesOf(algorithm);
  const bytes = isHex ? fromHex(text.toLowerCase()) : fromBase64(text);
  if (!bytes) throw credentialError('a seed', 'it is neither hex nor base64');
  try {
    return new Identity(algorithm, bytes);
  } finally {
    wipe(bytes);
  }
}

/**
 * Reads an identity file.
 * @throws `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED`,
 *   `denied/PERMISSION_DENIED`, `denied/WRITE_ONLY` for the credential of a put-only writer
 */
export function readIdentity(path: string, options: SecretFileOptions = {}): Promise<Identity> {
  const parse = (bytes: Uint8Array): Identity => {
    refuseWriterCredential(bytes);
    return parseIdentity(bytes);
  };
  return parseSecretFile(path, { what: WHAT, parse }, options);
}

/**
 * Writes an identity to a file of its own: mode 0600, durable, never over something else.
 * @throws `invalid/LOCATION_INVALID` when there is something at the path; `denied/PERMISSION_DENIED`
 */
export async function writeIdentity(path: string, identity: Identity, options: SecretFileOptions = {}): Promise<void> {
  const bytes = utf8Encode(formatIdentity(identity));
  try {
    await createSecretFile(path, bytes, options);
  } finally {
    wipe(bytes);
  }
}
