import { blake2b } from '@noble/hashes/blake2.js';
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256 } from '@noble/hashes/sha3.js';
import { bytesToHex as toHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from './algorithms.ts';
import { blake3, blake3Derive, blake3Keyed, createKeyedDigest, digestOf } from './digest-of.ts';
import { createHasher } from './hasher.ts';

const ORACLES: Readonly<Record<DigestAlgorithm, (bytes: Uint8Array) => Uint8Array>> = {
  blake3: (bytes) => nobleBlake3(bytes),
  sha256,
  sha512,
  'sha3-256': sha3_256,
  'blake2b-256': (bytes) => blake2b(bytes, { dkLen: 32 }),
};
const ALGORITHMS = Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[];

// Biased to the borders of blocks (64, 72, 128, 136) and of BLAKE3 chunks (1024).
const lengths = fc.oneof(
  fc.constantFrom(0, 1, 63, 64, 65, 71, 72, 73, 127, 128, 129, 135, 136, 137, 1023, 1024, 1025, 2048, 3073, 8193),
  fc.integer({ min: 0, max: 5000 }),
);
const inputs = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

describe('digestOf', () => {
  it.each<readonly [DigestAlgorithm, string, string]>([
    // FIPS 180-4 example messages, as NIST publishes them
    ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'sha512',
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    // The predecessor system ouroboros-kv, a key as digest
    [
      'sha512',
      'my-key',
      '8875672710f28bd0aa64e128c1adfb055148ed8e1255814d6b011493f24bb24996d6ac78eb7e499be595c94ba5eb8bbfed6bc657c995d8c66490c08a270c915b',
    ],
    // The predecessor system chunkstore, chunk digests
    ['sha256', 'hello world', 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'],
    ['sha256', 'unique-payload', '2ab8dab6b11d495f7d577e359ddbe999e80dafb3f757e28d22ed74d49d5211a3'],
    ['sha256', 'shared-prefix', 'e186088d5c064c35a3e46ad9083c65f8867156a44c1e98febf1f4fb5029fd216'],
    ['sha256', 'same-payload', '09fdea45b68cb97db5a95abfe627f12c2107262a36dedb2f3cfcd318ae210c41'],
    ['sha256', 'gc-me', '66c5812fd92015ea6416adc6ca1d3474a2312a9270051ede5efc0096dcaa9047'],
    ['sha256', 'concurrent-same', '6d93f546d6ea06b12859c400f71dc18e1572c730ccf364c20bf1c0120c5a0ef3'],
    // The predecessor system our-storage, compute_hash
    ['sha256', 'test data', '916f0027a575074ce72a331777c3478d6513f786a591bd892da1a577bf2335f9'],
    ['sha3-256', 'test data', 'fc88e0ac33ff105e376f4ece95fb06925d5ab20080dbe3aede7dd47e45dfd931'],
    ['blake2b-256', 'test data', 'eab94977a17791d0c089fe9e393261b3ab667cf0e8456632a842d905c468cf65'],
    // BLAKE3 test_vectors.json, input_len 0
    ['blake3', '', 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  ])('gives the published %s of "%s"', (algorithm, text, expected) => {
    expect(toHex(digestOf(algorithm, utf8Encode(text)))).toBe(expected);
    expect(toHex(createHasher(algorithm).update(utf8Encode(text)).digest())).toBe(expected);
  });

  it.each(ALGORITHMS)('agrees with an independent %s', (algorithm) => {
    fc.assert(
      fc.property(inputs, (bytes) => {
        expect(toHex(digestOf(algorithm, bytes))).toBe(toHex(ORACLES[algorithm](bytes)));
      }),
    );
  });

  it.each(ALGORITHMS)('gives %s digests of the promised length in plain arrays of their own memory', (algorithm) => {
    const one = digestOf(algorithm, utf8Encode('abc'));
    const streamed = createHasher(algorithm).update(utf8Encode('abc')).digest();
    for (const digest of [one, streamed]) {
      expect(digest).toHaveLength(DIGEST_ALGORITHMS[algorithm].digestBytes);
      expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype);
      expect(digest.buffer.byteLength).toBe(digest.length);
    }
    one.fill(0);
    expect(digestOf(algorithm, utf8Encode('abc'))).toEqual(streamed);
  });

  it('hashes only what a view shows, wherever its memory lies', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(300)).fill(7);
    const bytes = new Uint8Array(300).fill(7);
    for (const algorithm of ALGORITHMS) {
      const expected = digestOf(algorithm, new Uint8Array(100).fill(7));
      expect(digestOf(algorithm, bytes.subarray(50, 150))).toEqual(expected);
      expect(digestOf(algorithm, Buffer.from(bytes.buffer, 10, 100))).toEqual(expected);
      expect(digestOf(algorithm, shared.subarray(50, 150))).toEqual(expected);
    }
  });

  it('is not a BLAKE2b-512 cut short', () => {
    const cut = blake2b(utf8Encode('test data'), { dkLen: 64 }).slice(0, 32);
    expect(toHex(digestOf('blake2b-256', utf8Encode('test data')))).not.toBe(toHex(cut));
  });

  it.each([
    'abc',
    97,
    undefined,
    null,
    [97],
    new Uint16Array(2),
    new ArrayBuffer(4),
  ])('refuses %o for bytes', (value) => {
    const bytes = value as unknown as Uint8Array;
    for (const algorithm of ALGORITHMS) expect(() => digestOf(algorithm, bytes)).toThrow(TypeError);
    expect(() => blake3(bytes)).toThrow(TypeError);
    expect(() => blake3Keyed(new Uint8Array(32), bytes)).toThrow(TypeError);
    expect(() => blake3Derive('context', bytes)).toThrow(TypeError);
  });

  it('refuses an unknown algorithm by name', () => {
    expect(() => digestOf('md5' as DigestAlgorithm, new Uint8Array(0))).toThrow(RangeError);
    expect(() => digestOf('valueOf' as DigestAlgorithm, new Uint8Array(0))).toThrow(RangeError);
    expect(() => digestOf(undefined as unknown as DigestAlgorithm, new Uint8Array(0))).toThrow(
      /algorithm must be one of/,
    );
  });
});

describe('keyed and derived BLAKE3', () => {
  it('agree with an independent implementation', () => {
    const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const contexts = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(keys, contexts, inputs, (key, context, bytes) => {
        expect(toHex(blake3Keyed(key, bytes))).toBe(toHex(nobleBlake3(bytes, { key })));
        expect(toHex(blake3Derive(context, bytes))).toBe(toHex(nobleBlake3(bytes, { context: utf8Encode(context) })));
      }),
    );
  });

  it('give each of many inputs under one key the digest it has alone', () => {
    const key = new Uint8Array(32).fill(7);
    const digest = createKeyedDigest(key);
    key.fill(0);
    fc.assert(
      fc.property(inputs, (bytes) => {
        expect(toHex(digest(bytes))).toBe(toHex(blake3Keyed(new Uint8Array(32).fill(7), bytes)));
      }),
    );
    expect(() => digest('abc' as unknown as Uint8Array)).toThrow(TypeError);
  });

  it.each([0, 16, 31, 33, 64])('refuse a key of %i bytes', (length) => {
    expect(() => createKeyedDigest(new Uint8Array(length))).toThrow(/key\.length must be 32 bytes/);
    expect(() => blake3Keyed(new Uint8Array(length), new Uint8Array(1))).toThrow(/key\.length must be 32 bytes/);
    expect(() => blake3Keyed(new Uint8Array(length), new Uint8Array(1))).toThrow(RangeError);
  });

  it('refuse a key that is no byte array', () => {
    expect(() => blake3Keyed('a'.repeat(32) as unknown as Uint8Array, new Uint8Array(1))).toThrow(TypeError);
  });

  it('refuse a context that is no text or has no UTF-8', () => {
    expect(() => blake3Derive(5 as unknown as string, new Uint8Array(1))).toThrow(TypeError);
    expect(() => blake3Derive('a\ud800', new Uint8Array(1))).toThrow(RangeError);
  });
});
