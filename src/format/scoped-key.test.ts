import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { compareBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { ENTRY_KEY_BYTES_MAX, NAMESPACE_NUMBER_MAX } from '../limits.ts';
import { isScopedKey, namespaceOfKey, scopeKey, scopePrefix, unscopeKey } from './scoped-key.ts';

const KEY = utf8Encode('docs/Zoë.pdf');
const namespaces = fc.oneof(fc.constant(0), fc.nat(1000), fc.integer({ min: 0, max: NAMESPACE_NUMBER_MAX }));
const keys = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map(utf8Encode);

describe('a scoped key', () => {
  it('of the default namespace is the key itself', () => {
    expect(scopeKey(0, KEY)).toBe(KEY);
    expect(scopePrefix(0)).toEqual(new Uint8Array(0));
  });

  it('of another begins with what no UTF-8 begins with, and its number', () => {
    expect(toHex(scopeKey(0x8000_0102, utf8Encode('a')))).toBe('ff8000010261');
  });

  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(namespaces, keys, (namespace, key) => {
        const scoped = scopeKey(namespace, key);
        expect(isScopedKey(scoped)).toBe(true);
        expect(namespaceOfKey(scoped)).toBe(namespace);
        expect(unscopeKey(scoped)).toEqual({ namespace, key });
      }),
    );
  });

  it('sorts by namespace, the default one first, and then by key', () => {
    const pairs = fc.tuple(namespaces, keys);
    fc.assert(
      fc.property(pairs, pairs, ([one, a], [other, b]) => {
        const order = compareBytes(scopeKey(one, a), scopeKey(other, b));
        expect(order).toBe(one === other ? compareBytes(a, b) : Math.sign(one - other));
      }),
    );
  });

  it.each<[string, readonly number[]]>([
    ['nothing', []],
    ['a mark alone', [0xff]],
    ['a scope without a key', [0xff, 0, 0, 0, 7]],
    ['the default namespace, spelled out', [0xff, 0, 0, 0, 0, 0x61]],
    ['a key that is no UTF-8', [0xff, 0, 0, 0, 7, 0x80]],
    ['a scope inside a scope', [0xff, 0, 0, 0, 7, 0xff, 0, 0, 0, 8, 0x61]],
    ['a key that is too long', [0xff, 0, 0, 0, 7, ...new Array<number>(ENTRY_KEY_BYTES_MAX + 1).fill(0x61)]],
    ['an unscoped key that is too long', new Array<number>(ENTRY_KEY_BYTES_MAX + 1).fill(0x61)],
  ])('is not %s', (_, bytes) => {
    expect(isScopedKey(Uint8Array.from(bytes))).toBe(false);
  });

  it('has a number of 32 bits', () => {
    for (const namespace of [-1, 1.5, NAMESPACE_NUMBER_MAX + 1])
      expect(outcomeOf(() => scopeKey(namespace, KEY))).toBe('internal/INVARIANT_BROKEN');
  });
});
