/**
 * Cuts a stream into its zstd frames without decompressing it (RFC 8878 section 3.1.1). Node's decoder stops at the end of
 * the first frame and drops what its caller handed it behind, without an error; parallel compressors write many frames,
 * and a file cut at a frame must not look whole. Skippable frames (section 3.1.2) are passed over.
 */
import { concatBytes } from '../bytes/bytes.ts';
import { StreamReader } from '../bytes/stream-reader.ts';
import { STREAM_WINDOW_BYTES_MAX } from '../limits.ts';
import { compressedCorrupt } from './zstd-frame.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const CHECKSUM_BYTES = 4;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const BLOCK_BYTES_MAX = 128 * 1024;

function u32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}

function isSkippable(magic: number): boolean {
  return (magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC;
}

/** Whether bytes begin like a zstd stream. */
export function isZstdStart(start: Uint8Array): boolean {
  return start.length >= 4 && (u32(start) === MAGIC || isSkippable(u32(start)));
}

async function exactly(reader: StreamReader, length: number): Promise<Uint8Array> {
  const bytes = await reader.take(length);
  if (bytes.length < length) throw compressedCorrupt('they end within a zstd frame');
  return bytes;
}

/** The frame header behind the magic number; what the decoder must remember is checked here. */
async function readHeader(reader: StreamReader): Promise<Uint8Array> {
  const descriptor = (await exactly(reader, 1))[0]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const window = await exactly(reader, singleSegment ? 0 : 1);
  const dictionary = await exactly(reader, [0, 1, 2, 4][descriptor & 3]!);
  const sizeWidth = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const size = await exactly(reader, sizeWidth);
  const content = size.reduceRight((value, byte) => value * 256 + byte, 0);
  const base = 2 ** (10 + ((window[0] ?? 0) >>> 3));
  const windowBytes = singleSegment ? content : base + (base / 8) * ((window[0] ?? 0) & 7);
  if (windowBytes > STREAM_WINDOW_BYTES_MAX) {
    throw compressedCorrupt(
      `a frame asks for a window of ${windowBytes} bytes; ${STREAM_WINDOW_BYTES_MAX} are the most`,
    );
  }
  return concatBytes([Uint8Array.of(descriptor), window, dictionary, size]);
}

async function* frameBytes(reader: StreamReader, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  const header = await readHeader(reader);
  yield concatBytes([magic, header]);
  const tailBytes = (header[0]! & 0x04) === 0 ? 0 : CHECKSUM_BYTES;
  for (let last = false; !last; ) {
    const blockHeader = await exactly(reader, 3);
    const fields = blockHeader[0]! | (blockHeader[1]! << 8) | (blockHeader[2]! << 16);
    last = (fields & 1) === 1;
    const type = (fields >>> 1) & 3;
    const size = fields >>> 3;
    if (type === BLOCK_RESERVED || size > BLOCK_BYTES_MAX) throw compressedCorrupt('a block of zstd is none');
    const body = await exactly(reader, (type === BLOCK_RLE ? 1 : size) + (last ? tailBytes : 0));
    yield concatBytes([blockHeader, body]);
  }
}

/**
 * Gives each frame as a stream of its bytes; read one to its end before asking for the next.
 * @throws `corrupt/COMPRESSED_CORRUPT` for anything that is no frame, and where the source ends within one or holds none
 */
export async function* zstdFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const reader = new StreamReader(source);
  try {
    for (let count = 0; ; count += 1) {
      const magic = await reader.take(4);
      if (magic.length === 0 && count > 0) return;
      if (!isZstdStart(magic)) throw compressedCorrupt('where a zstd frame should begin there is none');
      if (!isSkippable(u32(magic))) {
        yield frameBytes(reader, magic);
        continue;
      }
      const length = u32(await exactly(reader, 4));
      if ((await reader.skip(length)) < length) throw compressedCorrupt('they end within a skippable frame');
    }
  } finally {
    await reader.close();
  }
}
