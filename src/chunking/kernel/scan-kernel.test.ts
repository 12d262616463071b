import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gearTable } from '../gear-table.ts';
import type { ScanKernel } from './scan-kernel.ts';
import { twinKernel } from './scan-twin.ts';
import { wasmKernel } from './scan-wasm.ts';

/** Bytes of a linear congruential generator (Knuth's MMIX constants), one value in `alphabet` many. */
function noise({
  seed,
  length,
  alphabet,
}: {
  readonly seed: number;
  readonly length: number;
  readonly alphabet: number;
}) {
  let state = BigInt(seed);
  return Uint8Array.from({ length }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 33n) % alphabet;
  });
}

const WINDOW = 16_384;

/** Biased to lengths around the kernel's own boundaries: unrolling, lanes, window. */
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 1200 }),
  fc.integer({ min: -9, max: 9 }).map((delta) => WINDOW + delta),
  fc.integer({ min: 0, max: 3 * WINDOW }),
);
const contents = fc
  .record({ seed: fc.nat(), length: lengths, alphabet: fc.constantFrom(1, 2, 7, 256) })
  .map((shape) => noise(shape));
/** One to sixteen bits: the fewer, the sooner a byte fires. */
const masks = fc
  .uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 16 })
  .map((bits) => bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n));
const words64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

function hi(word: bigint): number {
  return Number(word >> 32n);
}

function lo(word: bigint): number {
  return Number(word & 0xffffffffn);
}

describe('the WebAssembly kernel and its twin', () => {
  it('agree on gear: where it fires and what the hash is there', () => {
    fc.assert(
      fc.property(contents, masks, words64, words64, (bytes, mask, hash, seed) => {
        const start = { maskHi: hi(mask), maskLo: lo(mask), hashHi: hi(hash), hashLo: lo(hash) };
        const [one, two] = [
          { table: gearTable(seed), ...start },
          { table: gearTable(seed), ...start },
        ];
        expect(wasmKernel().gear(bytes, one)).toBe(twinKernel.gear(bytes, two));
        expect(one).toEqual(two);
      }),
      { numRuns: 300 },
    );
  });

  it('agree on Buzhash: where it fires and what the state is there', () => {
    const histories = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const states = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(contents, histories, states, fc.integer({ min: 1, max: 25 }), (bytes, history, state, bits) => {
        const start = { mask: 2 ** bits - 1, history, state };
        const [one, two] = [{ ...start }, { ...start }];
        expect(wasmKernel().buzhash(bytes, one)).toBe(twinKernel.buzhash(bytes, two));
        expect(one).toEqual(two);
      }),
      { numRuns: 300 },
    );
  });
});

const kernels: [string, ScanKernel][] = [
  ['WebAssembly', wasmKernel()],
  ['twin', twinKernel],
];

describe.each(kernels)('the gear scan of the %s kernel', (_, kernel) => {
  const bytes = noise({ seed: 1, length: 5000, alphabet: 256 });

  it('rolls as the definition says', () => {
    const table = gearTable(0n);
    let expected = 0n;
    for (const byte of bytes) {
      const gear = (BigInt(table[2 * byte + 1]!) << 32n) | BigInt(table[2 * byte]!);
      expected = BigInt.asUintN(64, (expected << 1n) + gear);
    }
    const roll = { table, maskHi: 0xffffffff, maskLo: 0xffffffff, hashHi: 0, hashLo: 0 };
    expect(kernel.gear(bytes, roll)).toBe(-1);
    expect([roll.hashHi, roll.hashLo]).toEqual([hi(expected), lo(expected)]);
  });

  it('keeps nothing between calls, so rolls may alternate', () => {
    const rolls = [0n, 5n].map((seed) => ({
      table: gearTable(seed),
      maskHi: 0xffffffff,
      maskLo: 0xffffffff,
      hashHi: 0,
      hashLo: 0,
    }));
    const whole = rolls.map((roll) => ({ ...roll }));
    for (const roll of whole) kernel.gear(bytes, roll);
    for (let start = 0; start < bytes.length; start += 777) {
      for (const roll of rolls) kernel.gear(bytes.subarray(start, start + 777), roll);
    }
    expect(rolls).toEqual(whole);
  });
});
