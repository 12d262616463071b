/**
 * The coefficients of the code, by interpolation.
 *
 * A byte column of k data shards is taken as the values, at the points 0 to k-1, of the one polynomial of degree below k
 * that has them; shard i of the stripe holds its value at the point i. So any k shards determine the polynomial, and with
 * it all others: there is no set of k shards that cannot be decoded (the code is MDS), and no matrix to invert. The value
 * at a point t follows from those at the points S by Lagrange's formula; subtraction is exclusive or:
 *
 *     value(t) = sum over s in S of value(s) * L(s, t),    L(s, t) = product over i in S, i != s, of (t - i) / (s - i)
 *
 * This is the code of Backblaze and klauspost/reedsolomon (`New` without options): the (k+m) by k Vandermonde matrix,
 * entry r^c, times the inverse of its top square. The inverse takes values at 0 to k-1 to the polynomial, the matrix the
 * polynomial to its values at 0 to k+m-1. A test holds the two against each other.
 */
import { invariant } from '../errors/store-error.ts';
import { GF_ORDER, logOf, powerOf } from './gf.ts';

/** Sum of the logarithms of the distances of `point` to all sources but itself. */
function logDistances(sources: readonly number[], point: number): number {
  let sum = 0;
  for (const source of sources) if (source !== point) sum += logOf(source ^ point);
  return sum;
}

/**
 * What each source shard contributes to each target shard.
 * @param sources as many different shard indexes as there are data shards
 * @param targets shard indexes, none of them among the sources
 * @returns the coefficients, row by row: that of source s in target t at `t * sources.length + s`; never 0
 */
export function coefficientsOf(sources: readonly number[], targets: readonly number[]): Uint8Array {
  const count = sources.length;
  const own = sources.map((source) => logDistances(sources, source));
  const coefficients = new Uint8Array(targets.length * count);
  for (const [row, target] of targets.entries()) {
    invariant(!sources.includes(target), 'a shard that is there is not made anew');
    const all = logDistances(sources, target);
    for (const [column, source] of sources.entries()) {
      // Up to 254 logarithms of up to 254 are taken away; adding enough orders keeps the exponent positive.
      const exponent = all - logOf(source ^ target) - own[column]! + GF_ORDER * GF_ORDER;
      coefficients[row * count + column] = powerOf(exponent % GF_ORDER);
    }
  }
  return coefficients;
}
