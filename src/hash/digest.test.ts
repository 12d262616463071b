import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, isDigestAlgorithm } from './algorithms.ts';
import { asDigest, type Digest, equalDigests, formatDigest, parseDigest } from './digest.ts';
import { digestOf } from './digest-of.ts';

const ALGORITHMS = Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[];
const ABC = new TextEncoder().encode('abc');

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('the call was expected to throw');
}

function isInvalidDigest(call: () => unknown): boolean {
  return isStoreError(errorOf(call), 'DIGEST_INVALID');
}

describe('digest text', () => {
  it('is the algorithm, a colon and lower-case hex', () => {
    expect(formatDigest('sha256', digestOf('sha256', ABC))).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('reads back to the same algorithm and bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALGORITHMS),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (algorithm, bytes) => {
          const digest = asDigest(bytes.slice(0, DIGEST_ALGORITHMS[algorithm].digestBytes), algorithm);
          const parsed = parseDigest(formatDigest(algorithm, digest));
          expect(parsed.algorithm).toBe(algorithm);
          expect(parsed.digest).toEqual(digest);
        },
      ),
    );
  });

  const good = `blake3:${'0a'.repeat(32)}`;
  it.each([
    ['no colon', '0a'.repeat(32)],
    ['nothing', ''],
    ['an unknown algorithm', `md5:${'0a'.repeat(16)}`],
    ['the name of an inherited property', `toString:${'0a'.repeat(32)}`],
    ['an upper-case algorithm', good.replace('blake3', 'BLAKE3')],
    ['upper-case hex', `blake3:${'0A'.repeat(32)}`],
    ['one digit too few', good.slice(0, -1)],
    ['one byte too many', `${good}00`],
    ['no digits', 'blake3:'],
    ['the length of another algorithm', `sha512:${'0a'.repeat(32)}`],
    ['a letter that is no digit', `${good.slice(0, -1)}g`],
    ['a space', `${good.slice(0, -1)} `],
    ['a line end', `${good.slice(0, -1)}\n`],
    ['a line end behind it', `${good}\n`],
    ['a second colon', `blake3::${'0a'.repeat(32).slice(1)}`],
  ])('is refused with %s', (_what, text) => {
    expect(isInvalidDigest(() => parseDigest(text))).toBe(true);
  });

  it('must be a string', () => {
    expect(() => parseDigest(undefined as unknown as string)).toThrow(TypeError);
  });

  it('is not written for a digest of another length', () => {
    const digest = digestOf('sha512', ABC);
    expect(isInvalidDigest(() => formatDigest('blake3', digest))).toBe(true);
  });
});

describe('asDigest', () => {
  it('keeps the array it is given', () => {
    const bytes = new Uint8Array(32);
    expect(asDigest(bytes)).toBe(bytes);
    expect(asDigest(new Uint8Array(64))).toHaveLength(64);
  });

  it.each([0, 1, 31, 33, 63, 65])('refuses %i bytes, which no algorithm gives', (length) => {
    expect(isInvalidDigest(() => asDigest(new Uint8Array(length)))).toBe(true);
  });

  it('demands the length of a named algorithm and tells both lengths', () => {
    const error = errorOf(() => asDigest(new Uint8Array(32), 'sha512'));
    expect(error).toMatchObject({ kind: 'invalid', code: 'DIGEST_INVALID', details: { expected: 64, actual: 32 } });
  });

  it('refuses what is no Uint8Array', () => {
    expect(() => asDigest('a'.repeat(32) as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => asDigest(new ArrayBuffer(32) as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('equalDigests', () => {
  it('is true for equal bytes only, whichever bit differs', () => {
    const digest = digestOf('blake3', ABC);
    expect(equalDigests(digest, digest.slice() as Digest)).toBe(true);
    for (let bit = 0; bit < 256; bit += 1) {
      const other = digest.slice() as Digest;
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(equalDigests(digest, other)).toBe(false);
    }
  });

  it('is false for digests of different lengths', () => {
    expect(equalDigests(asDigest(new Uint8Array(32)), asDigest(new Uint8Array(64)))).toBe(false);
  });
});

describe('isDigestAlgorithm', () => {
  it('knows its own names and no inherited ones', () => {
    expect(ALGORITHMS.every(isDigestAlgorithm)).toBe(true);
    for (const other of ['constructor', '__proto__', 'SHA256', '', 5, undefined]) {
      expect(isDigestAlgorithm(other)).toBe(false);
    }
  });
});
