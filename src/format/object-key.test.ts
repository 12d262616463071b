import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patternBytes } from '../../test/support/format-samples.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { NAMESPACE_NUMBER_MAX } from '../limits.ts';
import { encodeObjectKey, objectKeyPrefix, parseObjectKey } from './object-key.ts';
import { isScopedKey, namespaceOfKey } from './scoped-key.ts';

const DIGEST = patternBytes(32, 1);

describe('an object key', () => {
  it('is the scope of its namespace, its class, its digest', () => {
    const plain = encodeObjectKey({ namespace: 0, objectClass: 'raw', digest: DIGEST });
    expect(toHex(plain)).toBe(`01${toHex(DIGEST)}`);
    const scoped = encodeObjectKey({ namespace: 7, objectClass: 'structured', digest: DIGEST });
    expect(toHex(scoped)).toBe(`ff0000000702${toHex(DIGEST)}`);
    expect(toHex(objectKeyPrefix(7, 'structured'))).toBe('ff0000000702');
  });

  it('reads back, whatever it names', () => {
    const names = fc.record({
      namespace: fc.oneof(fc.constantFrom(0, 1, NAMESPACE_NUMBER_MAX), fc.nat(NAMESPACE_NUMBER_MAX)),
      objectClass: fc.constantFrom('raw' as const, 'structured' as const),
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    fc.assert(
      fc.property(names, (name) => {
        const key = encodeObjectKey(name);
        expect(parseObjectKey(key)).toEqual(name);
        expect(namespaceOfKey(key)).toBe(name.namespace);
      }),
    );
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a digest alone', DIGEST],
    ['a class 0', Uint8Array.of(0, ...DIGEST)],
    ['a class 3', Uint8Array.of(3, ...DIGEST)],
    ['a byte too many', Uint8Array.of(1, ...DIGEST, 0)],
    ['a scope without a class', Uint8Array.of(0xff, 0, 0, 0, 7, ...DIGEST)],
    ['a spelled-out scope of the default namespace', Uint8Array.of(0xff, 0, 0, 0, 0, 1, ...DIGEST)],
    ['a scope cut short', Uint8Array.of(0xff, 0, 0, 7, 1, ...DIGEST)],
    ['the key of an entry', utf8Encode('an entry whose key has 33 bytes!!')],
  ])('is not %s', (_, bytes) => {
    expect(parseObjectKey(bytes)).toBeUndefined();
  });

  it('is not made of what is no digest', () => {
    const digest = DIGEST.subarray(1);
    expect(outcomeOf(() => encodeObjectKey({ namespace: 0, objectClass: 'raw', digest }))).toBe(
      'internal/INVARIANT_BROKEN',
    );
  });

  it('may look like a key of an entry: their tables are two', () => {
    const key = encodeObjectKey({ namespace: 0, objectClass: 'raw', digest: new Uint8Array(32).fill(97) });
    expect(isScopedKey(key)).toBe(true);
  });
});
