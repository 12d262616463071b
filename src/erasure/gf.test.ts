import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GF_POLYNOMIAL, gfDivide, gfMultiply, gfPower } from './gf.ts';

const elements = fc.integer({ min: 0, max: 255 });
const divisors = fc.integer({ min: 1, max: 255 });

/** Multiplication by the book: shift and add, reduced by the polynomial. */
function slowProduct(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product <<= 1;
    if (product > 0xff) product ^= GF_POLYNOMIAL;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

describe('the field', () => {
  // The first three are the checks of klauspost/reedsolomon's and Backblaze's own tests, the rest those of our-storage.
  it.each([
    [3, 4, 12],
    [7, 7, 21],
    [23, 45, 41],
    [3, 7, 9],
    [15, 100, 38],
    [200, 255, 248],
  ])('has the product %i * %i = %i', (a, b, product) => {
    expect(gfMultiply(a, b)).toBe(product);
  });

  it.each([
    [50, 111],
    [127, 252],
    [255, 253],
    [2, 142],
  ])('has the inverse of %i: %i', (element, inverse) => {
    expect(gfDivide(1, element)).toBe(inverse);
  });

  it.each([
    [5, 20, 235],
    [2, 8, 29],
    [3, 255, 1],
    [0, 0, 1],
    [0, 7, 0],
    [7, 0, 1],
    [2, Number.MAX_SAFE_INTEGER, gfPower(2, Number.MAX_SAFE_INTEGER % 255)],
  ])('has the power %i ^ %i = %i', (base, exponent, power) => {
    expect(gfPower(base, exponent)).toBe(power);
  });

  it('multiplies as shift and add do, all 65,536 pairs', () => {
    const wrong = [];
    for (let a = 0; a < 256; a += 1) {
      for (let b = 0; b < 256; b += 1) if (gfMultiply(a, b) !== slowProduct(a, b)) wrong.push([a, b]);
    }
    expect(wrong).toEqual([]);
  });

  it('divides back what it multiplied, and distributes', () => {
    fc.assert(
      fc.property(elements, divisors, elements, (a, b, c) => {
        expect(gfDivide(gfMultiply(a, b), b)).toBe(a);
        expect(gfMultiply(a ^ c, b)).toBe(gfMultiply(a, b) ^ gfMultiply(c, b));
      }),
    );
  });

  it.each<[string, () => unknown]>([
    ['a division by 0', () => gfDivide(1, 0)],
    ['an inverse of 0', () => gfDivide(0, 0)],
    ['a factor beyond a byte', () => gfMultiply(256, 1)],
    ['a negative factor', () => gfMultiply(1, -1)],
    ['a broken base', () => gfPower(1.5, 2)],
    ['a negative exponent', () => gfPower(2, -1)],
  ])('refuses %s', (_, call) => {
    expect(call).toThrow(RangeError);
  });
});
