import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { compressStream, decompressStream, type StreamCompression, sniffCompression } from './streams.ts';

const BOTH: readonly StreamCompression[] = ['gzip', 'zstd'];
const COMPRESS = { gzip: gzipSync, zstd: zstdCompressSync };
const DECOMPRESS = { gzip: gunzipSync, zstd: zstdDecompressSync };

async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return concatBytes(await Array.fromAsync(stream));
}

async function failure(stream: AsyncIterable<Uint8Array>): Promise<unknown> {
  return all(stream).then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  );
}

/** Half of it repeats itself. */
function sample(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(seededRandom(length + 1).bytes(Math.floor(length / 2)));
  return bytes;
}

describe.each(BOTH)('a stream of %s', (compression) => {
  it.each([
    0, 1, 511, 65_536, 65_537, 1_000_003,
  ])('holds %i bytes, and every other reader gets them too', async (length) => {
    const plain = sample(length);
    const compressed = await all(compressStream(cut(plain, 10_007), compression));
    expect(sniffCompression(compressed.subarray(0, 4))).toBe(compression);
    expect(Buffer.compare(DECOMPRESS[compression](compressed), plain)).toBe(0);
    for (const pieceBytes of length > 70_000 ? [4093, 70_000] : [1, 7, 4093, 70_000]) {
      expect(Buffer.compare(await all(decompressStream(cut(compressed, pieceBytes), compression)), plain)).toBe(0);
    }
  });

  it('is the same however its source was cut', async () => {
    const plain = sample(600_000);
    const [first, ...others] = await Promise.all(
      [600_000, 65_536, 1009].map((pieceBytes) => all(compressStream(cut(plain, pieceBytes), compression))),
    );
    for (const other of others) expect(Buffer.compare(other, first!)).toBe(0);
  });

  it('is read to the end of its last part, wherever it is cut', async () => {
    const parts = [sample(100_000), sample(0), sample(333_333)];
    const compressed = concatBytes(parts.map((part) => COMPRESS[compression](part)));
    for (const pieceBytes of [13, 1000, compressed.length]) {
      const plain = await all(decompressStream(cut(compressed, pieceBytes), compression));
      expect(Buffer.compare(plain, concatBytes(parts))).toBe(0);
    }
  });

  it('is refused when it is cut off, damaged, or followed by something else', async () => {
    const whole = COMPRESS[compression](sample(50_000));
    const wrong = [whole.subarray(0, 3), whole.subarray(0, -1), concatBytes([whole, Buffer.from('and more')])];
    const flipped = new Uint8Array(whole);
    flipped[20_000]! ^= 1;
    if (compression === 'gzip') wrong.push(flipped);
    for (const bytes of [...wrong, Buffer.from('plain text, no more')]) {
      for (const pieceBytes of [11, bytes.length]) {
        const error = await failure(decompressStream(cut(bytes, pieceBytes), compression));
        expect(isStoreError(error, 'COMPRESSED_CORRUPT')).toBe(true);
      }
    }
  });

  it('gives bytes or one error for whatever was flipped', async () => {
    const whole = await all(compressStream(cut(sample(5000), 5000), compression));
    for (let seed = 1; seed <= 150; seed += 1) {
      const random = seededRandom(seed);
      const bytes = new Uint8Array(whole);
      for (let flips = 1 + random.integer(4); flips > 0; flips -= 1)
        bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      try {
        await all(decompressStream(cut(bytes, 1 + random.integer(3000)), compression));
      } catch (error) {
        if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it('hands on the failure of its source, and tells it when nobody reads on', async () => {
    const boom = new Error('boom');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield COMPRESS[compression](sample(50_000)).subarray(0, 10_000);
      throw boom;
    }
    expect(await failure(compressStream(failing(), compression))).toBe(boom);
    expect(await failure(decompressStream(failing(), compression))).toBe(boom);
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield COMPRESS[compression](sample(300_000));
      } finally {
        ended = true;
      }
    }
    for await (const piece of decompressStream(endless(), compression)) if (piece.length > 0) break;
    await expect.poll(() => ended).toBe(true);
  });
});

describe('a stream of zstd', () => {
  it('may begin, go on and end with skippable frames', async () => {
    const skippable = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const frame = zstdCompressSync('hello');
    const plain = await all(
      decompressStream(cut(concatBytes([skippable, frame, skippable, frame, skippable]), 5), 'zstd'),
    );
    expect(new TextDecoder().decode(plain)).toBe('hellohello');
    const short = await failure(decompressStream(cut(concatBytes([frame, skippable.subarray(0, -1)]), 5), 'zstd'));
    expect(isStoreError(short, 'COMPRESSED_CORRUPT')).toBe(true);
  });

  it('may not ask for more history than the bound', async () => {
    // A window of 256 MiB, and a single segment that promises 2^62 bytes.
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 1, 0, 0);
    const single = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0);
    for (const bytes of [window, single]) {
      expect(await failure(decompressStream(cut(bytes, 99), 'zstd'))).toMatchObject({ message: /window of \d+ bytes/ });
    }
  });
});

it('is told by its first bytes', () => {
  expect(sniffCompression(Uint8Array.of())).toBeUndefined();
  expect(sniffCompression(Uint8Array.of(0x1f))).toBeUndefined();
  expect(sniffCompression(Buffer.from('./a\0'))).toBeUndefined();
});

describe('a gzip stream', () => {
  it('may have zeros behind it, and nothing behind these', async () => {
    const plain = sample(1000);
    const whole = COMPRESS.gzip(plain);
    for (const pieceBytes of [1, 7, 100_000]) {
      const zeros = concatBytes([whole, new Uint8Array(700)]);
      expect(Buffer.compare(await all(decompressStream(cut(zeros, pieceBytes), 'gzip')), plain)).toBe(0);
      for (const behind of [Uint8Array.of(1), whole, new Uint8Array(5).fill(0x1f)]) {
        for (const count of [1, 512]) {
          const bytes = concatBytes([whole, new Uint8Array(count), behind]);
          const error = await failure(decompressStream(cut(bytes, pieceBytes), 'gzip'));
          expect(isStoreError(error, 'COMPRESSED_CORRUPT')).toBe(true);
        }
      }
    }
  });
});
