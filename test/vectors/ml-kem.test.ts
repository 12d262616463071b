/** ML-KEM-1024 of Wycheproof and of C2SP/CCTV (at 1e3d286) against `holdfast/crypto`. */
import { createPrivateKey, decapsulate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes/bytes.ts';
import { createKemKeyPair, encapsulate, KEM_CIPHERTEXT_BYTES } from '../../src/crypto/index.ts';
import { bytesOf, countBy, hasVectors, vectorText, type WycheproofCase, wycheproof } from './published.ts';

const NO_KEY = expect.objectContaining({ code: 'CREDENTIAL_INVALID' });

function itHas(file: string, title: string, run: () => void): void {
  it.skipIf(!hasVectors(file))(title, run);
}

describe('ML-KEM-1024 of Wycheproof', () => {
  itHas('wycheproof/mlkem_1024_keygen_seed_test.json', 'gives the public key of every seed', () => {
    const cases = wycheproof('mlkem_1024_keygen_seed_test');
    for (const one of cases) expect(toHex(createKemKeyPair(bytesOf(one, 'seed')).publicKey)).toBe(one.ek);
    expect(cases).toHaveLength(100);
  });

  itHas('wycheproof/mlkem_1024_test.json', 'decapsulates what is valid, and refuses other lengths', () => {
    const cases = wycheproof('mlkem_1024_test');
    const open = (one: WycheproofCase) => createKemKeyPair(bytesOf(one, 'seed')).decapsulate(bytesOf(one, 'c'));
    for (const one of cases) {
      if (one.result === 'valid') expect(toHex(open(one))).toBe(one.K);
      else expect(() => open(one)).toThrow(RangeError);
      if (one.ek && one.result === 'valid')
        expect(toHex(createKemKeyPair(bytesOf(one, 'seed')).publicKey)).toBe(one.ek);
    }
    expect(countBy(cases, ({ result }) => result)).toEqual({ valid: 153, invalid: 40 });
  });

  itHas(
    'wycheproof/mlkem_1024_encaps_test.json',
    'encapsulates to every valid public key and to no other; what comes out is random here, so it is not compared (133)',
    () => {
      const cases = wycheproof('mlkem_1024_encaps_test');
      for (const one of cases) {
        if (one.result === 'valid')
          expect(encapsulate(bytesOf(one, 'ek')).ciphertext).toHaveLength(KEM_CIPHERTEXT_BYTES);
        else expect(() => encapsulate(bytesOf(one, 'ek'))).toThrow(NO_KEY);
      }
      expect(countBy(cases, ({ result, flags = [] }) => [result, ...flags].join(' '))).toEqual({
        valid: 133,
        invalid: 120,
        'invalid ModulusOverflow': 16,
      });
    },
  );

  itHas(
    'wycheproof/mlkem_1024_semi_expanded_decaps_test.json',
    'is given private keys as seeds alone, so expanded ones do not apply (9)',
    () => {
      const cases = wycheproof('mlkem_1024_semi_expanded_decaps_test');
      for (const one of cases) expect(() => createKemKeyPair(bytesOf(one, 'dk'))).toThrow(RangeError);
      expect(cases).toHaveLength(9);
    },
  );
});

type Field = 'd' | 'z' | 'ek' | 'dk' | 'c' | 'K';

/** Lines of `name = hex`. */
function fieldsOf(text: string): Readonly<Record<Field, Uint8Array>> {
  const lines = [...text.matchAll(/^(\w+) = ([0-9a-f]+)$/gm)];
  const fields = lines.map(([, name = '', hex = '']) => [name, fromHex(hex) ?? expect.fail()] as const);
  return Object.fromEntries(fields) as Record<Field, Uint8Array>;
}

function decapsulateExpanded(dk: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  // PKCS #8 up to the expanded key.
  const prefix = fromHex('30820c78020100300b060960864801650304040304820c6404820c60') ?? expect.fail();
  const key = createPrivateKey({ key: Buffer.concat([prefix, dk]), format: 'der', type: 'pkcs8' });
  return new Uint8Array(decapsulate(key, ciphertext));
}

describe('ML-KEM-1024 of CCTV', () => {
  itHas('ml-kem-cctv/modulus-ML-KEM-1024.txt.gz', 'refuses every public key with a coefficient out of range', () => {
    const keys = vectorText('ml-kem-cctv/modulus-ML-KEM-1024.txt.gz').trim().split('\n');
    for (const key of keys) expect(() => encapsulate(fromHex(key) ?? expect.fail())).toThrow(/beyond the modulus/);
    expect(keys).toHaveLength(1040);
  });

  // Both files hold private keys in expanded form, which Holdfast does not read: their seeds are of a draft of FIPS 203 that
  // left the parameter set out of G. What decapsulates underneath is the same.
  itHas('ml-kem-cctv/unluckysample-ML-KEM-1024.txt', 'samples a matrix that needs more output than most', () => {
    const { d, z, ek, dk, c, K } = fieldsOf(vectorText('ml-kem-cctv/unluckysample-ML-KEM-1024.txt'));
    expect(createKemKeyPair(Uint8Array.from([...d, ...z])).publicKey).not.toEqual(ek);
    expect(decapsulateExpanded(dk, c)).toEqual(K);
    const { ciphertext, sharedKey } = encapsulate(ek);
    expect(decapsulateExpanded(dk, ciphertext)).toEqual(sharedKey);
  });

  itHas('ml-kem-cctv/strcmp-ML-KEM-1024.txt', 'rejects a ciphertext that agrees up to a zero byte', () => {
    const { dk, c, K } = fieldsOf(vectorText('ml-kem-cctv/strcmp-ML-KEM-1024.txt'));
    expect(decapsulateExpanded(dk, c)).toEqual(K);
  });
});
