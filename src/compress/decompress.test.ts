import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import { RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { CODEC_STORED, CODEC_ZSTD } from './codec.ts';
import { decompress, decompressSync } from './decompress.ts';

const DAMAGED = expect.objectContaining({ kind: 'corrupt', code: 'COMPRESSED_CORRUPT' });
const PLAIN = Buffer.from('one record of several chunks, '.repeat(40));
const FRAME = zlib.zstdCompressSync(PLAIN);
const LARGE = Buffer.concat(
  Array.from({ length: 3000 }, (_, index) => Buffer.from(`line ${index * 7919} of the record\n`)),
);
const LARGE_FRAME = zlib.zstdCompressSync(LARGE);
const SKIPPABLE = Buffer.from('502a4d18020000000000', 'hex');

/** Header of a frame that declares `contentBytes` in eight bytes, then one RLE block of `size` times 0x61. */
function rleFrame(contentBytes: bigint, size: number, blocks = 1): Uint8Array {
  const frame = Buffer.alloc(13 + blocks * 4);
  frame.writeUInt32LE(0xfd2fb528, 0);
  frame.writeUInt8(0xe0, 4);
  frame.writeBigUInt64LE(contentBytes, 5);
  for (let block = 0; block < blocks; block += 1) {
    frame.writeUIntLE((size << 3) | (1 << 1) | (block === blocks - 1 ? 1 : 0), 13 + block * 4, 3);
    frame.writeUInt8(0x61, 16 + block * 4);
  }
  return frame;
}

async function expectDamaged(stored: Uint8Array, plainLength: number, codec: number = CODEC_ZSTD): Promise<void> {
  await expect(decompress(codec, stored, plainLength)).rejects.toEqual(DAMAGED);
  expect(() => decompressSync(codec, stored, plainLength)).toThrow(DAMAGED);
}

describe('decompress', () => {
  it('gives stored bytes back as they are, when they have the promised length', async () => {
    const stored = new Uint8Array([1, 2, 3]);
    expect(await decompress(CODEC_STORED, stored, 3)).toBe(stored);
    await expectDamaged(stored, 2, CODEC_STORED);
    await expectDamaged(stored, 4, CODEC_STORED);
    await expectDamaged(stored, 100_000, CODEC_STORED);
  });

  it('refuses a frame of another length than promised', async () => {
    for (const plainLength of [0, PLAIN.length - 1, PLAIN.length + 1, 100_000]) await expectDamaged(FRAME, plainLength);
    for (const plainLength of [LARGE.length - 1, LARGE.length + 1]) await expectDamaged(LARGE_FRAME, plainLength);
  });

  it('refuses every truncation', async () => {
    for (let end = 0; end < FRAME.length; end += 1) await expectDamaged(FRAME.subarray(0, end), PLAIN.length);
    await expectDamaged(LARGE_FRAME.subarray(0, -1), LARGE.length);
  });

  it('refuses bytes after the frame, be they noise, zeros, a second frame or a skippable one', async () => {
    for (const tail of [new Uint8Array(1), new Uint8Array(16), FRAME, SKIPPABLE]) {
      await expectDamaged(Buffer.concat([FRAME, tail]), PLAIN.length);
      await expectDamaged(Buffer.concat([LARGE_FRAME, tail]), LARGE.length);
    }
    await expectDamaged(Buffer.concat([FRAME, FRAME]), PLAIN.length * 2);
  });

  it('refuses skippable frames, alone and before the data', async () => {
    await expectDamaged(SKIPPABLE, 0);
    await expectDamaged(Buffer.concat([SKIPPABLE, FRAME]), PLAIN.length);
  });

  it('refuses frames that ask for a dictionary or set reserved bits', async () => {
    const withDictionary = Buffer.from('28b52ffd210105010000', 'hex');
    await expectDamaged(withDictionary, 5);
    const reserved = Uint8Array.from(FRAME);
    reserved[4] = reserved[4]! | 0x08;
    await expectDamaged(reserved, PLAIN.length);
  });

  it('opens small things at once and large things on the pool', async () => {
    const small = await decompress(CODEC_ZSTD, FRAME, PLAIN.length);
    expect(Buffer.compare(small, PLAIN)).toBe(0);
    expect(small.constructor).toBe(Uint8Array);
    expect(Buffer.compare(await decompress(CODEC_ZSTD, LARGE_FRAME, LARGE.length), LARGE)).toBe(0);
  });

  it('keeps the cause when zstd itself refuses', async () => {
    const damaged = Uint8Array.from(LARGE_FRAME).fill(0xff, 40, 400);
    const cause = expect.objectContaining({ code: expect.stringMatching(/^ZSTD_error_/) });
    await expect(decompress(CODEC_ZSTD, damaged, LARGE.length)).rejects.toMatchObject({
      code: 'COMPRESSED_CORRUPT',
      cause,
    });
  });

  it('never gives a mutated frame another length, and fails only as damage', async () => {
    const places = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), places, async (large, mutations) => {
        const [frame, plain] = large ? [Uint8Array.from(LARGE_FRAME), LARGE] : [Uint8Array.from(FRAME), PLAIN];
        for (const [place, flip] of mutations) frame[place % frame.length]! ^= flip;
        try {
          expect((await decompress(CODEC_ZSTD, frame, plain.length)).length).toBe(plain.length);
        } catch (error) {
          if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses random bytes behind a valid magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 5000 }), (tail, plainLength) => {
        const frame = Buffer.concat([Buffer.from('28b52ffd', 'hex'), tail]);
        try {
          expect(decompressSync(CODEC_ZSTD, frame, plainLength).length).toBe(plainLength);
        } catch (error) {
          if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses wrong arguments by name', () => {
    expect(() => decompressSync(CODEC_ZSTD, 'text' as unknown as Uint8Array, 1)).toThrow(TypeError);
    expect(() => decompressSync(CODEC_ZSTD, FRAME, -1)).toThrow(RangeError);
    expect(() => decompressSync(CODEC_ZSTD, FRAME, RECORD_PLAIN_BYTES_MAX + 1)).toThrow(RangeError);
    expect(() => decompressSync(2, FRAME, 1)).toThrow(expect.objectContaining({ code: 'CODEC_UNSUPPORTED' }));
  });
});

describe('a decompression bomb', () => {
  it('is refused by the size it declares, before anything is allocated', async () => {
    const before = process.memoryUsage().arrayBuffers;
    await expectDamaged(rleFrame(2n ** 40n, 128 * 1024), 1000);
    await expectDamaged(rleFrame(2n ** 63n, 128 * 1024), 1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024);
  });

  it('is refused when it holds more than it declares', async () => {
    const bomb = rleFrame(1000n, 128 * 1024, 8192);
    await expectDamaged(bomb, 1000);
    await expectDamaged(rleFrame(100_000n, 128 * 1024, 8192), 100_000);
  });

  it('is refused by the window it asks for where it declares no size', async () => {
    const unsized = (windowByte: number): Uint8Array =>
      Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowByte, 0x03, 0x20, 0x00, 0x61]);
    await expectDamaged(unsized(0xa0), 1024);
    expect(await decompress(CODEC_ZSTD, unsized(0x00), 1024)).toEqual(new Uint8Array(1024).fill(0x61));
  });

  it('may be an honest frame: a megabyte from nineteen bytes', async () => {
    const opened = await decompress(CODEC_ZSTD, rleFrame(2n ** 20n, 128 * 1024, 8), 2 ** 20);
    expect(opened).toEqual(new Uint8Array(2 ** 20).fill(0x61));
  });
});

const vectors = path.resolve(import.meta.dirname, '../../../shared/vectors/zstd');
const present = existsSync(vectors);
if (!present) {
  console.warn(
    'golden zstd frames not found: copy tests/golden-decompression* of facebook/zstd to ../shared/vectors/zstd',
  );
}

/** What the golden frames hold: tests/golden-decompression of facebook/zstd, opened with the zstd command. */
const GOLDEN: Readonly<Record<string, Uint8Array>> = {
  'empty-block.zst': new Uint8Array(0),
  'zeroSeq_2B.zst': new TextEncoder().encode('Hello World!\n'),
  'rle-first-block.zst': new Uint8Array(1 << 20),
};

describe.runIf(present)('the golden frames of facebook/zstd', () => {
  it.each(Object.keys(GOLDEN))('%s opens to what it holds', async (name) => {
    const plain = GOLDEN[name]!;
    const opened = await decompress(
      CODEC_ZSTD,
      readFileSync(path.join(vectors, 'golden-decompression', name)),
      plain.length,
    );
    expect(Buffer.compare(opened, plain)).toBe(0);
  });

  it('block-128k.zst opens to 131,068 bytes within its own window', async () => {
    const frame = readFileSync(path.join(vectors, 'golden-decompression', 'block-128k.zst'));
    expect((await decompress(CODEC_ZSTD, frame, 131_068)).length).toBe(131_068);
  });

  const damaged = present
    ? readdirSync(path.join(vectors, 'golden-decompression-errors')).filter((name) => name.endsWith('.zst'))
    : [];
  it.each(damaged)('%s is refused whatever length is expected', async (name) => {
    const frame = readFileSync(path.join(vectors, 'golden-decompression-errors', name));
    for (const plainLength of [0, 1, 7, 13, 18, 1024, 100_000]) await expectDamaged(frame, plainLength);
  });
});
