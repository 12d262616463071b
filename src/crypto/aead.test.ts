import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { systemRandom } from '../runtime/random.ts';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, prepareAeadKey, sealAead } from './aead.ts';

const hex = (text: string): Uint8Array => fromHex(text) ?? expect.fail('not hex');
const key = systemRandom(AEAD_KEY_BYTES);
const nonce = systemRandom(AEAD_NONCE_BYTES);
const aad = utf8Encode('what the bytes are');

describe('AES-256-GCM', () => {
  it('gives the published result of test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega)', () => {
    const { sealed, tag } = sealAead(
      hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
      { nonce: hex('cafebabefacedbaddecaf888'), aad: hex('feedfacedeadbeeffeedfacedeadbeefabaddad2') },
      hex(
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
      ),
    );
    expect(toHex(sealed)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    );
    expect(toHex(tag)).toBe('76fc6ece0f4e1768cddf8853bb2d551b');
  });

  it('seals and opens the same with a key that was made ready, which is a copy', () => {
    const bytes = systemRandom(AEAD_KEY_BYTES);
    const ready = prepareAeadKey(bytes);
    const frame = { nonce, aad };
    const { sealed, tag } = sealAead(bytes, frame, aad);
    expect(sealAead(ready, frame, aad)).toEqual({ sealed, tag });
    bytes.fill(0);
    expect(openAead(ready, { ...frame, tag }, sealed)).toEqual(aad);
    expect(openAead(bytes, { ...frame, tag }, sealed)).toBeUndefined();
    expect(() => prepareAeadKey(bytes.subarray(1))).toThrow(RangeError);
    expect(() => prepareAeadKey('key' as unknown as Uint8Array)).toThrow(TypeError);
  });

  it('opens what it sealed, with and without AAD, of any length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.option(fc.uint8Array(), { nil: undefined }),
        (plain, bound) => {
          const frame = { nonce, ...(bound && { aad: bound }) };
          const { sealed, tag } = sealAead(key, frame, plain);
          expect(sealed).toHaveLength(plain.length);
          expect(openAead(key, { ...frame, tag }, sealed)).toEqual(plain);
        },
      ),
    );
  });

  it('refuses every single flipped bit of ciphertext, tag, nonce, AAD and key', () => {
    const { sealed, tag } = sealAead(key, { nonce, aad }, utf8Encode('one row'));
    const parts = { key, nonce, aad, tag, sealed };
    for (const [name, part] of Object.entries(parts)) {
      for (let bit = 0; bit < part.length * 8; bit += 1) {
        const flipped = part.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const tried = { ...parts, [name]: flipped };
        expect(openAead(tried.key, tried, tried.sealed)).toBeUndefined();
      }
    }
    expect(openAead(key, parts, sealed)).toEqual(utf8Encode('one row'));
  });

  it('refuses tags that are cut short, although GCM would take them', () => {
    const { sealed, tag } = sealAead(key, { nonce }, utf8Encode('one row'));
    for (let length = 0; length < AEAD_TAG_BYTES; length += 1) {
      expect(openAead(key, { nonce, tag: tag.subarray(0, length) }, sealed)).toBeUndefined();
    }
  });

  it('gives plain arrays of their own memory, and keeps and changes no argument', () => {
    const plain = utf8Encode('unchanged');
    const { sealed, tag } = sealAead(key, { nonce, aad }, plain);
    const opened = openAead(key, { nonce, aad, tag }, sealed);
    for (const bytes of [sealed, tag, opened]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes?.buffer).not.toBe(plain.buffer);
    }
    expect(plain).toEqual(utf8Encode('unchanged'));
    expect(openAead(key, { nonce, aad, tag }, sealed)).toEqual(plain);
  });

  it.each([
    ['a key of 128 bits', () => sealAead(key.subarray(16), { nonce }, aad), RangeError],
    ['a key that is text', () => sealAead('k'.repeat(32) as never, { nonce }, aad), TypeError],
    ['a nonce of 16 bytes', () => sealAead(key, { nonce: key.subarray(16) }, aad), RangeError],
    ['an empty nonce when opening', () => openAead(key, { nonce: key.subarray(32), tag: nonce }, aad), RangeError],
    ['content that is text', () => sealAead(key, { nonce }, 'text' as never), TypeError],
    ['AAD that is text', () => sealAead(key, { nonce, aad: 'text' as never }, aad), TypeError],
  ])('refuses %s', (_, act, expected) => {
    expect(act).toThrow(expected);
  });
});
