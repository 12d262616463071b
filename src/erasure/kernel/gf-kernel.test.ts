import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/seeded-random.ts';
import { gfMultiply } from '../gf.ts';
import type { GfKernel } from './gf-kernel.ts';
import { twinKernel } from './gf-twin.ts';
import { gfKernel } from './gf-wasm.ts';

interface Shape {
  readonly seed: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly length: number;
  /** Bytes before each array, so that nothing is aligned. */
  readonly skew: number;
  /** Rows, from the first, all coefficients of which are 1. */
  readonly sums?: number;
}

/** Lengths around the steps of the kernel, and around its windows for few and for many inputs. */
const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.record({ inputs: between(1, 40), length: between(0, 300) }) },
  { weight: 2, arbitrary: fc.record({ inputs: between(1, 3), length: between(16_384 - 65, 16_384 + 65) }) },
  { weight: 1, arbitrary: fc.record({ inputs: between(250, 254), length: between(2600, 2800) }) },
);
const shapes: fc.Arbitrary<Shape> = fc
  .record({ seed: fc.nat(), size: sizes, outputs: between(1, 11), skew: between(0, 17), sums: between(0, 2) })
  .map(({ size, ...shape }) => ({ ...shape, ...size }));

function between(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}

function sameBytes(ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): boolean {
  return ours.length === theirs.length && ours.every((bytes, row) => Buffer.compare(bytes, theirs[row]!) === 0);
}

function arraysOf(shape: Shape) {
  const random = seededRandom(shape.seed);
  const arrays = (count: number) =>
    Array.from({ length: count }, () => random.bytes(shape.skew + shape.length).subarray(shape.skew));
  return {
    coefficients: random.bytes(shape.inputs * shape.outputs).fill(1, 0, (shape.sums ?? 0) * shape.inputs),
    inputs: arrays(shape.inputs),
    outputs: arrays(shape.outputs),
  };
}

describe('the WebAssembly kernel', () => {
  it('runs here, and is not its twin', () => {
    expect(gfKernel()).not.toBe(twinKernel);
  });

  it('gives what its twin gives, and leaves its inputs alone', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const [ours, theirs] = [arraysOf(shape), arraysOf(shape)];
        gfKernel().multiply(ours.coefficients, ours.inputs, ours.outputs);
        twinKernel.multiply(theirs.coefficients, theirs.inputs, theirs.outputs);
        expect(sameBytes(ours.outputs, theirs.outputs)).toBe(true);
        expect(sameBytes(ours.inputs, arraysOf(shape).inputs)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  it('may be given two matrices in turn', () => {
    const shape = { inputs: 3, outputs: 5, length: 100, skew: 1 };
    const [one, two] = [arraysOf({ seed: 1, ...shape }), arraysOf({ seed: 2, ...shape })];
    one.coefficients.fill(1, 0, 3);
    for (const _ of [1, 2]) {
      for (const { coefficients, inputs, outputs } of [one, two]) {
        gfKernel().multiply(coefficients, inputs, outputs);
        const expected = outputs.map((bytes) => new Uint8Array(bytes.length));
        twinKernel.multiply(coefficients, inputs, expected);
        expect(outputs).toEqual(expected);
      }
    }
  });

  it('takes the largest matrix there is', () => {
    const { coefficients, inputs, outputs } = arraysOf({ seed: 3, inputs: 128, outputs: 127, length: 3000, skew: 0 });
    const expected = outputs.map(() => new Uint8Array(3000));
    gfKernel().multiply(coefficients, inputs, outputs);
    twinKernel.multiply(coefficients, inputs, expected);
    expect(sameBytes(outputs, expected)).toBe(true);
  });
});

describe.each<[string, GfKernel]>([
  ['WebAssembly', gfKernel()],
  ['twin', twinKernel],
])('the %s kernel', (_, kernel) => {
  it('multiplies every byte by every coefficient', () => {
    const bytes = Uint8Array.from({ length: 256 }, (__, byte) => byte);
    for (let coefficient = 0; coefficient < 256; coefficient += 1) {
      const output = new Uint8Array(256);
      kernel.multiply(Uint8Array.of(coefficient), [bytes], [output]);
      expect(output.findIndex((product, byte) => product !== gfMultiply(coefficient, byte))).toBe(-1);
    }
  });

  it('writes no byte beyond its outputs', () => {
    const memory = new Uint8Array(130).fill(7);
    kernel.multiply(Uint8Array.of(1), [new Uint8Array(65)], [memory.subarray(32, 97)]);
    expect(memory.filter((byte) => byte === 7)).toHaveLength(65);
    expect([memory[31], memory[97]]).toEqual([7, 7]);
  });
});
