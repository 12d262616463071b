/**
 * The zstd of `node:zlib` as two pairs of plain functions. A call makes its own zstd context (about 1.3 MiB while a
 * level 1 call runs, measured) and frees it; only long inputs at fast levels share kept ones (`frame-compressor.ts`).
 * Concurrency is bounded by the callers.
 *
 * The asynchronous pair runs on libuv's pool (4 threads unless `UV_THREADPOOL_SIZE` says otherwise). Measured on 2
 * cores with 1 MiB records of source text at level 1, it was as fast as worker threads over shared buffers (430 MiB/s
 * against 424) with 60 MiB less resident memory, so there is no worker pool here.
 */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { compressFrame, KEPT_CONTEXT_LEVEL_MAX, KEPT_CONTEXT_PLAIN_BYTES_MIN } from './frame-compressor.ts';

const { constants } = zlib;
const zstdCompressAsync = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const zstdDecompressAsync = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Node's smallest output buffer. */
const CHUNK_SIZE_MIN = 64;

/** The most bytes a frame of `plainBytes` takes (`ZSTD_COMPRESSBOUND` of zstd.h). */
function frameBytesMax(plainBytes: number): number {
  const smallInput = 128 * 1024;
  return plainBytes + (plainBytes >>> 8) + (plainBytes < smallInput ? (smallInput - plainBytes) >>> 11 : 0);
}

/**
 * An output buffer that the frame cannot fill. Where a frame ends exactly at the end of a buffer, Node asks zstd once
 * more and an empty second frame follows the first (nodejs/node lib/zlib.js `processChunkSync`, still in v26.7; found
 * by the strict reader of `zstd-frame.ts`). Pages that stay untouched cost no memory, and nothing has to be joined.
 */
function compressOptions(plainBytes: number, level: number): zlib.ZstdOptions {
  return {
    chunkSize: Math.max(CHUNK_SIZE_MIN, frameBytesMax(plainBytes) + 1),
    // Without it the asynchronous call writes frames that leave out their content size.
    pledgedSrcSize: plainBytes,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 0,
      [constants.ZSTD_c_dictIDFlag]: 0,
    },
  };
}

/**
 * An output buffer for all of it lets libzstd decode straight into it, without a window (1.5 times as fast); the one
 * byte more spares the call that Node makes when a buffer is full.
 */
function decompressOptions(plainBytes: number): zlib.ZstdOptions {
  return { chunkSize: Math.max(CHUNK_SIZE_MIN, plainBytes + 1), maxOutputLength: Math.max(1, plainBytes) };
}

/**
 * Takes Node's `Buffer` off the bytes, and copies them where they are a small part of their memory: a kept view would
 * hold all of it, or share Node's pool of small buffers.
 */
function release(buffer: Buffer): Uint8Array {
  const view = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  return view.length * 2 < buffer.buffer.byteLength ? view.slice() : view;
}

/** @returns one zstd frame, owned by the caller */
export async function zstdCompress(plain: Uint8Array, level: number): Promise<Uint8Array> {
  if (plain.length >= KEPT_CONTEXT_PLAIN_BYTES_MIN && level <= KEPT_CONTEXT_LEVEL_MAX)
    return compressFrame(plain, level);
  return release(await zstdCompressAsync(plain, compressOptions(plain.length, level)));
}

/** Like `zstdCompress`, on the calling thread. */
export function zstdCompressSync(plain: Uint8Array, level: number): Uint8Array {
  return release(zlib.zstdCompressSync(plain, compressOptions(plain.length, level)));
}

/** Never gives more than `plainBytes`; throws what Node throws. @returns plain bytes, owned by the caller */
export async function zstdDecompress(frame: Uint8Array, plainBytes: number): Promise<Uint8Array> {
  return release(await zstdDecompressAsync(frame, decompressOptions(plainBytes)));
}

/** Like `zstdDecompress`, on the calling thread. */
export function zstdDecompressSync(frame: Uint8Array, plainBytes: number): Uint8Array {
  return release(zlib.zstdDecompressSync(frame, decompressOptions(plainBytes)));
}

/**
 * Whether Node's error says that the frame is damaged, rather than that the process lacks memory or the code is wrong.
 */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== 'string' || code === 'ZSTD_error_memory_allocation') return false;
  return code.startsWith('ZSTD_error_') || code === 'Z_BUF_ERROR' || code === 'ERR_BUFFER_TOO_LARGE';
}
