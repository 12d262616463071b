/**
 * The object texts of the predecessor snapshot-store, and where canonical JSON by RFC 8785 gives the same ids. It sorts
 * names by code point and writes numbers as Python does; RFC 8785 sorts by UTF-16 code unit and writes them as JavaScript.
 */
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { blake3, digestOf } from '../hash/index.ts';
import { encodeCanonicalJson, parseCanonicalJson } from './canonical-json.ts';
import { createBundle } from './edit-objects.ts';
import { objectId } from './object.ts';
import { parseJsonStrict } from './strict-json.ts';

/** Text, BLAKE3, SHA-256. */
const SAME: readonly (readonly [string, string, string])[] = [
  [
    '{"a":1,"b":2,"c":3}',
    '8805acafa18d80480603aebd695075f5fdecb7d9cb381523db2e2e30a1ecc128',
    'e6a3385fb77c287a712e7f406a451727f0625041823ecf23bea7ef39b2e39805',
  ],
  [
    '{"content":"SGVsbG8sIFdvcmxkIQ==","type":"blob"}',
    '38f2771fd843344ed2697729ac210ca2d101a66efd56aa9b304f54fc8afcec35',
    '34dff8e323624d992a20f91754fe45aa6fc46d145d9ac33157ec733be3dbf203',
  ],
  [
    '{"content":"","type":"blob"}',
    '5fc14d4a0726139a861b78b7e99a115add59be29d99ad85d2f1aed648484a0cb',
    '421fe3de00ffdb1eaf80c0757b70b70346dcdd4bffd57964f84c362103d94d60',
  ],
  [
    '{"content":{"operations":[],"sequence":1},"type":"bundle"}',
    'b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21',
    'd9732c01037c54d066310390e56e989631848d2d68fe6b78b9c54c3a82cde0be',
  ],
];

/** A number as snapshot-store writes it, and as we do; `undefined` where we refuse it, since it would be another one. */
const NUMBERS: readonly (readonly [string, string | undefined])[] = [
  ['1.0', '1'],
  ['0.1', '0.1'],
  ['1e+16', '10000000000000000'],
  ['1e-07', '1e-7'],
  ['123456789012345678901234567890', undefined],
  ['-0.0', '0'],
  ['1e+21', '1e+21'],
  ['1.5e+300', '1.5e+300'],
  ['100000.0', '100000'],
  ['1000000000000000.0', '1000000000000000'],
];

describe('the texts of snapshot-store', () => {
  it.each(SAME)('have the same id here: %s', (text, id, sha256) => {
    const bytes = encodeCanonicalJson(JSON.parse(text));
    expect(utf8Decode(bytes)).toBe(text);
    expect(toHex(blake3(bytes))).toBe(id);
    expect(toHex(digestOf('sha256', bytes))).toBe(sha256);
    expect(parseCanonicalJson(utf8Encode(text))).toEqual(JSON.parse(text));
  });

  it('give a bundle the same id here', () => {
    const id = objectId(createBundle({ sequence: 1, operations: [] }));
    expect(id).toBe('b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21');
  });

  it.each(NUMBERS)('may hold the number %s, which is %s here', (theirs, ours) => {
    if (ours === undefined) {
      expect(outcomeOf(() => parseJsonStrict(theirs))).toBe('invalid/OBJECT_INVALID');
      return;
    }
    expect(utf8Decode(encodeCanonicalJson(parseJsonStrict(theirs)))).toBe(ours);
    // The id is the same exactly where the spelling is.
    const isSame = outcomeOf(() => parseCanonicalJson(utf8Encode(theirs))) === 'no error';
    expect(isSame).toBe(theirs === ours);
  });

  it('sort names by code point, which differs from U+E000 on', () => {
    const theirs = ['ctrl', 'é', '\uffff', '\u{1f600}'];
    const value = Object.fromEntries(theirs.map((name) => [name, 0]));
    const ours = Object.keys(parseCanonicalJson(encodeCanonicalJson(value)) as object);
    expect(ours).toEqual(['ctrl', 'é', '\u{1f600}', '\uffff']);
    expect(ours.filter((name) => name !== '\uffff')).toEqual(theirs.filter((name) => name !== '\uffff'));
  });

  it('escape control characters and nothing else, as we do', () => {
    expect(utf8Decode(encodeCanonicalJson('\u0001\u007f\u2028é'))).toBe('"\\u0001\u007f\u2028é"');
  });
});
