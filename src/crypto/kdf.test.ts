import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { hkdfSha256, hkdfSha512 } from './kdf.ts';

const hex = (text: string): Uint8Array => fromHex(text) ?? expect.fail('not hex');
const secret = new Uint8Array(32).fill(0x0b);

describe('HKDF', () => {
  it('gives the published keys of RFC 5869, appendix A.1 to A.3', () => {
    const short = { salt: hex('000102030405060708090a0b0c'), info: hex('f0f1f2f3f4f5f6f7f8f9'), bytes: 42 };
    expect(toHex(hkdfSha256(secret.subarray(0, 22), short))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    const range = (first: number) => Uint8Array.from({ length: 80 }, (_, index) => first + index);
    expect(toHex(hkdfSha256(range(0), { salt: range(0x60), info: range(0xb0), bytes: 82 }))).toBe(
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    );
    expect(toHex(hkdfSha256(secret.subarray(0, 22), { info: '', bytes: 42 }))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('takes a label as text or as its UTF-8, and gives other keys for other labels, salts, secrets and digests', () => {
    const key = hkdfSha256(secret, { info: 'läbel' });
    expect(key).toHaveLength(32);
    expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
    expect(hkdfSha256(secret, { info: utf8Encode('läbel') })).toEqual(key);
    const others = [
      hkdfSha256(secret, { info: 'label' }),
      hkdfSha256(secret, { info: 'läbel', salt: secret }),
      hkdfSha256(secret.subarray(1), { info: 'läbel' }),
      hkdfSha512(secret, { info: 'läbel' }),
    ];
    expect(new Set([key, ...others].map(toHex)).size).toBe(5);
  });

  it.each([
    ['a secret that is text', () => hkdfSha256('secret' as never, { info: '' }), TypeError],
    ['a salt that is text', () => hkdfSha256(secret, { info: '', salt: 'salt' as never }), TypeError],
    ['a label that is missing', () => hkdfSha256(secret, {} as never), TypeError],
    ['a label of 1,025 bytes', () => hkdfSha256(secret, { info: 'x'.repeat(1025) }), RangeError],
    ['no bytes', () => hkdfSha256(secret, { info: '', bytes: 0 }), RangeError],
    ['more than 255 digests of SHA-256', () => hkdfSha256(secret, { info: '', bytes: 8161 }), RangeError],
    ['more than 255 digests of SHA-512', () => hkdfSha512(secret, { info: '', bytes: 16_321 }), RangeError],
  ])('refuses %s', (_, act, expected) => {
    expect(act).toThrow(expected);
  });
});
