import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { CODEC_STORED, CODEC_ZSTD, type Codec } from './codec.ts';
import { looksCompressible } from './compressible.ts';
import { zstdCompress, zstdCompressSync } from './node-zstd.ts';

/** zstd's own level 1: the fastest that still finds what grouped source code repeats. */
export const COMPRESSION_LEVEL_DEFAULT = 1;
/**
 * zstd's levels as far as Holdfast takes them: below zero faster and larger, above 19 the memory of one call passes 100
 * MiB.
 */
export const COMPRESSION_LEVEL_MIN = -7;
/** Highest zstd level taken. */
export const COMPRESSION_LEVEL_MAX = 19;

/** Below this a frame's header and tables eat what matches could save. */
const COMPRESS_BYTES_MIN = 64;
/** Up to here the call costs the main thread less (50 us) than a round trip to the pool does (80 us). */
const SYNC_BYTES_MAX = 8 * 1024;
/**
 * A frame is kept when it saves more than 1/32 of the bytes. Of 4,000 files measured (programs, libraries, images,
 * archives) 0.3 % lay between 0.5 and 3 %: for so little, every later read would pay for decompressing.
 */
const SAVING_DIVISOR = 32;

/** How hard to try. */
export interface CompressOptions {
  /** zstd level, -7 to -1 or 1 to 19. Default 1. */
  readonly level?: number;
  /** Checked before the work begins and when it ends; the work itself cannot be interrupted. */
  readonly signal?: AbortSignal;
}

/** Bytes as they are stored, and how. */
export interface Compressed {
  readonly codec: Codec;
  /** The argument itself for codec 0, else a new array owned by the caller. */
  readonly bytes: Uint8Array;
}

/**
 * Checks a compression level.
 * @param level -7 to -1 or 1 to 19; 0 is refused because zstd takes it for "whatever your default is"
 * @throws TypeError, RangeError
 */
export function checkCompressionLevel(level: number): number {
  checkInteger('level', level, { min: COMPRESSION_LEVEL_MIN, max: COMPRESSION_LEVEL_MAX });
  if (level === 0)
    throw argumentRangeError('level', `${COMPRESSION_LEVEL_MIN} to -1 or 1 to ${COMPRESSION_LEVEL_MAX}`, level);
  return level;
}

function checkPlain(bytes: unknown): void {
  if (!(bytes instanceof Uint8Array)) throw argumentTypeError('bytes', 'a Uint8Array', bytes);
  if (bytes.length > RECORD_PLAIN_BYTES_MAX) {
    throw argumentRangeError('bytes.length', `at most ${RECORD_PLAIN_BYTES_MAX}`, bytes.length);
  }
}

function isWorthTrying(bytes: Uint8Array): boolean {
  return bytes.length >= COMPRESS_BYTES_MIN && looksCompressible(bytes);
}

function smaller(plain: Uint8Array, frame: Uint8Array): Compressed {
  const pays = plain.length - frame.length > plain.length / SAVING_DIVISOR;
  return pays ? { codec: CODEC_ZSTD, bytes: frame } : { codec: CODEC_STORED, bytes: plain };
}

/**
 * Makes bytes smaller where that pays, and gives them back as they are where it does not. Up to 8 KiB are compressed at
 * once, more on libuv's pool; the bytes must not change meanwhile.
 * @param bytes at most 32 MiB
 * @throws TypeError, RangeError for arguments of the wrong type or range; the signal's reason when aborted
 * @see RFC 8878, Zstandard
 * @example
 * const { codec, bytes } = await compress(new TextEncoder().encode('hold '.repeat(100)));
 * await decompress(codec, bytes, 500); // the 500 plain bytes
 */
export async function compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Compressed> {
  const { level = COMPRESSION_LEVEL_DEFAULT, signal } = options;
  signal?.throwIfAborted();
  checkPlain(bytes);
  checkCompressionLevel(level);
  if (bytes.length <= SYNC_BYTES_MAX) return compressSync(bytes, { level });
  if (!isWorthTrying(bytes)) return { codec: CODEC_STORED, bytes };
  const frame = await zstdCompress(bytes, level);
  signal?.throwIfAborted();
  return smaller(bytes, frame);
}

/** Like `compress`, on the calling thread whatever the size (about 4 ms a MiB at level 1): for workers. */
export function compressSync(bytes: Uint8Array, options: Pick<CompressOptions, 'level'> = {}): Compressed {
  const { level = COMPRESSION_LEVEL_DEFAULT } = options;
  checkPlain(bytes);
  checkCompressionLevel(level);
  if (!isWorthTrying(bytes)) return { codec: CODEC_STORED, bytes };
  return smaller(bytes, zstdCompressSync(bytes, level));
}
