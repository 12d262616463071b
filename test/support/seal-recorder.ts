/** Watches every AES-GCM seal of this process. */
import crypto, { type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const SLOTS = 2 ** 22;

function mix(value: number): number {
  const spread = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35) >>> 0;
}

type Words = readonly [number, number, number];

/** The first 96 bits: a nonce, or as much of a key. */
function wordsIn(bytes: Uint8Array): Words {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8)];
}

/**
 * Remembers every pair of key and nonce that anything seals with, and counts those that come again. Of each pair 64 bits
 * are kept: keys are random, so among two million pairs two different ones look alike once in some million runs.
 */
export class SealRecorder {
  readonly #marks = new Uint32Array(2 * SLOTS);
  readonly #words = new WeakMap<KeyObject, Words>();
  readonly #original = crypto.createCipheriv;
  seals = 0;
  repeated = 0;

  /** From now on; `stop` must be called. */
  start(): void {
    const { createCipheriv } = crypto;
    const record = this.#record.bind(this);
    crypto.createCipheriv = function watched(cipher: string, key: KeyObject, nonce: Uint8Array, options: object) {
      if (cipher.endsWith('gcm')) record(key, nonce);
      return createCipheriv(cipher as 'aes-256-gcm', key, nonce, options as never);
    } as typeof createCipheriv;
    syncBuiltinESMExports();
  }

  stop(): void {
    crypto.createCipheriv = this.#original;
    syncBuiltinESMExports();
  }

  /** The first words of a key, which is exported once: most keys seal many times. */
  #wordsOf(key: KeyObject): Words {
    const known = this.#words.get(key);
    if (known) return known;
    const words = wordsIn(key.export());
    this.#words.set(key, words);
    return words;
  }

  #record(key: KeyObject, nonce: Uint8Array): void {
    this.seals += 1;
    const [key0, key1, key2] = this.#wordsOf(key);
    const [nonce0, nonce1, nonce2] = wordsIn(nonce);
    const ofNonce = mix(mix(mix(nonce0) ^ nonce1) ^ nonce2);
    // 0 stands for an empty place.
    const high = (key0 ^ ofNonce) | 1;
    const low = key1 ^ mix(ofNonce);
    const marks = this.#marks;
    for (let at = mix(low ^ key2) % SLOTS; ; at = (at + 1) % SLOTS) {
      if (marks[2 * at] === high >>> 0 && marks[2 * at + 1] === low >>> 0) {
        this.repeated += 1;
        return;
      }
      if (marks[2 * at] === 0) {
        marks[2 * at] = high;
        marks[2 * at + 1] = low;
        return;
      }
    }
  }
}
