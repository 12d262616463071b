/** Wycheproof's AES-GCM, HKDF and HMAC, and the Argon2 of noble-hashes, against `holdfast/crypto`. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes/bytes.ts';
import { type Argon2Options, argon2id, hkdfSha256, hkdfSha512, openAead, sealAead } from '../../src/crypto/index.ts';
import { bytesOf, countBy, hasVectors, vectorText, type WycheproofCase, wycheproof } from './published.ts';

describe.skipIf(!hasVectors('wycheproof/aes_gcm_test.json'))('AES-GCM of Wycheproof', () => {
  const kindOf = ({ keySize, ivSize, tagSize, result }: WycheproofCase) => {
    if (ivSize !== 96) return 'nonce of another length';
    if (keySize !== 256) return 'key of another length';
    return tagSize === 128 ? `${result}` : 'tag of another length';
  };
  const cases = hasVectors('wycheproof/aes_gcm_test.json') ? wycheproof('aes_gcm_test') : [];
  const of = (...kinds: string[]) => cases.filter((one) => kinds.includes(kindOf(one)));
  const sealOf = (one: WycheproofCase) =>
    sealAead(bytesOf(one, 'key'), { nonce: bytesOf(one, 'iv'), aad: bytesOf(one, 'aad') }, bytesOf(one, 'msg'));
  const openOf = (one: WycheproofCase) => {
    const frame = { nonce: bytesOf(one, 'iv'), aad: bytesOf(one, 'aad'), tag: bytesOf(one, 'tag') };
    return openAead(bytesOf(one, 'key'), frame, bytesOf(one, 'ct'));
  };

  it('has as many cases of each kind as are accounted for below', () => {
    expect(countBy(cases, kindOf)).toEqual({
      valid: 39,
      invalid: 27,
      'key of another length': 131,
      'nonce of another length': 119,
    });
  });

  it('is sealed and opened as published', () => {
    for (const one of of('valid')) {
      const { sealed, tag } = sealOf(one);
      expect([toHex(sealed), toHex(tag)]).toEqual([one.ct, one.tag]);
      expect(openOf(one)).toEqual(bytesOf(one, 'msg'));
    }
  });

  it('is not opened where it was modified', () => {
    for (const one of of('invalid')) expect(openOf(one)).toBeUndefined();
  });

  it('is refused where nonce or key have a length that Holdfast does not use', () => {
    for (const one of of('nonce of another length', 'key of another length')) {
      expect(() => sealOf(one)).toThrow(RangeError);
      expect(() => openOf(one)).toThrow(RangeError);
    }
  });
});

describe.each([
  ['sha256', hkdfSha256, sha256, 32, 83],
  ['sha512', hkdfSha512, sha512, 64, 80],
] as const)('HKDF over %s', (name, hkdf, digest, digestBytes, keys) => {
  it.skipIf(!hasVectors(`wycheproof/hkdf_${name}_test.json`))('gives every key of Wycheproof', () => {
    const cases = wycheproof(`hkdf_${name}_test`);
    for (const one of cases) {
      const options = { salt: bytesOf(one, 'salt'), info: bytesOf(one, 'info'), bytes: Number(one.size) };
      const derive = () => toHex(hkdf(bytesOf(one, 'ikm'), options));
      if (one.result === 'valid') expect(derive()).toBe(one.okm);
      else expect(derive).toThrow(RangeError);
    }
    expect(countBy(cases, ({ result }) => result)).toEqual({ valid: keys, invalid: 3 });
  });

  // HKDF is how Holdfast uses HMAC: HMAC(key, message) is what it extracts from the message under the salt `key`.
  it.skipIf(!hasVectors(`wycheproof/hmac_${name}_test.json`))('extracts every whole HMAC tag of Wycheproof', () => {
    const cases = wycheproof(`hmac_${name}_test`);
    const kindOf = ({ tagSize, result }: WycheproofCase) => (tagSize === digestBytes * 8 ? result : 'tag cut short');
    for (const one of cases.filter((other) => kindOf(other) !== 'tag cut short')) {
      const options = { salt: bytesOf(one, 'key'), info: '', bytes: digestBytes };
      const derived = toHex(hkdf(bytesOf(one, 'msg'), options));
      const expanded = toHex(hmac(digest, bytesOf(one, 'tag'), Uint8Array.of(1)));
      expect(derived === expanded).toBe(one.result === 'valid');
    }
    expect(countBy(cases, kindOf)).toEqual({ valid: 33, invalid: 54, 'tag cut short': 87 });
  });
});

describe('Argon2', () => {
  const BASE = {
    passphraseBytes: 32,
    saltBytes: 16,
    secretBytes: 0,
    bytes: 32,
    passes: 1,
    parallelism: 1,
    memoryKib: 8,
  };
  /** test/argon2-cases.ts of paulmillr/noble-hashes at bb0d615, in order. */
  const CASES: readonly (typeof BASE)[] = [
    BASE,
    { ...BASE, passphraseBytes: 0, saltBytes: 8, bytes: 4 },
    { ...BASE, passphraseBytes: 1, saltBytes: 9, bytes: 16 },
    { ...BASE, passphraseBytes: 64, saltBytes: 32, secretBytes: 1, bytes: 33 },
    { ...BASE, passphraseBytes: 256, saltBytes: 64, secretBytes: 8, bytes: 64 },
    { ...BASE, passphraseBytes: 1024, saltBytes: 256, secretBytes: 257, bytes: 128 },
    { ...BASE, passphraseBytes: 65_536, saltBytes: 1024, secretBytes: 1024, bytes: 512 },
    { ...BASE, passphraseBytes: 262_144, saltBytes: 65_536, secretBytes: 65_536 },
    { ...BASE, passes: 2, parallelism: 2, memoryKib: 16 },
    { ...BASE, passes: 4, parallelism: 3, memoryKib: 24 },
    { ...BASE, passes: 8, parallelism: 4, memoryKib: 32 },
    { ...BASE, passes: 32, memoryKib: 64 },
    { ...BASE, parallelism: 16, memoryKib: 128 },
    { ...BASE, memoryKib: 1024 },
    { ...BASE, memoryKib: 4096, bytes: 1024 },
  ];
  /** d, i and id, each in version 0x10 and 0x13: version 0x13 of Argon2id comes last. */
  const APPLICABLE_FROM = 75;
  const counting = (first: number, length: number) => Uint8Array.from({ length }, (_, index) => first + (index % 5));

  it.skipIf(!hasVectors('argon2/argon2.json'))(
    'gives the published keys: 10 of 90, the others being of Argon2d, Argon2i, version 0x10 (75) and with a pepper (5)',
    async () => {
      const published = JSON.parse(vectorText('argon2/argon2.json')) as readonly string[];
      expect(published).toHaveLength(90);
      let checked = 0;
      for (const [index, { passphraseBytes, saltBytes, secretBytes, ...cost }] of CASES.entries()) {
        if (secretBytes > 0) continue;
        const options: Argon2Options = { ...cost, salt: counting(6, saltBytes) };
        expect(toHex(await argon2id(counting(1, passphraseBytes), options))).toBe(published[APPLICABLE_FROM + index]);
        checked += 1;
      }
      expect(checked).toBe(10);
    },
  );
});
