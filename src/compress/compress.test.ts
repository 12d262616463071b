import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { CODEC_STORED, CODEC_ZSTD, checkCodec, codecName } from './codec.ts';
import { compress, compressSync } from './compress.ts';
import { looksCompressible, SAMPLE_BYTES } from './compressible.ts';
import { decompress, decompressSync } from './decompress.ts';
import { walkZstdFrame } from './zstd-frame.ts';

/** xorshift32: cheap bytes that no codec makes smaller. */
function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

function text(length: number): Uint8Array {
  const words = ['pack', 'shard', 'stripe', 'chunk', 'ref', 'root', 'epoch', 'key'];
  const picks = noise(length);
  let made = '';
  for (let index = 0; made.length < length; index += 1) made += `${words[picks[index]! & 7]} ${picks[index]}\n`;
  return new TextEncoder().encode(made.slice(0, length));
}

/** Descriptions, not bytes, so that a counterexample fits a line. */
const anyPlain = fc.record({
  kind: fc.constantFrom('text', 'noise', 'run'),
  length: fc.oneof(
    fc.nat({ max: 300 }),
    fc.nat({ max: 300_000 }),
    fc.constantFrom(0, 63, 64, 65, 8191, 8192, 8193, 16_383, 16_384, 16_385, 32_768, 32_769, 131_072, 131_073),
  ),
  seed: fc.integer({ min: 1 }),
});
type PlainKind = 'text' | 'noise' | 'run';

function makePlain({
  kind,
  length,
  seed,
}: {
  readonly kind: PlainKind;
  readonly length: number;
  readonly seed: number;
}): Uint8Array {
  if (kind === 'noise') return noise(length, seed);
  return kind === 'text' ? text(length) : new Uint8Array(length).fill(seed);
}

describe('compress', () => {
  it('gives back the plain bytes at every level, at once and through the pool', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlain, fc.constantFrom(-7, -1, 1, 3), async (made, level) => {
        const plain = makePlain(made);
        const before = plain.slice();
        const pooled = await compress(plain, { level });
        const atOnce = compressSync(plain, { level });
        expect(pooled.codec).toBe(atOnce.codec);
        expect(Buffer.compare(pooled.bytes, atOnce.bytes)).toBe(0);
        expect(pooled.bytes.length).toBeLessThanOrEqual(plain.length);
        const opened = await decompress(pooled.codec, pooled.bytes, plain.length);
        expect(Buffer.compare(opened, before)).toBe(0);
        expect(Buffer.compare(decompressSync(atOnce.codec, atOnce.bytes, plain.length), before)).toBe(0);
        expect(Buffer.compare(plain, before)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('makes source text much smaller and says so', async () => {
    const plain = text(1 << 20);
    const { codec, bytes } = await compress(plain);
    expect(codec).toBe(CODEC_ZSTD);
    expect(bytes.length).toBeLessThan(plain.length / 3);
    expect(bytes.constructor).toBe(Uint8Array);
    expect(bytes.buffer.byteLength).toBeLessThanOrEqual(bytes.length * 2);
    expect(walkZstdFrame(bytes)).toEqual({ contentBytes: plain.length, windowBytes: expect.any(Number) });
  });

  it('makes exactly one frame, wherever it ends in the output buffer', async () => {
    for (let length = 64; length < 3000; length += 1) {
      const plain = text(length);
      const { codec, bytes } = compressSync(plain);
      if (codec === CODEC_ZSTD) expect(() => walkZstdFrame(bytes), `of ${length} bytes`).not.toThrow();
    }
    for (let length = 9000; length < 9200; length += 1) {
      const { bytes } = await compress(text(length));
      expect(() => walkZstdFrame(bytes), `of ${length} bytes`).not.toThrow();
    }
  });

  it.each([0, 1, 63])('stores %i bytes as they are', (length) => {
    const plain = new Uint8Array(length);
    expect(compressSync(plain)).toEqual({ codec: CODEC_STORED, bytes: plain });
    expect(compressSync(plain).bytes).toBe(plain);
  });

  it('stores noise of every size as it is, without copying it', async () => {
    for (const length of [64, 4096, SAMPLE_BYTES, 100_000, 1 << 20]) {
      const plain = noise(length);
      const result = await compress(plain);
      expect(result.codec).toBe(CODEC_STORED);
      expect(result.bytes).toBe(plain);
    }
  });

  it('stores bytes that would shrink by less than one part in 32', () => {
    const plain = noise(4000);
    plain.copyWithin(100, 0, 100);
    expect(compressSync(plain).codec).toBe(CODEC_STORED);
    plain.copyWithin(200, 0, 400);
    expect(compressSync(plain).codec).toBe(CODEC_ZSTD);
  });

  it('refuses levels outside zstd and the ambiguous 0', async () => {
    const plain = text(100);
    for (const level of [-8, 0, 20, 1.5, Number.NaN]) {
      expect(() => compressSync(plain, { level })).toThrow(RangeError);
      await expect(compress(text(10_000), { level })).rejects.toThrow(RangeError);
    }
    expect(() => compressSync(plain, { level: '1' as unknown as number })).toThrow(TypeError);
  });

  it('refuses what is no byte array, and one that is too large', async () => {
    await expect(compress('text' as unknown as Uint8Array)).rejects.toThrow(TypeError);
    await expect(compress(null as unknown as Uint8Array)).rejects.toThrow(TypeError);
    await expect(compress(new Uint8Array(RECORD_PLAIN_BYTES_MAX + 1))).rejects.toThrow(RangeError);
  });

  it('rejects with the reason of its signal, before and after the work', async () => {
    const reason = new Error('stop');
    await expect(compress(text(100), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const running = compress(text(1 << 20), { signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});

describe('looksCompressible', () => {
  it('sees a small compressible part among noise', () => {
    const plain = noise(1 << 20);
    expect(looksCompressible(plain)).toBe(false);
    plain.set(text(64 * 1024), 500_000);
    expect(looksCompressible(plain)).toBe(true);
  });

  it('sees ramps, whose bytes are more even than chance', () => {
    expect(looksCompressible(Uint8Array.from({ length: 1 << 18 }, (_, index) => (31 + index) % 251))).toBe(true);
  });

  it('does not mistake a header before noise for structure', () => {
    const plain = noise(1 << 20);
    plain.set(text(256));
    expect(looksCompressible(plain)).toBe(false);
  });
});

describe('codec ids', () => {
  it('knows stored and zstd', () => {
    expect([CODEC_STORED, CODEC_ZSTD].map((codec) => codecName(checkCodec(codec)))).toEqual(['stored', 'zstd']);
  });

  it('calls every other byte unsupported, and what is no byte a wrong argument', () => {
    for (const codec of [2, 63, 64, 255]) {
      expect(() => checkCodec(codec)).toThrow(
        expect.objectContaining({ kind: 'unsupported', code: 'CODEC_UNSUPPORTED' }),
      );
    }
    expect(() => checkCodec(256)).toThrow(RangeError);
    expect(() => checkCodec(-1)).toThrow(RangeError);
  });
});
