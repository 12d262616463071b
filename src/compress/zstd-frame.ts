/**
 * Walks one zstd frame without decompressing it (RFC 8878 sections 3.1.1.1 and 3.1.1.2): frame header, then block
 * headers up to the last block, then the checksum. libzstd as Node binds it stops silently at the end of the first
 * frame and skips skippable frames; a record is exactly one data frame and nothing else, so its end is found here and
 * must be the end of the bytes. What the blocks hold is for the decoder to judge, not for this walk.
 *
 * Invariant: a walked frame cannot make a decoder allocate more than `contentBytes`, or `windowBytes` where the frame
 * declares no content size.
 */
import { BinaryReader } from '../bytes/binary-reader.ts';
import { storeError } from '../errors/store-error.ts';

const MAGIC = 0xfd2fb528;
/** Largest a block may be, compressed or not (RFC 8878 section 3.1.1.2.4). */
const BLOCK_BYTES_MAX = 128 * 1024;
const CHECKSUM_BYTES = 4;
const WINDOW_LOG_MIN = 10;

/** Bytes of the Dictionary_ID field by flag (RFC 8878 section 3.1.1.1.1.6). */
const DICTIONARY_ID_WIDTHS = [0, 1, 2, 4] as const;
/** The two-byte content size field counts from here (RFC 8878 section 3.1.1.1.4). */
const CONTENT_SIZE_TWO_BYTE_OFFSET = 256;

const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

export interface ZstdFrame {
  /** Plain bytes the header promises; `undefined` when it leaves them out. */
  readonly contentBytes: number | undefined;
  /** History a streaming decoder must hold. */
  readonly windowBytes: number;
}

interface FrameHeader extends ZstdFrame {
  readonly hasChecksum: boolean;
}

/** Makes the one error of damaged compressed bytes. */
export function compressedCorrupt(statement: string, cause?: unknown): Error {
  return storeError(
    'COMPRESSED_CORRUPT',
    `compressed bytes are damaged: ${statement}`,
    cause === undefined ? {} : { cause },
  );
}

function readContentBytes(reader: BinaryReader, flag: number, singleSegment: boolean): number | undefined {
  switch (flag) {
    case 0:
      return singleSegment ? reader.u8() : undefined;
    case 1:
      return reader.u16() + CONTENT_SIZE_TWO_BYTE_OFFSET;
    case 2:
      return reader.u32();
    default:
      return reader.u64();
  }
}

function readHeader(reader: BinaryReader): FrameHeader {
  if (reader.u32() !== MAGIC) throw compressedCorrupt('they do not begin with a zstd frame');
  const descriptor = reader.u8();
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw compressedCorrupt('a reserved bit of the frame header is set');
  let windowBytes = 0;
  if (!singleSegment) {
    const window = reader.u8();
    const base = 2 ** (WINDOW_LOG_MIN + (window >>> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  const dictionaryId = reader.bytes(DICTIONARY_ID_WIDTHS[(descriptor & 3) as 0 | 1 | 2 | 3]);
  if (dictionaryId.some((byte) => byte !== 0)) throw compressedCorrupt('the frame asks for a dictionary');
  const contentBytes = readContentBytes(reader, descriptor >>> 6, singleSegment);
  return {
    contentBytes,
    windowBytes: singleSegment ? (contentBytes ?? 0) : windowBytes,
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

function skipBlocks(reader: BinaryReader): void {
  for (let last = false; !last; ) {
    const header = reader.u8() | (reader.u16() << 8);
    const size = header >>> 3;
    const type = (header >>> 1) & 3;
    last = (header & 1) === 1;
    if (type === BLOCK_RESERVED) throw compressedCorrupt('a block has the reserved type');
    if (size > BLOCK_BYTES_MAX) throw compressedCorrupt('a block is larger than zstd allows');
    reader.bytes(type === BLOCK_RLE ? 1 : size);
  }
}

function walk(bytes: Uint8Array): { readonly frame: ZstdFrame; readonly following: number } {
  const reader = new BinaryReader(bytes, (what) => {
    throw compressedCorrupt(`the frame ${what}`);
  });
  const { contentBytes, windowBytes, hasChecksum } = readHeader(reader);
  skipBlocks(reader);
  if (hasChecksum) reader.bytes(CHECKSUM_BYTES);
  return { frame: { contentBytes, windowBytes }, following: reader.remaining };
}

/**
 * Reads the shape of `stored`, which must be one zstd data frame and nothing after it. Costs a few reads per 128 KiB
 * of content; keeps nothing of the argument.
 * @throws `corrupt/COMPRESSED_CORRUPT` for anything else: truncated, trailing bytes, a second or a skippable frame, a
 *   dictionary, reserved bits
 */
export function walkZstdFrame(stored: Uint8Array): ZstdFrame {
  const { frame, following } = walk(stored);
  if (following !== 0) throw compressedCorrupt(`${following} bytes follow the frame`);
  return frame;
}

/** Length of the frame that `bytes` begin with, whatever follows it. */
export function zstdFrameBytes(bytes: Uint8Array): number {
  return bytes.length - walk(bytes).following;
}
