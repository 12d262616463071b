import { describe, expect, it } from 'vitest';
import { gfDivide, gfMultiply, gfPower } from './gf.ts';
import { coefficientsOf } from './interpolation.ts';

type Matrix = number[][];

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0]!.map((_, column) => row.reduce((sum, x, i) => sum ^ gfMultiply(x, b[i]![column]!), 0)));
}

/** Gauss-Jordan, as Backblaze and klauspost/reedsolomon do it. */
function inverse(matrix: Matrix): Matrix {
  const size = matrix.length;
  const work = matrix.map((row, at) => [...row, ...row.map((_, column) => Number(column === at))]);
  for (let at = 0; at < size; at += 1) {
    const pivot = work.findIndex((row, index) => index >= at && row[at] !== 0);
    if (pivot < 0) throw new Error('singular');
    [work[at], work[pivot]] = [work[pivot]!, work[at]!];
    const scale = work[at]![at]!;
    work[at] = work[at]!.map((value) => gfDivide(value, scale));
    for (let other = 0; other < size; other += 1) {
      const factor = work[other]![at]!;
      if (other !== at) work[other] = work[other]!.map((value, i) => value ^ gfMultiply(factor, work[at]![i]!));
    }
  }
  return work.map((row) => row.slice(size));
}

/** The code matrix by its other definition: Vandermonde times the inverse of its top square. */
function codeMatrix(k: number, m: number): Matrix {
  const vandermonde = range(0, k + m).map((row) => range(0, k).map((column) => gfPower(row, column)));
  return product(vandermonde, inverse(vandermonde.slice(0, k)));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function rows(coefficients: Uint8Array, columns: number): Matrix {
  return range(0, coefficients.length / columns).map((row) => [
    ...coefficients.subarray(row * columns, (row + 1) * columns),
  ]);
}

describe('the coefficients of parity', () => {
  // Rows of klauspost/reedsolomon's matrix.
  it.each([
    [2, 1, [[3, 2]]],
    [
      3,
      2,
      [
        [1, 1, 1],
        [15, 8, 6],
      ],
    ],
    [
      4,
      2,
      [
        [27, 28, 18, 20],
        [28, 27, 20, 18],
      ],
    ],
  ])('of %i+%i are the known ones', (k, m, expected) => {
    expect(rows(coefficientsOf(range(0, k), range(k, k + m)), k)).toEqual(expected);
  });

  it.each([
    [1, 4],
    [5, 4],
    [7, 8],
    [10, 4],
    [20, 20],
    [40, 215],
  ])('of %i+%i are Vandermonde times the inverse of its top square', (k, m) => {
    expect(rows(coefficientsOf(range(0, k), range(k, k + m)), k)).toEqual(codeMatrix(k, m).slice(k));
  });
});

describe('the coefficients of lost shards', () => {
  it('are rows of the code matrix times the inverse of the rows that are left', () => {
    const [k, m] = [7, 8];
    const matrix = codeMatrix(k, m);
    for (const sources of [
      [1, 3, 5, 7, 9, 11, 13],
      [8, 9, 10, 11, 12, 13, 14],
      [0, 1, 2, 3, 4, 8, 9],
    ]) {
      const targets = range(0, k + m).filter((index) => !sources.includes(index));
      const decode = inverse(sources.map((index) => matrix[index]!));
      const expected = product(
        targets.map((index) => matrix[index]!),
        decode,
      );
      expect(rows(coefficientsOf(sources, targets), k)).toEqual(expected);
    }
  });

  it('are never 0: every shard depends on all of any k others', () => {
    const all = coefficientsOf(range(100, 200), [...range(0, 100), ...range(200, 255)]);
    expect(all).not.toContain(0);
  });
});
