/**
 * Padmé: lengths rounded up so that their binary form keeps only as many leading bits as the logarithm of its size. A
 * length then tells O(log log n) bits instead of O(log n), for at most 12 % of padding, less for larger ones.
 *
 * Nikitin, Barman, Lueks, Underwood, Hubaux, Ford: "Reducing Metadata Leakage from Encrypted Files and Communication
 * with PURBs", PETS 2019, section 4.
 */

import { checkInteger } from '../errors/argument-error.ts';

/**
 * Rounds a length up. Never shorter than the length, and the same for what is already rounded.
 * @param length bytes, from 0 to 2^52
 * @returns bytes to pad to
 * @throws TypeError or RangeError for other values
 * @example padmeBytes(1_000_000) // 1_015_808
 */
export function padmeBytes(length: number): number {
  checkInteger('length', length, { min: 0, max: 2 ** 52 });
  if (length < 2) return length;
  const exponent = floorLog2(length);
  const kept = floorLog2(exponent) + 1;
  const step = 2 ** Math.max(0, exponent - kept);
  return Math.ceil(length / step) * step;
}

// Math.log2 rounds up to whole numbers just below large powers of two.
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
