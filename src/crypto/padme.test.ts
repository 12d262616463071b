import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { padmeBytes } from './padme.ts';

/** The same rule over big integers, as the paper's algorithm 1 writes it. */
function reference(length: bigint): bigint {
  if (length < 2n) return length;
  const log2 = (value: bigint) => BigInt(value.toString(2).length - 1);
  const exponent = log2(length);
  const zeros = exponent - (log2(exponent) + 1n);
  const mask = zeros > 0n ? (1n << zeros) - 1n : 0n;
  return (length + mask) & ~mask;
}

describe('Padmé', () => {
  it.each([
    [0, 0],
    [1, 1],
    [8, 8],
    [9, 10],
    [100, 104],
    [1000, 1024],
    [65_537, 67_584],
    [1_000_000, 1_015_808],
  ])('rounds %i up to %i', (length, padded) => {
    expect(padmeBytes(length)).toBe(padded);
  });

  it('follows the published rule for every length, those at powers of two above all', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 52 }),
      fc
        .tuple(fc.integer({ min: 1, max: 51 }), fc.integer({ min: -2, max: 2 }))
        .map(([e, d]) => Math.max(0, 2 ** e + d)),
    );
    fc.assert(
      fc.property(lengths, (length) => {
        expect(BigInt(padmeBytes(length))).toBe(reference(BigInt(length)));
      }),
      { numRuns: 2000 },
    );
  });

  it('never shortens, pads at most 12 %, keeps the order and leaves what it made alone', () => {
    const lengths = Array.from({ length: 20_000 }, (_, index) => index + 1);
    const wrong = lengths.filter((length) => {
      const padded = padmeBytes(length);
      const holds = padded >= length && padded <= length * 1.12 && padded >= padmeBytes(length - 1);
      return !holds || padmeBytes(padded) !== padded;
    });
    expect(wrong).toEqual([]);
  });

  it('leaves few different lengths', () => {
    const seen = new Set<number>();
    for (let length = 0; length < 65_536; length += 1) seen.add(padmeBytes(length));
    expect(seen.size).toBeLessThan(350);
  });

  it.each([-1, 1.5, 2 ** 52 + 1, Number.NaN])('refuses %d', (length) => {
    expect(() => padmeBytes(length)).toThrow(RangeError);
  });
});
