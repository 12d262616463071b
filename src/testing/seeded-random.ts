import type { RandomBytes } from '../runtime/random.ts';

/** A reproducible source of randomness for tests; never for keys or names that must not be guessed. */
export interface SeededRandom {
  /** The next 32 bits, unsigned. */
  next(): number;
  /** An integer from 0 to `bound` - 1; `bound` from 1 to 2^32. */
  integer(bound: number): number;
  /** Fresh bytes, for every seam that takes a `RandomBytes`. */
  readonly bytes: RandomBytes;
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}

/** SplitMix32: spreads a small seed over the whole state. */
function splitMix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

/**
 * The generator xoshiro128** over a given state of four 32-bit words, not all zero.
 * @see https://prng.di.unimi.it/xoshiro128starstar.c
 */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

/**
 * Makes a generator whose whole output follows from the seed, on every machine.
 * @param seed any integer; its low 32 bits count
 */
export function seededRandom(seed: number): SeededRandom {
  const mix = splitMix(seed);
  const next = xoshiro128([mix(), mix(), mix(), mix() | 1]);
  return {
    next,
    integer: (bound) => Math.floor((next() / 2 ** 32) * bound),
    bytes: (length) => {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let index = 0; index < words.length; index += 1) words[index] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}
