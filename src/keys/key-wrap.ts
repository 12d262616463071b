/**
 * The keys above the ring: from a secret to the seed of a slot, from the slot's pair to the master key, from the master
 * key to the ring and the MAC of the config. Everything below the ring is in `format/key-schedule.ts`; layout in
 * `docs/format.md`, section "Slots".
 *
 * Invariant: what is sealed says in its AAD what it is, and where: the store, the slot, its type and everything else
 * that the slot says of it. No key here seals twice, so the nonce is zero: each comes of a fresh salt or encapsulation.
 */

import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { openAead, sealAead } from '../crypto/aead.ts';
import { hkdfSha256 } from '../crypto/kdf.ts';
import { type CborValue, encodeCbor } from '../format/cbor.ts';
import { wipe } from './conceal.ts';

/** Part of the format: none ever changes, and no two are equal. */
const LABELS = {
  passphraseSeed: 'holdfast slot seed passphrase v1',
  keyFileSeed: 'holdfast slot seed key-file v1',
  masterKey: 'holdfast slot master key v1',
  ring: 'holdfast ring key v1',
  configMac: 'holdfast config mac v1',
} as const;

/** What a derived key is for. */
export type WrapPurpose = keyof typeof LABELS;

const TAG_BYTES = 16;
const ZERO_NONCE = new Uint8Array(12);

/** Derives the key for one purpose: HKDF-SHA256 under the purpose's own label. To be wiped by the caller. */
export function deriveKey(secret: Uint8Array, purpose: WrapPurpose, salt?: Uint8Array): Uint8Array {
  return hkdfSha256(secret, { info: utf8Encode(LABELS[purpose]), ...(salt && { salt }) });
}

/** AAD: the purpose's label and what else the sealed bytes are bound to, in one CBOR array. */
export function bindTo(purpose: WrapPurpose, place: readonly CborValue[]): Uint8Array {
  return encodeCbor([LABELS[purpose], ...place]);
}

/**
 * Wraps one secret under a key that wraps nothing else, and wipes that key.
 * @returns ciphertext and tag
 */
export function wrap(key: Uint8Array, aad: Uint8Array, secret: Uint8Array): Uint8Array {
  const { sealed, tag } = sealAead(key, { nonce: ZERO_NONCE, aad }, secret);
  wipe(key);
  return concatBytes([sealed, tag]);
}

/** Unwraps what `wrap` made, and wipes the key. @returns `undefined` when it does not authenticate */
export function unwrap(key: Uint8Array, aad: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  const end = wrapped.length - TAG_BYTES;
  const frame = { nonce: ZERO_NONCE, aad, tag: wrapped.subarray(end) };
  const secret = openAead(key, frame, wrapped.subarray(0, end));
  wipe(key);
  return secret;
}
