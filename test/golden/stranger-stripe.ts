/**
 * A decoder of stripes as somebody would write it who has `docs/format.md`, section "Parity", and no code of ours: GF(2^8)
 * bit by bit, a matrix inverted by hand.
 */
import assert from 'node:assert/strict';
import type { ReadShard } from './stranger-reader.ts';

function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    if ((b >> bit) & 1) product ^= a << bit;
  }
  for (let bit = 14; bit >= 8; bit -= 1) {
    if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  }
  return product;
}

function power(base: number, exponent: number): number {
  return exponent === 0 ? 1 : times(base, power(base, exponent - 1));
}

/** a^254, because a^255 is 1. */
function inverse(a: number): number {
  return power(a, 254);
}

type Matrix = readonly (readonly number[])[];

function product(a: Matrix, b: Matrix): number[][] {
  return a.map((row) =>
    (b[0] ?? []).map((_, column) => row.reduce((sum, value, at) => sum ^ times(value, b[at]?.[column] ?? 0), 0)),
  );
}

/** Gauss and Jordan. */
function inverted(matrix: Matrix): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, column) => Number(column === at))]);
  for (let column = 0; column < size; column += 1) {
    const pivot = rows.findIndex((row, at) => at >= column && row[column] !== 0);
    assert(pivot >= 0, 'the rows are independent');
    [rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []];
    const scale = inverse(rows[column]?.[column] ?? 0);
    rows[column] = (rows[column] ?? []).map((value) => times(value, scale));
    for (const [at, row] of rows.entries()) {
      const factor = row[column] ?? 0;
      if (at === column || factor === 0) continue;
      rows[at] = row.map((value, place) => value ^ times(factor, rows[column]?.[place] ?? 0));
    }
  }
  return rows.map((row) => row.slice(size));
}

/** C = V T^-1. */
function codeMatrix(k: number, m: number): number[][] {
  const vandermonde = Array.from({ length: k + m }, (_, row) => Array.from({ length: k }, (__, c) => power(row, c)));
  return product(vandermonde, inverted(vandermonde.slice(0, k)));
}

/** The pack of a stripe from any k of its shards. */
export function joinShards(shards: readonly ReadShard[], packBytes: number): Buffer {
  const [first] = shards;
  assert(first);
  const { k, m, stripeId } = first;
  assert(shards.every((shard) => shard.stripeId === stripeId && shard.k === k && shard.m === m));
  if (k === 1) return first.data;
  assert.equal(shards.length, k);
  const code = codeMatrix(k, m);
  const decode = inverted(shards.map(({ index }) => code[index] ?? []));
  const tables = decode.map((row) =>
    row.map((factor) => Array.from({ length: 256 }, (_, byte) => times(factor, byte))),
  );
  const data = tables.map((row) =>
    first.data.map((_, at) => row.reduce((sum, table, from) => sum ^ (table[shards[from]?.data[at] ?? 0] ?? 0), 0)),
  );
  return Buffer.concat(data).subarray(0, packBytes);
}
