/**
 * One header block of tar: POSIX.1-2017 pax, section "ustar Interchange Format", with what GNU tar and old tars do
 * differently (base-256 numbers, no prefix, signed checksums). Names are bytes here, since archives hold any.
 */
import { concatBytes } from '../bytes/bytes.ts';
import { archiveInvalid } from './tar-item.ts';

export const BLOCK_BYTES = 512;

export interface TarHeader {
  readonly name: Uint8Array;
  readonly link: Uint8Array;
  /** The type flag, as a character. */
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  /** Old GNU sparse files: more blocks of their map follow this one. */
  readonly isExtended: boolean;
}

const CHECKSUM_OFFSET = 148;
const CHECKSUM_END = 156;
const SPACE = 0x20;

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** A field of text: up to its first NUL. */
export function untilNul(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** Two's complement of 63 or 95 bits behind the marking one; `NaN` beyond what a number holds exactly. */
function base256(field: Uint8Array): number {
  let value = BigInt(field[0]! & 0x3f) - BigInt(field[0]! & 0x40);
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** A number of a header; an empty field is 0, `NaN` is none. */
function numberIn(field: Uint8Array): number {
  if ((field[0]! & 0x80) !== 0) return base256(field);
  const text = String.fromCharCode(...untilNul(field)).trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** Both ways of adding up that were ever used: unsigned, as POSIX has it, and signed, as some old tars did. */
function isChecksumRight(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  // By index: this runs for every byte of every header.
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    const isOwn = index >= CHECKSUM_OFFSET && index < CHECKSUM_END;
    const value = isOwn ? SPACE : block[index]!;
    unsigned += value;
    if (value > 127) signed -= 256;
  }
  signed += unsigned;
  const stored = numberIn(block.subarray(CHECKSUM_OFFSET, CHECKSUM_END));
  return stored === unsigned || stored === signed;
}

function nameIn(block: Uint8Array): Uint8Array {
  const name = untilNul(block.subarray(0, 100));
  // GNU tar's own magic is followed by a space and has other fields where POSIX has the prefix.
  const isPosix = Buffer.from(block.subarray(257, 263)).toString('latin1') === 'ustar\0';
  const prefix = isPosix ? untilNul(block.subarray(345, 500)) : new Uint8Array(0);
  return prefix.length === 0 ? name : concatBytes([prefix, Uint8Array.of(0x2f), name]);
}

/**
 * Reads a header block that is not all zeros.
 * @param offset where it lies in the archive, for errors
 * @throws `invalid/ARCHIVE_INVALID`
 */
export function parseHeader(block: Uint8Array, offset: number): TarHeader {
  if (!isChecksumRight(block)) {
    const statement = offset === 0 ? 'it does not begin like a tar archive' : 'the checksum of a header is wrong';
    throw archiveInvalid(statement, { offset });
  }
  const mode = numberIn(block.subarray(100, 108));
  const size = numberIn(block.subarray(124, 136));
  const seconds = numberIn(block.subarray(136, 148));
  if (!(mode >= 0) || !(size >= 0) || Number.isNaN(seconds)) {
    throw archiveInvalid('a number of a header is none, or beyond all bounds', { offset });
  }
  return {
    name: nameIn(block),
    link: untilNul(block.subarray(157, 257)),
    flag: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    // The file type bits that some tars add stand in the type flag already.
    mode: mode % 0o10000,
    size,
    seconds,
    isExtended: block[482] === 1,
  };
}
