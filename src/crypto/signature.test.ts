import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { systemRandom } from '../runtime/random.ts';
import { fingerprint } from './fingerprint.ts';
import { createSigner, SIGNATURE_BYTES, SIGNATURE_SEED_BYTES, verifySignature } from './signature.ts';

const hex = (text: string): Uint8Array => fromHex(text) ?? expect.fail('not hex');
const message = utf8Encode('the root of everything');

describe.each(['ed25519', 'ml-dsa-87'] as const)('a signer of %s', (algorithm) => {
  const seed = systemRandom(SIGNATURE_SEED_BYTES);
  const signer = createSigner(algorithm, seed);
  const signature = signer.sign(message);

  it('signs what its public key verifies, again after the same seed, and over nothing at all', () => {
    expect(signature).toHaveLength(SIGNATURE_BYTES[algorithm]);
    expect(verifySignature(signer, message, signature)).toBe(true);
    const again = createSigner(algorithm, seed);
    expect(again.publicKey).toEqual(signer.publicKey);
    expect(verifySignature(signer, message, again.sign(message))).toBe(true);
    expect(verifySignature(signer, new Uint8Array(0), signer.sign(new Uint8Array(0)))).toBe(true);
  });

  it('signs for no other message, no other key and with no other bytes', () => {
    const other = createSigner(algorithm, systemRandom(SIGNATURE_SEED_BYTES));
    expect(verifySignature(other, message, signature)).toBe(false);
    expect(verifySignature(signer, message.subarray(1), signature)).toBe(false);
    for (let byte = 0; byte < signature.length; byte += 37) {
      const flipped = signature.slice();
      flipped[byte] = (flipped[byte] ?? 0) ^ 1;
      expect(verifySignature(signer, message, flipped)).toBe(false);
    }
    for (const length of [0, 1, signature.length - 1]) {
      expect(verifySignature(signer, message, signature.subarray(0, length))).toBe(false);
    }
    expect(verifySignature(signer, message, new Uint8Array([...signature, 0]))).toBe(false);
  });

  it('refuses seeds, keys and messages of other types and lengths', () => {
    const truncated = { algorithm, publicKey: signer.publicKey.subarray(1) };
    expect(() => verifySignature(truncated, message, signature)).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_INVALID' }),
    );
    expect(() => createSigner(algorithm, seed.subarray(1))).toThrow(RangeError);
    expect(() => createSigner('ml-kem-1024' as never, systemRandom(64))).toThrow(RangeError);
    expect(() => signer.sign('text' as never)).toThrow(TypeError);
    expect(() => verifySignature(signer, message, 'text' as never)).toThrow(TypeError);
  });
});

describe('Ed25519', () => {
  it.each([
    // RFC 8032, section 7.1, test 1 and test 3
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('gives the published key and signature of seed %s', (seed, publicKey, text, signature) => {
    const signer = createSigner('ed25519', hex(seed));
    expect(toHex(signer.publicKey)).toBe(publicKey);
    expect(toHex(signer.sign(hex(text)))).toBe(signature);
    expect(verifySignature(signer, hex(text), hex(signature))).toBe(true);
  });
});

describe('fingerprint', () => {
  const key = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');

  it('is 32 hex digits that stay the same', () => {
    // Computed with @noble/hashes.
    expect(fingerprint('ed25519', key)).toBe('8f6af520cba143585e3822a8c0953aae');
  });

  it('differs for other keys and for the same bytes as a key of another algorithm', () => {
    const others = [
      fingerprint('ml-dsa-87', key),
      fingerprint('ml-kem-1024', key),
      fingerprint('ed25519', key.slice(1)),
    ];
    expect(new Set([fingerprint('ed25519', key), ...others]).size).toBe(4);
  });
});
