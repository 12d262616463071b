import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { KIB, MIB } from '../limits.ts';
import { compressFrame, FrameCompressor, KEPT_CONTEXT_PLAIN_BYTES_MIN } from './frame-compressor.ts';
import { walkZstdFrame } from './zstd-frame.ts';

/** Text-like bytes that compress to about a fifth; another `seed` gives others. */
function text(length: number, seed = 1): Uint8Array {
  let state = seed;
  const words = Array.from(
    { length: 500 },
    (_, index) => `${(index * 7919 * seed) % 9973} ${'abcdefgh'.slice(index % 8)}\n`,
  );
  let content = '';
  while (content.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    content += words[(state >>> 16) % words.length];
  }
  return new TextEncoder().encode(content).subarray(0, length);
}

describe('compressing with kept contexts', () => {
  it('gives the same frame for the same bytes, whatever went through before', async () => {
    const plain = text(MIB);
    const first = await compressFrame(plain, 1);
    for (const length of [KEPT_CONTEXT_PLAIN_BYTES_MIN, 300 * KIB + 7, 3 * MIB])
      await compressFrame(text(length, 2), 1);
    expect(Buffer.compare(await compressFrame(plain, 1), first)).toBe(0);
    const others = await Promise.all(Array.from({ length: 9 }, () => compressFrame(plain, 1)));
    for (const other of others) expect(Buffer.compare(other, first)).toBe(0);
  });

  it('keeps concurrent inputs and levels apart', async () => {
    const plains = Array.from({ length: 24 }, (_, index) =>
      text(KEPT_CONTEXT_PLAIN_BYTES_MIN + index * 10_007, index + 1),
    );
    const frames = await Promise.all(plains.map((plain, index) => compressFrame(plain, [1, 3, -5][index % 3]!)));
    for (const [index, frame] of frames.entries()) {
      expect(Buffer.compare(zstdDecompressSync(frame), plains[index]!)).toBe(0);
      expect(walkZstdFrame(frame).contentBytes).toBe(plains[index]!.length);
    }
  });

  it('makes exactly one frame, wherever it ends in the output buffer', async () => {
    // Noise keeps its length but for block headers, so that some of these end where the buffer does.
    const noise = new Uint8Array(2 * KEPT_CONTEXT_PLAIN_BYTES_MIN);
    for (let index = 0, state = 1; index < noise.length; index += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      noise[index] = state >>> 24;
    }
    for (let missing = 0; missing < 64; missing += 1) {
      const plain = noise.subarray(missing);
      const compressor = new FrameCompressor(1);
      for (const _again of [1, 2]) {
        const frame = await compressor.compress(plain);
        expect(walkZstdFrame(frame).contentBytes, `${plain.length} bytes`).toBe(plain.length);
      }
      compressor.close();
    }
  });

  it('gives bytes that share no memory with another frame', async () => {
    const plain = text(KEPT_CONTEXT_PLAIN_BYTES_MIN);
    const first = await compressFrame(plain, 1);
    const copy = first.slice();
    await compressFrame(text(MIB, 5), 1);
    expect(first.buffer.byteLength).toBe(first.length);
    expect(Buffer.compare(first, copy)).toBe(0);
  });
});
