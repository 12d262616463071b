import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { MIB } from '../limits.ts';
import { type Chunker, createChunker, createChunkerOver } from './chunker.ts';
import { twinKernel } from './kernel/scan-twin.ts';
import { wasmKernel } from './kernel/scan-wasm.ts';
import { CHUNKING_PROFILES } from './profiles.ts';
import type { ChunkingSpec } from './spec.ts';

const FASTCDC: ChunkingSpec = { kind: 'fastcdc', min: 64, avg: 256, max: 1024, normalisation: 1, seed: 0n };
const BUZHASH: ChunkingSpec = { kind: 'buzhash', min: 64, max: 1024, maskBits: 7, window: 32 };
const FIXED: ChunkingSpec = { kind: 'fixed', bytes: 100 };

function cut(chunker: Chunker, pushes: readonly Uint8Array[]): Uint8Array[] {
  return [...pushes.flatMap((bytes) => chunker.push(bytes)), ...chunker.finish()];
}

function lengths(chunks: readonly Uint8Array[]): number[] {
  return chunks.map((chunk) => chunk.length);
}

function split(content: Uint8Array, points: readonly number[]): Uint8Array[] {
  const sorted = [0, ...points.map((point) => point % (content.length + 1)), content.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => content.subarray(sorted[index], end));
}

const smallSpecs: fc.Arbitrary<ChunkingSpec> = fc.oneof(
  fc.record({ kind: fc.constant('fixed' as const), bytes: fc.integer({ min: 64, max: 2000 }) }),
  fc
    .record({
      kind: fc.constant('fastcdc' as const),
      min: fc.integer({ min: 64, max: 600 }),
      avg: fc.integer({ min: 256, max: 1500 }),
      max: fc.integer({ min: 1024, max: 3000 }),
      normalisation: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    })
    .filter(({ min, avg, max }) => min <= avg && avg <= max),
  fc
    .record({ min: fc.integer({ min: 64, max: 600 }), maskBits: fc.integer({ min: 6, max: 10 }) })
    .map(({ min, maskBits }): ChunkingSpec => ({ kind: 'buzhash', min, max: 3 * min, maskBits, window: 32 })),
);
const contents = fc.oneof(
  fc.uint8Array({ maxLength: 12_000, size: 'max' }),
  fc.array(fc.constantFrom(0, 255), { maxLength: 12_000, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
);

describe.each([
  ['WebAssembly', wasmKernel()],
  ['twin', twinKernel],
])('a chunker over the %s kernel', (_, kernel) => {
  it('cuts the same chunks however the content is split, and loses no byte', () => {
    fc.assert(
      fc.property(smallSpecs, contents, fc.array(fc.nat(), { maxLength: 40 }), (spec, content, points) => {
        const whole = cut(createChunkerOver(spec, kernel), [content]);
        const parts = cut(createChunkerOver(spec, kernel), split(content, points));
        expect(lengths(parts)).toEqual(lengths(whole));
        expect(Buffer.compare(concatBytes(parts), content)).toBe(0);
        const views = [...createChunkerOver(spec, kernel).cutWhole(content)];
        expect(lengths(views)).toEqual(lengths(whole));
        expect(Buffer.compare(concatBytes(views), content)).toBe(0);
        expect(Buffer.compare(concatBytes(whole), content)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it.each([FASTCDC, BUZHASH, FIXED])('cuts the same chunks byte by byte: $kind', (spec) => {
    const content = Uint8Array.from({ length: 6000 }, (_byte, index) => (index * index * 31 + (index >> 3)) & 0xff);
    const bytewise = Array.from(content, (byte) => Uint8Array.of(byte));
    const whole = cut(createChunkerOver(spec, kernel), [content]);
    expect(whole.length).toBeGreaterThan(5);
    expect(cut(createChunkerOver(spec, kernel), bytewise)).toEqual(whole);
  });
});

describe('a chunker', () => {
  it('cuts the same over both kernels', () => {
    fc.assert(
      fc.property(smallSpecs, contents, (spec, content) => {
        const wasm = cut(createChunkerOver(spec, wasmKernel()), [content]);
        expect(lengths(wasm)).toEqual(lengths(cut(createChunkerOver(spec, twinKernel), [content])));
      }),
      { numRuns: 200 },
    );
  });

  it('gives no chunk for content without bytes', () => {
    for (const spec of [FASTCDC, BUZHASH, FIXED]) {
      expect(cut(createChunker(spec), [])).toEqual([]);
      expect(cut(createChunker(spec), [new Uint8Array(0), new Uint8Array(0)])).toEqual([]);
    }
  });

  it.each([1, 63, 64])('gives one chunk for content of %i bytes, which no minimum lets it cut', (length) => {
    const content = new Uint8Array(length).fill(7);
    for (const spec of [FASTCDC, BUZHASH, FIXED]) expect(cut(createChunker(spec), [content])).toEqual([content]);
  });

  it.each([
    ['fixed, below', FIXED, 99, [99]],
    ['fixed, at', FIXED, 100, [100]],
    ['fixed, above', FIXED, 101, [100, 1]],
    ['fastcdc, above the minimum', FASTCDC, 65, [65]],
    ['fastcdc, below the maximum', FASTCDC, 1023, [1023]],
    ['fastcdc, at the maximum', FASTCDC, 1024, [1024]],
    ['fastcdc, above the maximum', FASTCDC, 1025, [1024, 1]],
    ['buzhash, above the minimum', BUZHASH, 65, [65]],
    ['buzhash, below the maximum', BUZHASH, 1023, [1023]],
    ['buzhash, at the maximum', BUZHASH, 1024, [1024]],
    ['buzhash, above the maximum', BUZHASH, 1025, [1024, 1]],
  ] as const)('keeps to its sizes: %s', (_name, spec, length, expected) => {
    // A run of 0xff ends no chunk under either hash.
    const content = new Uint8Array(length).fill(0xff);
    expect(lengths(cut(createChunker(spec), [content]))).toEqual(expected);
  });

  it('hands out arrays of their own and keeps nothing of the input', () => {
    for (const spec of [FASTCDC, BUZHASH, FIXED]) {
      const content = Uint8Array.from({ length: 5000 }, (_byte, index) => (index * 197) & 0xff);
      const chunker = createChunker(spec);
      const chunks: Uint8Array[] = [];
      for (const part of split(content, [700, 701, 2500])) {
        // A Buffer, since its slices are views where those of other arrays are copies.
        const input = Buffer.from(part);
        chunks.push(...chunker.push(input));
        input.fill(0);
      }
      chunks.push(...chunker.finish());
      expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length);
      for (const chunk of chunks) expect(chunk.buffer.byteLength).toBe(chunk.length);
      expect(concatBytes(chunks)).toEqual(content);
      chunks[0]!.fill(0);
      expect(concatBytes(chunks.slice(1))).toEqual(content.subarray(chunks[0]!.length));
    }
  });

  it('works side by side with others', () => {
    const content = Uint8Array.from({ length: 40_000 }, (_byte, index) => (index * index * 7 + (index >> 5)) & 0xff);
    const specs: ChunkingSpec[] = [FASTCDC, BUZHASH, FIXED, { ...FASTCDC, seed: 99n }, FASTCDC];
    const alone = specs.map((spec) => lengths(cut(createChunker(spec), [content])));
    const chunkers = specs.map((spec) => ({ chunker: createChunker(spec), cuts: [] as number[] }));
    for (let start = 0; start < content.length; start += 333) {
      for (const { chunker, cuts } of chunkers)
        cuts.push(...lengths(chunker.push(content.subarray(start, start + 333))));
    }
    for (const { chunker, cuts } of chunkers) cuts.push(...lengths(chunker.finish()));
    expect(chunkers.map(({ cuts }) => cuts)).toEqual(alone);
  });

  it('finds the same chunks again behind an insertion', () => {
    let state = 1;
    const base = Uint8Array.from({ length: 4 * MIB }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
    const before = cut(createChunker(CHUNKING_PROFILES.default), [base]);
    const after = cut(createChunker(CHUNKING_PROFILES.default), [Uint8Array.of(1, 2, 3), base]);
    expect(before.length).toBeGreaterThan(30);
    expect(lengths(after).slice(-25)).toEqual(lengths(before).slice(-25));
  });

  it('refuses to go on after it has finished', () => {
    const chunker = createChunker(FASTCDC);
    chunker.push(new Uint8Array(10));
    chunker.finish();
    const finished = expect.objectContaining({ code: 'CHUNKER_FINISHED', kind: 'invalid' });
    expect(() => chunker.push(new Uint8Array(1))).toThrow(finished);
    expect(() => chunker.finish()).toThrow(finished);
  });

  it('is finished by content that is all there', () => {
    const chunker = createChunker(FASTCDC);
    expect([...chunker.cutWhole(new Uint8Array(10))]).toEqual([new Uint8Array(10)]);
    expect(() => chunker.push(new Uint8Array(1))).toThrow(StoreError);
    expect(() => [...chunker.cutWhole(new Uint8Array(1))]).toThrow(StoreError);
  });

  it('refuses what it cannot take', () => {
    expect(() => createChunker(FIXED).push('text' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => createChunker({ kind: 'given' })).toThrow(expect.objectContaining({ code: 'CHUNKING_INVALID' }));
    expect(() => createChunker({ kind: 'fixed', bytes: 1 })).toThrow(StoreError);
  });

  it('cuts fixed chunks in linear time', () => {
    // Quadratic cutting would move half a million times four gigabytes here and never end.
    const content = new Uint8Array(32 * MIB);
    expect(cut(createChunker({ kind: 'fixed', bytes: 64 }), [content]).length).toBe(524_288);
  });
});
