/**
 * Authenticated encryption with AES-256-GCM: 96-bit nonces, 128-bit tags, nothing else (NIST SP 800-38D; the AEAD of
 * RFC 5116, section 5.2). Stateless: the caller makes sure that no nonce is used twice under one key, because two seals
 * under one pair give away the difference of their plaintexts and the means to forge. GCM does not commit to its key:
 * what must be tied to one key needs a MAC of its own.
 */

import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  KeyObject,
} from 'node:crypto';
import { argumentRangeError } from '../errors/argument-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';

/** Bytes of a key: AES-256. */
export const AEAD_KEY_BYTES = 32;
/** Bytes of a nonce: 96 bits, the one length that GCM does not hash first (SP 800-38D, section 5.2.1.1). */
export const AEAD_NONCE_BYTES = 12;
/** Bytes of a tag: the longest GCM knows. */
export const AEAD_TAG_BYTES = 16;

const CIPHER = 'aes-256-gcm';
const OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const;

/**
 * A key made ready for many calls: making it so costs a third of sealing a few bytes. Node wipes it when it is
 * collected.
 */
export type AeadKey = KeyObject;

/** What a seal is made with beside its key. */
export interface AeadFrame {
  /** 12 bytes, never the same twice under one key. */
  readonly nonce: Uint8Array;
  /** Bytes that are authenticated but not sealed; default none. */
  readonly aad?: Uint8Array;
}

/** What a seal is opened with beside its key. */
export interface SealedFrame extends AeadFrame {
  /** 16 bytes, as `sealAead` gave them. */
  readonly tag: Uint8Array;
}

/** What sealing gives. */
export interface SealedBytes {
  /** As long as the plaintext. */
  readonly sealed: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

/**
 * Makes a key ready for many calls of `sealAead` and `openAead`.
 * @param key 32 bytes; copied
 * @throws TypeError for what is no `Uint8Array`, RangeError for a key of another length
 */
export function prepareAeadKey(key: Uint8Array): AeadKey {
  const { length } = checkBytes('key', key);
  if (length !== AEAD_KEY_BYTES) throw argumentRangeError('key.length', `${AEAD_KEY_BYTES} bytes`, length);
  // From a byte array the ciphers make the same object in 12 µs, by a path that other kinds of keys need.
  return createSecretKey(key);
}

/**
 * Seals bytes. Synchronous and stateless; no argument is kept or changed, the results are in memory of their own. On
 * Node 24 a call costs about 5 µs and then 0.3 ms per MiB.
 * @param key 32 bytes, or what `prepareAeadKey` made of them
 * @throws TypeError for what is no `Uint8Array`, RangeError for a key or nonce of another length
 * @see NIST SP 800-38D, section 7.1
 */
export function sealAead(key: Uint8Array | AeadKey, frame: AeadFrame, plain: Uint8Array): SealedBytes {
  const cipher = createCipheriv(CIPHER, keyObject(key), checkedNonce(frame.nonce), OPTIONS);
  addAad(cipher, frame.aad);
  const sealed = asPlainArray(cipher.update(checkBytes('plain', plain)));
  // GCM is a stream: `update` has given every byte, `final` only ends the tag.
  cipher.final();
  return { sealed, tag: asPlainArray(cipher.getAuthTag()) };
}

/**
 * Opens what `sealAead` made. The tag is compared in constant time, and no byte is returned before it proved right.
 * Costs as sealing.
 * @param key 32 bytes, or what `prepareAeadKey` made of them
 * @returns the plaintext in memory of its own, or `undefined` when key, nonce, AAD, tag and bytes do not belong
 *   together; a tag of another length never does
 * @throws TypeError for what is no `Uint8Array`, RangeError for a key or nonce of another length
 * @see NIST SP 800-38D, section 7.2
 */
export function openAead(key: Uint8Array | AeadKey, frame: SealedFrame, sealed: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv(CIPHER, keyObject(key), checkedNonce(frame.nonce), OPTIONS);
  // Shorter tags are legal GCM and easier to forge, so the length is ours to hold.
  if (checkBytes('tag', frame.tag).length !== AEAD_TAG_BYTES) return undefined;
  decipher.setAuthTag(frame.tag);
  addAad(decipher, frame.aad);
  const plain = asPlainArray(decipher.update(checkBytes('sealed', sealed)));
  if (isAuthentic(decipher)) return plain;
  // What was decrypted is an attacker's choice or nobody's: it must not linger where a later mistake could show it.
  plain.fill(0);
  return undefined;
}

function isAuthentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final();
    return true;
  } catch (error) {
    // The one thing that the last step of GCM can find; Node gives it no code.
    if (error instanceof Error && error.message.includes('unable to authenticate')) return false;
    throw error;
  }
}

function keyObject(key: Uint8Array | AeadKey): AeadKey {
  return key instanceof KeyObject ? key : prepareAeadKey(key);
}

function checkedNonce(nonce: Uint8Array): Uint8Array {
  const { length } = checkBytes('nonce', nonce);
  if (length !== AEAD_NONCE_BYTES) throw argumentRangeError('nonce.length', `${AEAD_NONCE_BYTES} bytes`, length);
  return nonce;
}

function addAad(cipher: CipherGCM | DecipherGCM, aad: Uint8Array | undefined): void {
  if (aad !== undefined) cipher.setAAD(checkBytes('aad', aad));
}

function asPlainArray(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
