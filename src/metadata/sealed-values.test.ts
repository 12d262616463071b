import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeValues, encodeValues } from './sealed-values.ts';

const values = fc.array(
  fc.oneof(
    fc.constantFrom(0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48, Number.MAX_SAFE_INTEGER),
    fc.maxSafeNat(),
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 400 }),
  ),
  { maxLength: 12 },
);

it('values of a row come out as they went in, at a multiple of the padding', () => {
  fc.assert(
    fc.property(values, fc.constantFrom(1, 16, 64), (row, padBytes) => {
      const encoded = encodeValues(row, padBytes);
      expect(encoded.length % padBytes).toBe(0);
      expect(decodeValues(encoded, row.length)).toEqual(row);
    }),
  );
});

it('a different number of values is not read, nor are shorter bytes or bytes after the end', () => {
  fc.assert(
    fc.property(values, (row) => {
      const encoded = encodeValues([...row, 7], 1);
      expect(decodeValues(encoded, row.length)).toBeUndefined();
      expect(decodeValues(encoded, row.length + 2)).toBeUndefined();
      expect(decodeValues(encoded.subarray(0, -1), row.length + 1)).toBeUndefined();
    }),
  );
});

it.each([
  { what: 'an unknown type', bytes: [0x51, 1] },
  { what: 'a number beyond 2^53-1', bytes: [0x18, 255, 255, 255, 255, 255, 255, 255, 255] },
  { what: 'a length past the end', bytes: [0x21, 9, 1, 2] },
  { what: 'nothing', bytes: [] },
])('$what is no value', ({ bytes }) => {
  expect(decodeValues(Uint8Array.from(bytes), 1)).toBeUndefined();
});

it('refuses numbers that no row holds', () => {
  for (const value of [-1, 1.5, 2 ** 53, 5n]) {
    expect(() => encodeValues([value], 16)).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
  }
});
