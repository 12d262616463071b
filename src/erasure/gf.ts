/**
 * The field GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D), with the generator 2: the field of Reed-Solomon codes in
 * QR codes, RAID 6, Backblaze's JavaReedSolomon and klauspost/reedsolomon. (AES has another, 0x11B.) Addition and
 * subtraction are exclusive or.
 *
 * Looks tables up by value, so it is not constant in time: for coding, never for secrets.
 */
import { checkInteger } from '../errors/argument-error.ts';

/** The polynomial of the field, with its highest term. */
export const GF_POLYNOMIAL = 0x11d;
/** Elements other than 0; the order of the generator. */
export const GF_ORDER = 255;

/** Powers of the generator, twice over, so that a sum of two logarithms needs no reduction. */
const POWERS = new Uint8Array(2 * GF_ORDER);
/** Logarithms to the generator; that of 0, which has none, is never used. */
const LOGS = new Uint8Array(256);

for (let exponent = 0, power = 1; exponent < GF_ORDER; exponent += 1) {
  POWERS[exponent] = power;
  POWERS[exponent + GF_ORDER] = power;
  LOGS[power] = exponent;
  power <<= 1;
  if (power > 0xff) power ^= GF_POLYNOMIAL;
}

const ELEMENT = { min: 0, max: 0xff } as const;

/** The logarithm of an element other than 0, which the caller has checked. */
export function logOf(element: number): number {
  return LOGS[element]!;
}

/** The power of the generator with this exponent, 0 to 509. */
export function powerOf(exponent: number): number {
  return POWERS[exponent]!;
}

/**
 * The product of two elements.
 * @throws TypeError or RangeError for what is no byte
 */
export function gfMultiply(a: number, b: number): number {
  checkInteger('a', a, ELEMENT);
  checkInteger('b', b, ELEMENT);
  return a === 0 || b === 0 ? 0 : powerOf(logOf(a) + logOf(b));
}

/**
 * The quotient of two elements.
 * @param divisor not 0
 * @throws TypeError or RangeError for what is no byte, and for a divisor of 0
 */
export function gfDivide(dividend: number, divisor: number): number {
  checkInteger('dividend', dividend, ELEMENT);
  checkInteger('divisor', divisor, { min: 1, max: 0xff });
  return dividend === 0 ? 0 : powerOf(logOf(dividend) + GF_ORDER - logOf(divisor));
}

/**
 * An element multiplied with itself `exponent` times; 1 for the exponent 0, also of 0.
 * @param exponent from 0 on
 * @throws TypeError or RangeError for what is no byte or no exponent
 */
export function gfPower(base: number, exponent: number): number {
  checkInteger('base', base, ELEMENT);
  checkInteger('exponent', exponent, { min: 0 });
  if (exponent === 0) return 1;
  // Reduced first: the product of logarithm and exponent need not be a safe integer.
  return base === 0 ? 0 : powerOf((logOf(base) * (exponent % GF_ORDER)) % GF_ORDER);
}
