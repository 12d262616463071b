import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { CODEC_STORED, type Codec, checkCodec } from './codec.ts';
import { isDamage, zstdDecompress, zstdDecompressSync } from './node-zstd.ts';
import { compressedCorrupt, walkZstdFrame } from './zstd-frame.ts';

/** Up to here the call costs the main thread less (50 us) than a round trip to the pool does (80 us). */
const SYNC_PLAIN_BYTES_MAX = 32 * 1024;
/** A window this small is nobody's attack, however few plain bytes there are. */
const WINDOW_BYTES_FREE = 1024;

function checkLength(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw compressedCorrupt(`${what} ${actual} bytes, expected ${expected}`);
}

/** Refuses, before anything is allocated, every frame that a decoder could not open within `plainLength`. */
function checkFrame(frame: Uint8Array, plainLength: number): void {
  const { contentBytes, windowBytes } = walkZstdFrame(frame);
  if (contentBytes !== undefined) {
    checkLength('the frame declares', contentBytes, plainLength);
  } else if (windowBytes > Math.max(WINDOW_BYTES_FREE, plainLength * 2)) {
    // Without a declared size the decoder allocates the window that the frame asks for.
    throw compressedCorrupt(`the frame asks for a window of ${windowBytes} bytes to hold ${plainLength}`);
  }
}

/** Everything that can be refused without decompressing. */
function checkStored(
  codec: number,
  stored: unknown,
  plainLength: number,
): { readonly codec: Codec; readonly stored: Uint8Array } {
  if (!(stored instanceof Uint8Array)) throw argumentTypeError('stored', 'a Uint8Array', stored);
  checkInteger('plainLength', plainLength, { min: 0, max: RECORD_PLAIN_BYTES_MAX });
  const known = checkCodec(codec);
  if (known === CODEC_STORED) checkLength('there are', stored.length, plainLength);
  else checkFrame(stored, plainLength);
  return { codec: known, stored };
}

function checkPlain(plain: Uint8Array, plainLength: number): Uint8Array {
  checkLength('the frame holds', plain.length, plainLength);
  return plain;
}

function damageOf(error: unknown): unknown {
  return isDamage(error) ? compressedCorrupt('zstd refuses the frame', error) : error;
}

/**
 * Gives the plain bytes of what `compress` made. Up to 32 KiB are decompressed at once, more on libuv's pool; `stored`
 * must not change meanwhile. Memory: `plainLength` plus the decoder's 160 KiB, whatever the bytes claim.
 * @param codec id as read from disk, 0 to 255
 * @param stored exactly one stored value or one zstd frame
 * @param plainLength bytes to get, 0 to 32 MiB
 * @returns `plainLength` bytes: `stored` itself for codec 0, else a new array owned by the caller
 * @throws `corrupt/COMPRESSED_CORRUPT` when the bytes are damaged, truncated, followed by others, or of another length
 * @throws `unsupported/CODEC_UNSUPPORTED` for a codec of a newer version
 * @throws TypeError, RangeError for arguments of the wrong type or range
 */
export async function decompress(codec: number, stored: Uint8Array, plainLength: number): Promise<Uint8Array> {
  if (plainLength <= SYNC_PLAIN_BYTES_MAX) return decompressSync(codec, stored, plainLength);
  const checked = checkStored(codec, stored, plainLength);
  if (checked.codec === CODEC_STORED) return checked.stored;
  try {
    return checkPlain(await zstdDecompress(checked.stored, plainLength), plainLength);
  } catch (error) {
    throw damageOf(error);
  }
}

/** Like `decompress`, on the calling thread whatever the size (about 1.5 ms a MiB): for workers. */
export function decompressSync(codec: number, stored: Uint8Array, plainLength: number): Uint8Array {
  const checked = checkStored(codec, stored, plainLength);
  if (checked.codec === CODEC_STORED) return checked.stored;
  try {
    return checkPlain(zstdDecompressSync(checked.stored, plainLength), plainLength);
  } catch (error) {
    throw damageOf(error);
  }
}
