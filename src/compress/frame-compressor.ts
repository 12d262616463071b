/**
 * zstd contexts for one frame after another. A one-shot call of `node:zlib` makes a context and an output buffer as
 * large as the input each time; V8 counts the buffers as its own and marks the whole heap again for every 16 MB of
 * them. Over 1,299 records of 1 MiB that was 23 full collections and 4.2 to 4.5 s of processor time; with contexts kept
 * it is 5 and 3.9 s, and the larger the caller's heap, the larger the difference.
 *
 * Invariant: the same bytes at the same level give the same frame. zstd takes another path, with another result, when
 * the free output holds the worst case; here it never does, because inputs are at least as large as the whole output
 * buffer.
 */
import zlib from 'node:zlib';
import { concatBytes, copyBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { KIB } from '../limits.ts';
import { zstdFrameBytes } from './zstd-frame.ts';

const { constants } = zlib;

const OUTPUT_BYTES = 256 * KIB;
/** Shorter inputs are not for a kept context. */
export const KEPT_CONTEXT_PLAIN_BYTES_MIN = OUTPUT_BYTES;
/** Above it a context holds tens of mebibytes, and the work takes so long that making one does not count. */
export const KEPT_CONTEXT_LEVEL_MAX = 3;
/** As many as libuv's pool has threads; each holds some 2 MiB. */
const IDLE_MAX = 4;

/** One kept context. */
export class FrameCompressor {
  readonly level: number;
  readonly #stream: zlib.ZstdCompress;
  #parts: Uint8Array[] = [];

  constructor(level: number) {
    this.level = level;
    this.#stream = zlib.createZstdCompress({
      chunkSize: OUTPUT_BYTES,
      // Every write ends a frame, and zstd sees all of its input at once: that is how the frame gets its content size.
      flush: constants.ZSTD_e_end,
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_contentSizeFlag]: 1,
        [constants.ZSTD_c_checksumFlag]: 0,
        [constants.ZSTD_c_dictIDFlag]: 0,
      },
    });
    this.#stream.on('data', (part: Uint8Array) => this.#parts.push(part));
    // The callback of the write has the error; without a listener it would end the process besides.
    this.#stream.on('error', () => undefined);
  }

  /** One at a time. After a failure the compressor is of no more use. */
  async compress(plain: Uint8Array): Promise<Uint8Array> {
    invariant(plain.length >= KEPT_CONTEXT_PLAIN_BYTES_MIN, 'a kept context is for long inputs');
    this.#parts = [];
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(plain, (error) => (error ? reject(error) : resolve()));
    });
    // What the stream still holds back goes through the listener too.
    while (this.#stream.read() !== null);
    const [first, ...more] = this.#parts;
    invariant(first, 'a frame has bytes');
    const written = more.length === 0 ? first : concatBytes(this.#parts);
    this.#parts = [];
    // Where a frame ends exactly at the end of the buffer, Node calls zstd once more and an empty frame follows.
    return copyBytes(written.subarray(0, zstdFrameBytes(written)));
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** Used last comes first, so that a single caller keeps to one context. */
const idle: FrameCompressor[] = [];

function take(level: number): FrameCompressor {
  const index = idle.findLastIndex((compressor) => compressor.level === level);
  const [found] = index < 0 ? [] : idle.splice(index, 1);
  return found ?? new FrameCompressor(level);
}

/**
 * Compresses on libuv's pool with a context that was used before where there is one.
 * @param plain at least `KEPT_CONTEXT_PLAIN_BYTES_MIN` bytes; must not change meanwhile
 * @returns one zstd frame with its content size, owned by the caller
 */
export async function compressFrame(plain: Uint8Array, level: number): Promise<Uint8Array> {
  const compressor = take(level);
  let frame: Uint8Array;
  try {
    frame = await compressor.compress(plain);
  } catch (error) {
    compressor.close();
    throw error;
  }
  idle.push(compressor);
  if (idle.length > IDLE_MAX) idle.shift()?.close();
  return frame;
}
