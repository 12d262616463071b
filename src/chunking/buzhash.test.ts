import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB } from '../limits.ts';
import { BUZHASH_WORDS } from './buzhash-table.ts';
import { createChunkerOver } from './chunker.ts';
import type { ScanKernel } from './kernel/scan-kernel.ts';
import { twinKernel } from './kernel/scan-twin.ts';
import { wasmKernel } from './kernel/scan-wasm.ts';
import { CHUNKING_PROFILES } from './profiles.ts';
import type { BuzhashSpec } from './spec.ts';

/** s = s * 6364136223846793005 + 1442695040888963407 mod 2^64 from `seed`, byte = s >> 56. */
function generated(seed: bigint, length: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 56n);
  });
}

/** Where boxo would end the first chunk: the window hashed anew at every place. */
function referenceCut(content: Uint8Array, spec: BuzhashSpec): number {
  const end = Math.min(content.length, spec.max);
  for (let length = spec.min; length < end; length += 1) {
    let state = 0;
    for (const byte of content.subarray(length - spec.window, length)) {
      state = ((state << 1) | (state >>> 31)) ^ BUZHASH_WORDS[byte]!;
    }
    if ((state & (2 ** spec.maskBits - 1)) === 0) return length;
  }
  return end;
}

function referenceLengths(content: Uint8Array, spec: BuzhashSpec): number[] {
  const lengths: number[] = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(lengths.at(-1)!))
    lengths.push(referenceCut(rest, spec));
  return lengths;
}

describe('the Buzhash table', () => {
  it('begins and ends as in boxo', () => {
    expect([...BUZHASH_WORDS.subarray(0, 3)]).toEqual([0x6236e7d5, 0x10279b0b, 0x72818182]);
    expect([...BUZHASH_WORDS.subarray(254)]).toEqual([0x9053e259, 0x5c41857d]);
    expect(new Set(BUZHASH_WORDS).size).toBe(256);
  });
});

const kernels: [string, ScanKernel][] = [
  ['WebAssembly', wasmKernel()],
  ['twin', twinKernel],
];

describe.each(kernels)('Buzhash over the %s kernel', (_, kernel) => {
  function lengths(content: Uint8Array, spec: BuzhashSpec = CHUNKING_PROFILES.buzhash): number[] {
    const chunker = createChunkerOver(spec, kernel);
    return [...chunker.push(content), ...chunker.finish()].map((chunk) => chunk.length);
  }

  it('cuts 4 MiB of generated content as boxo does', () => {
    expect(lengths(generated(1n, 4 * MIB))).toEqual([
      155739, 211123, 169579, 266407, 257669, 152829, 211587, 179311, 317109, 163720, 524288, 222448, 243497, 294111,
      524288, 233450, 67149,
    ]);
  });

  it('cuts zeros at the minimum, where the window cancels out', () => {
    expect(lengths(new Uint8Array(MIB))).toEqual(new Array(8).fill(131_072));
  });

  it('cuts at the maximum where nothing else ends a chunk', () => {
    expect(lengths(new Uint8Array(MIB).fill(0xff))).toEqual([524_288, 524_288]);
    expect(lengths(Uint8Array.from({ length: MIB }, (_byte, index) => index % 256))).toEqual([524_288, 524_288]);
  });

  it.each([131_071, 131_072, 131_073])('leaves content of %i bytes, about the minimum, whole', (length) => {
    expect(lengths(generated(2n, length))).toEqual([length]);
  });

  it('cuts where a window hashed anew would, for any bounds and content', () => {
    const specs = fc
      .record({ min: fc.integer({ min: 64, max: 300 }), span: fc.integer({ min: 0, max: 900 }) })
      .chain(({ min, span }) =>
        fc.integer({ min: 6, max: 10 }).map((maskBits): BuzhashSpec => {
          return { kind: 'buzhash', min, max: min + span, maskBits, window: 32 };
        }),
      );
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 3000, size: 'max' }),
      fc.array(fc.constantFrom(0, 1), { maxLength: 3000, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(specs, contents, (spec, content) => {
        expect(lengths(content, spec)).toEqual(referenceLengths(content, spec));
      }),
      { numRuns: 150 },
    );
  });
});
