import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../runtime/random.ts';
import { createKeySeed } from './asymmetric-key.ts';
import {
  checkKemPublicKey,
  createKemKeyPair,
  encapsulate,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SEED_BYTES,
  KEM_SHARED_KEY_BYTES,
} from './kem.ts';

const seed = createKeySeed('ml-kem-1024', systemRandom);
const pair = createKemKeyPair(seed);
const INVALID = expect.objectContaining({ code: 'CREDENTIAL_INVALID' });

/** The key with one of its 1024 coefficients set. */
function withCoefficient(index: number, value: number): Uint8Array {
  const key = pair.publicKey.slice();
  const offset = (index >> 1) * 3;
  const [low = 0, middle = 0, high = 0] = key.subarray(offset, offset + 3);
  if (index % 2 === 0) key.set([value & 255, (middle & 0xf0) | (value >> 8), high], offset);
  else key.set([low, (middle & 15) | ((value & 15) << 4), value >> 4], offset);
  return key;
}

describe('ML-KEM-1024', () => {
  it('gives both sides the same fresh shared key', () => {
    const first = encapsulate(pair.publicKey);
    const second = encapsulate(pair.publicKey);
    expect(pair.decapsulate(first.ciphertext)).toEqual(first.sharedKey);
    expect(pair.decapsulate(second.ciphertext)).toEqual(second.sharedKey);
    expect(first.sharedKey).not.toEqual(second.sharedKey);
    expect([first.ciphertext.length, first.sharedKey.length]).toEqual([KEM_CIPHERTEXT_BYTES, KEM_SHARED_KEY_BYTES]);
    for (const bytes of [pair.publicKey, first.ciphertext, first.sharedKey, pair.decapsulate(first.ciphertext)]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    }
  });

  it('makes the same pair of the same seed, which it copies', () => {
    const lent = seed.slice();
    const again = createKemKeyPair(lent);
    lent.fill(0);
    expect(again.publicKey).toEqual(pair.publicKey);
    const { ciphertext, sharedKey } = encapsulate(pair.publicKey);
    expect(again.decapsulate(ciphertext)).toEqual(sharedKey);
    expect(createKemKeyPair(createKeySeed('ml-kem-1024', systemRandom)).publicKey).not.toEqual(pair.publicKey);
  });

  it('gives an unrelated shared key for a changed ciphertext and to another pair', () => {
    const { ciphertext, sharedKey } = encapsulate(pair.publicKey);
    const other = createKemKeyPair(systemRandom(KEM_SEED_BYTES));
    expect(other.decapsulate(ciphertext)).not.toEqual(sharedKey);
    for (const bit of [0, 7, 6000, KEM_CIPHERTEXT_BYTES * 8 - 1]) {
      const flipped = ciphertext.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(pair.decapsulate(flipped)).not.toEqual(sharedKey);
    }
  });

  it('takes coefficients below the modulus and refuses every one beyond, wherever it stands', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 3329, max: 4095 }), (index, value) => {
        expect(() => encapsulate(withCoefficient(index, value))).toThrow(INVALID);
        expect(() => checkKemPublicKey(withCoefficient(index, value - 767))).not.toThrow();
      }),
    );
    for (const index of [0, 1, 1022, 1023]) {
      expect(() => checkKemPublicKey(withCoefficient(index, 3328))).not.toThrow();
      expect(() => checkKemPublicKey(withCoefficient(index, 3329))).toThrow(INVALID);
    }
  });

  it.each([0, 32, KEM_PUBLIC_KEY_BYTES - 1, KEM_PUBLIC_KEY_BYTES + 1])('refuses a public key of %i bytes', (length) => {
    expect(() => encapsulate(new Uint8Array(length))).toThrow(INVALID);
  });

  it('refuses seeds and ciphertexts of other types and lengths', () => {
    expect(() => createKemKeyPair(seed.subarray(1))).toThrow(RangeError);
    expect(() => createKemKeyPair('seed' as never)).toThrow(TypeError);
    expect(() => pair.decapsulate(new Uint8Array(KEM_CIPHERTEXT_BYTES - 1))).toThrow(RangeError);
    expect(() => pair.decapsulate([] as never)).toThrow(TypeError);
    expect(() => encapsulate('key' as never)).toThrow(TypeError);
  });
});

describe('createKeySeed', () => {
  it('draws as many bytes as the algorithm needs from the source it is given', () => {
    const asked: number[] = [];
    const random = (length: number) => {
      asked.push(length);
      return new Uint8Array(length).fill(asked.length);
    };
    const seeds = (['ml-kem-1024', 'ed25519', 'ml-dsa-87'] as const).map((one) => createKeySeed(one, random));
    expect(asked).toEqual([64, 32, 32]);
    expect(seeds.map(([first]) => first)).toEqual([1, 2, 3]);
  });

  it('refuses an algorithm it does not know, and a source that gives too little', () => {
    expect(() => createKeySeed('rsa' as never, systemRandom)).toThrow(RangeError);
    expect(() => createKeySeed(7 as never, systemRandom)).toThrow(TypeError);
    expect(() => createKeySeed('ed25519', () => new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: 'INVARIANT_BROKEN' }),
    );
  });
});
