/**
 * Envelopes: many small seals under one long-lived key, by any number of processes, without a counter on disk (a stored
 * counter would repeat after a restore from a backup, and a repeated nonce breaks GCM).
 *
 *     salt (16, random, per sealer) ‖ counter (u64, little-endian) ‖ ciphertext (as long as the plaintext) ‖ tag (16)
 *
 * Each sealer derives a key of its own, HKDF-SHA256(key, salt, "holdfast envelope v1"), and counts in memory: the nonce
 * is the counter and four zeros. A pair of key and nonce repeats only when two salts of 128 random bits are the same,
 * or when the memory of a running process is copied and both copies go on (a resumed snapshot of a virtual machine).
 */

import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { ENVELOPE_KEYS_CACHED_MAX, ENVELOPE_SEALS_PER_SALT } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadKey,
  openAead,
  prepareAeadKey,
  sealAead,
} from './aead.ts';
import { hkdfSha256 } from './kdf.ts';

const SALT_BYTES = 16;
const COUNTER_BYTES = 8;
const HEADER_BYTES = SALT_BYTES + COUNTER_BYTES;

/** What an envelope adds to the length of its content. */
export const ENVELOPE_OVERHEAD_BYTES = HEADER_BYTES + AEAD_TAG_BYTES;

/** How an `EnvelopeSealer` goes about it. */
export interface EnvelopeSealerOptions {
  /** Seals after which a fresh salt is taken; default and most 2^32. */
  readonly sealsPerSalt?: number;
}

/** What a sealer does under one salt. */
interface SealerRun {
  readonly salt: Uint8Array;
  readonly key: AeadKey;
  counter: number;
}

/** Seals envelopes under one key; made once and kept, because making one costs a key derivation. */
export class EnvelopeSealer {
  readonly #key: Uint8Array;
  readonly #random: RandomBytes;
  readonly #sealsPerSalt: number;
  #run: SealerRun;

  /**
   * @param key key material of full strength, 32 bytes; copied
   * @throws TypeError when the key is no `Uint8Array`, RangeError when it has another length or for `sealsPerSalt`
   */
  constructor(key: Uint8Array, random: RandomBytes, options: EnvelopeSealerOptions = {}) {
    const { sealsPerSalt = ENVELOPE_SEALS_PER_SALT } = options;
    this.#sealsPerSalt = checkInteger('sealsPerSalt', sealsPerSalt, { min: 1, max: ENVELOPE_SEALS_PER_SALT });
    this.#key = copiedKey(key);
    this.#random = random;
    this.#run = startRun(this.#key, random);
  }

  /**
   * Seals bytes: `ENVELOPE_OVERHEAD_BYTES` more than they are.
   * @param aad bytes that must be given again to open; default none
   * @returns the envelope, in memory of its own
   * @throws TypeError for what is no `Uint8Array`
   */
  seal(plain: Uint8Array, aad?: Uint8Array): Uint8Array {
    if (this.#run.counter === this.#sealsPerSalt) this.#run = startRun(this.#key, this.#random);
    const run = this.#run;
    const envelope = new Uint8Array(checkBytes('plain', plain).length + ENVELOPE_OVERHEAD_BYTES);
    envelope.set(run.salt);
    // Below 2^32, so the upper half of the u64 stays zero.
    new DataView(envelope.buffer).setUint32(SALT_BYTES, run.counter, true);
    // Counted before it is used: a seal that fails half-way must not leave its nonce to the next one.
    run.counter += 1;
    const { sealed, tag } = sealAead(run.key, { nonce: nonceOf(envelope), ...(aad && { aad }) }, plain);
    envelope.set(sealed, HEADER_BYTES);
    envelope.set(tag, HEADER_BYTES + sealed.length);
    return envelope;
  }
}

/** Opens the envelopes of all sealers of one key. Keeps the derived keys of the salts it met last, up to 256. */
export class EnvelopeOpener {
  readonly #key: Uint8Array;
  /** By salt as Latin-1; the one used last stands last. */
  readonly #derived = new Map<string, AeadKey>();

  /**
   * @param key as the sealers had it; copied
   * @throws TypeError when the key is no `Uint8Array`, RangeError when it has another length
   */
  constructor(key: Uint8Array) {
    this.#key = copiedKey(key);
  }

  /**
   * Opens an envelope.
   * @param aad as it was sealed with
   * @returns the content in memory of its own, or `undefined` when these bytes were not sealed under this key and AAD
   * @throws TypeError for what is no `Uint8Array`
   */
  open(envelope: Uint8Array, aad?: Uint8Array): Uint8Array | undefined {
    if (checkBytes('envelope', envelope).length < ENVELOPE_OVERHEAD_BYTES) return undefined;
    const salt = envelope.subarray(0, SALT_BYTES);
    const name = latin1(salt);
    const derived = this.#derived.get(name) ?? deriveKey(this.#key, salt);
    const tag = envelope.subarray(envelope.length - AEAD_TAG_BYTES);
    const sealed = envelope.subarray(HEADER_BYTES, envelope.length - AEAD_TAG_BYTES);
    const plain = openAead(derived, { nonce: nonceOf(envelope), tag, ...(aad && { aad }) }, sealed);
    // Only salts that proved true are kept, so that forged ones push nothing out.
    if (plain) this.#keep(name, derived);
    return plain;
  }

  #keep(name: string, derived: AeadKey): void {
    this.#derived.delete(name);
    this.#derived.set(name, derived);
    if (this.#derived.size <= ENVELOPE_KEYS_CACHED_MAX) return;
    const [oldest] = this.#derived;
    invariant(oldest, 'a full cache has an oldest key');
    this.#derived.delete(oldest[0]);
  }
}

function startRun(key: Uint8Array, random: RandomBytes): SealerRun {
  // Copied: a source may lend the same array again.
  const salt = new Uint8Array(random(SALT_BYTES));
  invariant(salt.length === SALT_BYTES, 'a source of randomness gives as many bytes as asked for');
  return { salt, key: deriveKey(key, salt), counter: 0 };
}

function copiedKey(key: Uint8Array): Uint8Array {
  const { length } = checkBytes('key', key);
  if (length !== AEAD_KEY_BYTES) throw argumentRangeError('key.length', `${AEAD_KEY_BYTES} bytes`, length);
  // A Buffer's slice would be a view.
  return new Uint8Array(key);
}

function deriveKey(key: Uint8Array, salt: Uint8Array): AeadKey {
  const derived = hkdfSha256(key, { salt, info: 'holdfast envelope v1' });
  const ready = prepareAeadKey(derived);
  derived.fill(0);
  return ready;
}

function nonceOf(envelope: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES);
  nonce.set(envelope.subarray(SALT_BYTES, HEADER_BYTES));
  return nonce;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
