/** `holdfast/crypto`: what sealing is made of, alone: AES-256-GCM, keys from secrets, key pairs, signatures, shares. */

export type { RandomBytes } from '../runtime/random.ts';
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadFrame,
  type AeadKey,
  openAead,
  prepareAeadKey,
  type SealedBytes,
  type SealedFrame,
  sealAead,
} from './aead.ts';
export {
  ARGON2_DEFAULT,
  type Argon2Cost,
  type Argon2Options,
  type Argon2Parameters,
  argon2id,
  checkArgon2,
} from './argon2.ts';
export { createKeySeed, type KeyAlgorithm } from './asymmetric-key.ts';
export { ENVELOPE_OVERHEAD_BYTES, EnvelopeOpener, EnvelopeSealer, type EnvelopeSealerOptions } from './envelope.ts';
export { fingerprint } from './fingerprint.ts';
export { type HkdfOptions, hkdfSha256, hkdfSha512 } from './kdf.ts';
export {
  checkKemPublicKey,
  createKemKeyPair,
  type Encapsulated,
  encapsulate,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SEED_BYTES,
  KEM_SHARED_KEY_BYTES,
  type KemKeyPair,
} from './kem.ts';
export { padmeBytes } from './padme.ts';
export { combineShares, type SplitOptions, splitSecret } from './secret-sharing.ts';
export {
  createSigner,
  SIGNATURE_BYTES,
  SIGNATURE_SEED_BYTES,
  type SignatureAlgorithm,
  type Signer,
  type VerifyingKey,
  verifySignature,
} from './signature.ts';
