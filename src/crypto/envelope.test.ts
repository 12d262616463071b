import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { ENVELOPE_KEYS_CACHED_MAX } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { ENVELOPE_OVERHEAD_BYTES, EnvelopeOpener, EnvelopeSealer } from './envelope.ts';

const key = systemRandom(32);
const row = utf8Encode('a row');
const frameOf = (envelope: Uint8Array) => toHex(envelope.subarray(0, 24));

describe('an envelope', () => {
  it('opens under its key and AAD, whoever sealed it, and is 40 bytes longer than its content', () => {
    const opener = new EnvelopeOpener(key);
    for (const plain of [new Uint8Array(0), row, systemRandom(5000)]) {
      for (const aad of [undefined, row]) {
        const envelope = new EnvelopeSealer(key, systemRandom).seal(plain, aad);
        expect(envelope).toHaveLength(plain.length + ENVELOPE_OVERHEAD_BYTES);
        expect(opener.open(envelope, aad)).toEqual(plain);
      }
    }
  });

  it('has the bytes that the format says', () => {
    const salt = Uint8Array.from({ length: 16 }, (_, index) => index);
    const sealer = new EnvelopeSealer(new Uint8Array(32).fill(7), () => salt);
    sealer.seal(row);
    // Made with node:crypto's hkdfSync and aes-256-gcm, apart from this code.
    expect(toHex(sealer.seal(row, utf8Encode('table')))).toBe(
      '000102030405060708090a0b0c0d0e0f01000000000000008f38052389d1e9f10fbb2aa55b88ce6c1496c06a41',
    );
  });

  it('never has the salt and counter of another one, over sealers and over renewed salts', () => {
    const seen = new Set<string>();
    for (let sealers = 0; sealers < 20; sealers += 1) {
      const sealer = new EnvelopeSealer(key, systemRandom, { sealsPerSalt: 7 });
      for (let seals = 0; seals < 30; seals += 1) seen.add(frameOf(sealer.seal(row)));
    }
    expect(seen.size).toBe(600);
  });

  it('counts within a salt, and takes a fresh salt after as many seals as agreed', () => {
    const sealer = new EnvelopeSealer(key, systemRandom, { sealsPerSalt: 3 });
    const frames = Array.from({ length: 7 }, () => frameOf(sealer.seal(row)));
    expect(new Set(frames.map((frame) => frame.slice(0, 32))).size).toBe(3);
    expect(frames.map((frame) => Number.parseInt(frame.slice(32, 34), 16))).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('is refused with any bit flipped, cut anywhere, under another key or another AAD', () => {
    const envelope = new EnvelopeSealer(key, systemRandom).seal(row, row);
    const opener = new EnvelopeOpener(key);
    for (let bit = 0; bit < envelope.length * 8; bit += 1) {
      const flipped = envelope.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(opener.open(flipped, row)).toBeUndefined();
    }
    for (let end = 0; end < envelope.length; end += 1)
      expect(opener.open(envelope.subarray(0, end), row)).toBeUndefined();
    expect(new EnvelopeOpener(systemRandom(32)).open(envelope, row)).toBeUndefined();
    expect(opener.open(envelope)).toBeUndefined();
    expect(opener.open(envelope, row)).toEqual(row);
  });

  it('still opens when its derived key was pushed out of the cache by many other salts', () => {
    const opener = new EnvelopeOpener(key);
    const envelopes = Array.from({ length: ENVELOPE_KEYS_CACHED_MAX + 20 }, () =>
      new EnvelopeSealer(key, systemRandom).seal(row),
    );
    for (const envelope of [...envelopes, ...envelopes]) expect(opener.open(envelope)).toEqual(row);
  });

  it('does not depend on the array its key came in', () => {
    const lent = Buffer.from(key);
    const sealer = new EnvelopeSealer(lent, systemRandom, { sealsPerSalt: 1 });
    const opener = new EnvelopeOpener(lent);
    lent.fill(0);
    sealer.seal(row);
    expect(opener.open(sealer.seal(row))).toEqual(row);
    expect(new EnvelopeOpener(key).open(sealer.seal(row))).toEqual(row);
  });

  it('keeps its salt when the source lends the same array again', () => {
    const lent = new Uint8Array(16);
    const sealer = new EnvelopeSealer(key, () => lent);
    lent.fill(1);
    expect(new EnvelopeOpener(key).open(sealer.seal(row))).toEqual(row);
    expect(frameOf(sealer.seal(row))).toBe(`${'00'.repeat(16)}0100000000000000`);
  });

  it('needs a key of 32 bytes and a source that gives what it is asked for', () => {
    expect(() => new EnvelopeSealer(key.subarray(1), systemRandom)).toThrow(RangeError);
    expect(() => new EnvelopeOpener('k' as never)).toThrow(TypeError);
    expect(() => new EnvelopeSealer(key, systemRandom, { sealsPerSalt: 2 ** 33 })).toThrow(RangeError);
    expect(() => new EnvelopeSealer(key, () => new Uint8Array(3))).toThrow(
      expect.objectContaining({ code: 'INVARIANT_BROKEN' }),
    );
  });
});
