import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { EMPTY_ENTRY, FULL_ENTRY, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { equalBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { ATTRIBUTES_BYTES_MAX, CONTENT_TYPE_BYTES_MAX, MANIFEST_INLINE_BYTES_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { decodeEntry, encodeEntry, entryVersion } from './entry.ts';
import type { EntryValue } from './types.ts';

const TYPED_OUTCOMES = ['no error', 'corrupt/ENTRY_CORRUPT', 'unsupported/FORMAT_UNSUPPORTED'];
const VALUES = decodeCbor(encodeEntry(FULL_ENTRY), failWith('ENTRY_CORRUPT', 'sample')) as readonly CborValue[];

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const texts = fc.string({ unit: 'grapheme', maxLength: 40 });
const entries: fc.Arbitrary<EntryValue> = fc
  .record(
    {
      digest: digests,
      size: fc.maxSafeNat(),
      root: digests,
      manifest: fc.oneof(
        digests.map((id) => ({ id })),
        fc.uint8Array({ minLength: 1, maxLength: 200 }).map((inline) => ({ inline })),
      ),
      contentType: texts,
      attributes: fc.dictionary(texts, texts, { maxKeys: 8, noNullPrototype: true }),
      parent: digests,
    },
    { requiredKeys: ['digest', 'size', 'root', 'manifest', 'attributes'] },
  )
  .map((entry) => ({ ...entry, chunkCount: Math.min(entry.size, 1 + Math.floor(entry.size / 3)) }));

describe('an entry value', () => {
  it('reads back', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const bytes = encodeEntry(entry);
        const decoded = decodeEntry(bytes);
        expect(decoded).toEqual(entry);
        expect(encodeEntry(decoded)).toEqual(bytes);
      }),
    );
  });

  it('of empty content, and of everything, reads back', () => {
    for (const entry of [EMPTY_ENTRY, FULL_ENTRY]) expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
  });

  it('has its attributes in byte order of their names, however they were given', () => {
    const given = { zz: '1', é: '2', a: '3', '': '4', Z: '5' };
    const bytes = encodeEntry({ ...FULL_ENTRY, attributes: given });
    const reversed = Object.fromEntries(Object.entries(given).reverse());
    expect(encodeEntry({ ...FULL_ENTRY, attributes: reversed })).toEqual(bytes);
    expect(Object.keys(decodeEntry(bytes).attributes)).toEqual(['', 'Z', 'a', 'zz', 'é']);
  });

  it('keeps attributes with names that are special in JavaScript', () => {
    const attributes = JSON.parse('{"__proto__": "x", "constructor": "y"}');
    const decoded = decodeEntry(encodeEntry({ ...FULL_ENTRY, attributes })).attributes;
    expect(Object.entries(decoded)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it('shares no memory with what it was read from', () => {
    const bytes = Buffer.from(encodeEntry(FULL_ENTRY));
    const entry = decodeEntry(bytes);
    bytes.fill(0);
    expect(entry).toEqual(FULL_ENTRY);
  });

  it('has another encoding for every other value: a flipped bit is noticed or read faithfully', () => {
    const bytes = encodeEntry(FULL_ENTRY);
    for (const { bit, bytes: flipped } of bitFlips(bytes)) {
      let decoded: EntryValue | undefined;
      const outcome = outcomeOf(() => {
        decoded = decodeEntry(flipped);
      });
      expect(TYPED_OUTCOMES, `bit ${bit}`).toContain(outcome);
      if (decoded) expect(equalBytes(encodeEntry(decoded), flipped), `bit ${bit}`).toBe(true);
    }
  });

  it('notices when it is cut short', () => {
    for (const bytes of truncations(encodeEntry(FULL_ENTRY))) {
      expect(outcomeOf(() => decodeEntry(bytes))).toBe('corrupt/ENTRY_CORRUPT');
    }
  });

  it.each<[string, number, CborValue, string]>([
    ['version 2', 0, 2, 'unsupported/FORMAT_UNSUPPORTED'],
    ['a short digest', 1, patternBytes(31, 1), 'corrupt/ENTRY_CORRUPT'],
    ['a negative size', 2, -1, 'corrupt/ENTRY_CORRUPT'],
    ['no chunks for some bytes', 3, 0, 'corrupt/ENTRY_CORRUPT'],
    ['more chunks than bytes', 3, FULL_ENTRY.size + 1, 'corrupt/ENTRY_CORRUPT'],
    ['a long root', 4, patternBytes(33, 1), 'corrupt/ENTRY_CORRUPT'],
    ['a manifest of another form', 5, [2, patternBytes(32, 1)], 'corrupt/ENTRY_CORRUPT'],
    ['a manifest with more to it', 5, [1, patternBytes(32, 1), 0], 'corrupt/ENTRY_CORRUPT'],
    ['an empty inline manifest', 5, [0, new Uint8Array(0)], 'corrupt/ENTRY_CORRUPT'],
    ['the largest inline manifest', 5, [0, new Uint8Array(MANIFEST_INLINE_BYTES_MAX)], 'no error'],
    ['a larger inline manifest', 5, [0, new Uint8Array(MANIFEST_INLINE_BYTES_MAX + 1)], 'corrupt/ENTRY_CORRUPT'],
    ['a content type in bytes', 6, utf8Encode('text/plain'), 'corrupt/ENTRY_CORRUPT'],
    ['the longest content type', 6, 'x'.repeat(CONTENT_TYPE_BYTES_MAX), 'no error'],
    ['a longer content type', 6, 'x'.repeat(CONTENT_TYPE_BYTES_MAX + 1), 'corrupt/ENTRY_CORRUPT'],
    ['attributes in a list', 7, [], 'corrupt/ENTRY_CORRUPT'],
    ['an attribute that is a number', 7, new Map([['a', 1]]), 'corrupt/ENTRY_CORRUPT'],
    ['attributes as large as may be', 7, new Map([['a', 'x'.repeat(ATTRIBUTES_BYTES_MAX - 6)]]), 'no error'],
    ['larger attributes', 7, new Map([['a', 'x'.repeat(ATTRIBUTES_BYTES_MAX - 5)]]), 'corrupt/ENTRY_CORRUPT'],
    ['an empty parent', 8, new Uint8Array(0), 'corrupt/ENTRY_CORRUPT'],
  ])('that was written with %s', (_, index, value, outcome) => {
    expect(outcomeOf(() => decodeEntry(encodeCbor(VALUES.with(index, value))))).toBe(outcome);
  });

  it('with a value too few or too many is damage', () => {
    expect(outcomeOf(() => decodeEntry(encodeCbor(VALUES.slice(0, -1))))).toBe('corrupt/ENTRY_CORRUPT');
    expect(outcomeOf(() => decodeEntry(encodeCbor([...VALUES, 0])))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it.each<[string, Partial<EntryValue>, string]>([
    ['a negative size', { size: -1 }, 'RangeError'],
    ['no chunks for some bytes', { chunkCount: 0 }, 'RangeError'],
    ['a lone surrogate in its content type', { contentType: '\ud800' }, 'RangeError'],
    ['a content type too long in bytes', { contentType: 'é'.repeat(129) }, 'RangeError'],
    ['a lone surrogate in a name', { attributes: { '\udfff': '' } }, 'RangeError'],
    ['a lone surrogate in a value', { attributes: { a: '\ud800x' } }, 'RangeError'],
    ['attributes too large', { attributes: { a: 'x'.repeat(ATTRIBUTES_BYTES_MAX) } }, 'RangeError'],
    ['an empty inline manifest', { manifest: { inline: new Uint8Array(0) } }, 'RangeError'],
    ['a large inline manifest', { manifest: { inline: new Uint8Array(16_385) } }, 'RangeError'],
    ['a short manifest id', { manifest: { id: new Uint8Array(16) } }, 'internal/INVARIANT_BROKEN'],
    ['a short parent', { parent: new Uint8Array(16) }, 'internal/INVARIANT_BROKEN'],
    ['a short digest', { digest: new Uint8Array(16) }, 'internal/INVARIANT_BROKEN'],
  ])('is not written with %s', (_, change, outcome) => {
    expect(outcomeOf(() => encodeEntry({ ...FULL_ENTRY, ...change }))).toBe(outcome);
  });
});

describe('the version of an entry', () => {
  const version = toHex(entryVersion(FULL_ENTRY));

  it('is the one it always was', () => {
    expect(version).toBe('ad5b8f0d55b72ae4fcbbdeefc3a1a4671eea9a409739ba7e1cc19c427b3906e5');
    expect(toHex(entryVersion(EMPTY_ENTRY))).toBe('2696b70b2561e30e3d5476fa52f5211d4c05b5c23c141080acbb77d648bc1b96');
  });

  it('is the same however the content was cut', () => {
    const recut = {
      ...FULL_ENTRY,
      chunkCount: 7,
      root: patternBytes(32, 99),
      manifest: { inline: patternBytes(9, 1) },
    };
    expect(toHex(entryVersion(recut))).toBe(version);
  });

  it.each<[string, Partial<EntryValue>]>([
    ['digest', { digest: patternBytes(32, 98) }],
    ['size', { size: FULL_ENTRY.size + 1 }],
    ['content type', { contentType: 'text/plain' }],
    ['attribute', { attributes: { author: 'Zoë 🦭', 'x-empty': ' ' } }],
    ['parent', { parent: patternBytes(32, 97) }],
  ])('is another one for another %s', (_, change) => {
    expect(toHex(entryVersion({ ...FULL_ENTRY, ...change }))).not.toBe(version);
  });

  it('tells absent from empty', () => {
    const absent = toHex(entryVersion(EMPTY_ENTRY));
    expect(toHex(entryVersion({ ...EMPTY_ENTRY, contentType: '' }))).not.toBe(absent);
  });
});
