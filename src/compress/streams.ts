/**
 * Streams of gzip (RFC 1952) and zstd (RFC 8878), for files that other programs made or will read. What Holdfast stores
 * is compressed record by record (`compress.ts`), never like this.
 *
 * Memory is bounded by what the compressor needs, whatever the bytes claim: a zstd frame that asks for a longer history
 * than `STREAM_WINDOW_BYTES_MAX` is refused. How much comes out is the caller's to bound.
 */
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { StreamReader } from '../bytes/stream-reader.ts';
import { isStoreError } from '../errors/store-error.ts';
import { compressedCorrupt } from './zstd-frame.ts';
import { isZstdStart, zstdFrames } from './zstd-frames.ts';

/** How a stream of another program is compressed. */
export type StreamCompression = 'gzip' | 'zstd';

const { constants } = zlib;

/** What one piece of input or output holds at most. */
const PIECE_BYTES = 64 * 1024;
const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;

/** Tells by its first four bytes what a stream is compressed with. */
export function sniffCompression(start: Uint8Array): StreamCompression | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  return isZstdStart(start) ? 'zstd' : undefined;
}

/** Gives what a transform makes of a source; an error of either as it is. Ending early ends both. */
async function* through(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const piped = pipeline(Readable.from(source, { highWaterMark: 1 }), transform);
  // The reader below meets the same error.
  piped.catch(() => {});
  yield* piecesOf(transform);
  await piped;
}

async function* piecesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
}

/** The same bytes in pieces of one length, but for the last: where zstd ends its blocks depends on how it is fed. */
async function* evenPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new StreamReader(source);
  try {
    for (;;) {
      const piece = await reader.take(PIECE_BYTES);
      if (piece.length > 0) yield piece;
      if (piece.length < PIECE_BYTES) return;
    }
  } finally {
    await reader.close();
  }
}

/**
 * Compresses a stream. The same bytes give the same output on one platform, however they are cut; a gzip header holds
 * neither a time nor a name. The zstd frame carries a checksum.
 * @param source its pieces must stay as they are; an error of it comes through unchanged
 */
export async function* compressStream(
  source: AsyncIterable<Uint8Array>,
  compression: StreamCompression,
): AsyncGenerator<Uint8Array> {
  const transform =
    compression === 'gzip'
      ? zlib.createGzip({ level: GZIP_LEVEL, chunkSize: PIECE_BYTES })
      : zlib.createZstdCompress({
          chunkSize: PIECE_BYTES,
          params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
        });
  yield* through(evenPieces(source), transform);
}

/** Node's errors that say the bytes are damaged. */
function damageOf(error: unknown, compression: StreamCompression): unknown {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== 'string' || isStoreError(error) || code === 'ZSTD_error_memory_allocation') return error;
  const isDamage = code.startsWith('ZSTD_error_') || ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT'].includes(code);
  return isDamage ? compressedCorrupt(`${compression} refuses them`, error) : error;
}

function written(gunzip: zlib.Gunzip, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    gunzip.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Gives a decoder its source. Node's goes from member to member by itself, ends without a word at the first zero behind
 * one, and looks at nothing that follows: what it leaves must be zeros to the end, or content would be lost in silence.
 */
async function feedGunzip(gunzip: zlib.Gunzip, source: AsyncIterable<Uint8Array>): Promise<void> {
  let given = 0;
  let isOver = false;
  for await (const piece of source) {
    let left = piece;
    if (!isOver) {
      await written(gunzip, piece);
      given += piece.length;
      left = piece.subarray(piece.length - (given - gunzip.bytesWritten));
      isOver = left.length > 0;
    }
    if (left.some((byte) => byte !== 0)) throw compressedCorrupt('something follows the zeros behind gzip');
  }
  if (!gunzip.destroyed) gunzip.end();
}

async function* gzipPlain(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = zlib.createGunzip({ chunkSize: PIECE_BYTES });
  const fed = feedGunzip(gunzip, source);
  // Whoever reads below meets the same error.
  fed.catch((error: Error) => gunzip.destroy(error));
  try {
    yield* piecesOf(gunzip);
  } finally {
    gunzip.destroy();
  }
  await fed;
}

async function* zstdPlain(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const frame of zstdFrames(source))
    yield* through(frame, zlib.createZstdDecompress({ chunkSize: PIECE_BYTES }));
}

/**
 * Decompresses a stream: all members of gzip, all frames of zstd, up to the end of the source.
 * @throws `corrupt/COMPRESSED_CORRUPT` when the bytes are damaged, truncated or followed by others (zeros behind gzip are
 *   let pass, as gzip does); bytes that were given before the damage was met are not taken back
 */
export async function* decompressStream(
  source: AsyncIterable<Uint8Array>,
  compression: StreamCompression,
): AsyncGenerator<Uint8Array> {
  try {
    yield* compression === 'gzip' ? gzipPlain(source) : zstdPlain(source);
  } catch (error) {
    throw damageOf(error, compression);
  }
}
