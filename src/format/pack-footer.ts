/**
 * The last 64 bytes of a pack: where its directory is and how many things it lists. Fixed in size, so that a reader
 * finds the directory from the end of the blob. Layout in `docs/format.md`, section "Pack footer". In sealed packs the
 * numbers are sealed; the prelude before them stays readable and is bound by their tag.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, EMPTY_BYTES } from '../bytes/bytes.ts';
import { PACK_BYTES_MAX, PACK_ITEMS_MAX, PACK_RECORDS_MAX, RECORD_ITEMS_MAX } from '../limits.ts';
import { openFooter, type PackIdentity, packFail, RECORD_TRAILER_BYTES, sealFooter } from './pack-frame.ts';
import { PACK_HEADER_BYTES, PACK_VERSION } from './pack-header.ts';
import { type Layout, PRELUDE_BYTES, readPrelude, readReserved, writePrelude } from './prelude.ts';

export const PACK_FOOTER_BYTES = 64;

const NUMBERS_BYTES = PACK_FOOTER_BYTES - PRELUDE_BYTES - RECORD_TRAILER_BYTES;
const RESERVED_BYTES = 8;
const LAYOUT: Layout = { magic: 'HOLDFOOT', version: PACK_VERSION, component: 'pack footer' };

export interface PackFooter {
  /** First byte of the directory in the pack. */
  readonly directoryOffset: number;
  /** Bytes of the directory with its trailer. */
  readonly directoryLength: number;
  readonly recordCount: number;
  readonly itemCount: number;
  /** Zeros at the end of the directory's content, which round the size of the pack; 0 in plain packs. */
  readonly paddingLength: number;
}

/** Bytes of the whole pack that ends with this footer. */
export function packBytesOf(footer: PackFooter): number {
  return footer.directoryOffset + footer.directoryLength + PACK_FOOTER_BYTES;
}

/** Encodes a footer, bound to its pack. */
export function encodePackFooter(footer: PackFooter, identity: PackIdentity): Uint8Array {
  const prelude = new BinaryWriter(PRELUDE_BYTES);
  writePrelude(prelude, LAYOUT);
  const numbers = new BinaryWriter(NUMBERS_BYTES)
    .u64(footer.directoryOffset)
    .u32(footer.directoryLength)
    .u32(footer.recordCount)
    .u32(footer.itemCount)
    .u32(footer.paddingLength)
    .put(new Uint8Array(RESERVED_BYTES));
  const { content, trailer } = sealFooter(identity, prelude.bytes, numbers.bytes);
  return concatBytes([prelude.bytes, content, trailer]);
}

/**
 * Decodes the footer at the end of `bytes`; what is before it is not looked at.
 * @param identity of the pack it must belong to: its decoded header
 * @throws `corrupt/PACK_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodePackFooter(bytes: Uint8Array, identity: PackIdentity): PackFooter {
  const fail = packFail(identity, 'pack footer');
  if (bytes.length < PACK_FOOTER_BYTES) fail(`has ${bytes.length} of ${PACK_FOOTER_BYTES} bytes`);
  const footer = bytes.subarray(bytes.length - PACK_FOOTER_BYTES);
  const found = {
    content: footer.subarray(PRELUDE_BYTES, PRELUDE_BYTES + NUMBERS_BYTES),
    trailer: footer.subarray(PRELUDE_BYTES + NUMBERS_BYTES),
  };
  const numbers = openFooter(identity, footer.subarray(0, PRELUDE_BYTES), found);
  readPrelude(footer, LAYOUT, { fail, intact: () => numbers !== undefined });

  const reader = new BinaryReader(numbers ?? EMPTY_BYTES, fail);
  const directoryOffset = reader.u64();
  const directoryLength = reader.u32();
  const recordCount = reader.u32();
  const itemCount = reader.u32();
  const paddingLength = reader.u32();
  readReserved(reader, RESERVED_BYTES, fail);
  const decoded: PackFooter = { directoryOffset, directoryLength, recordCount, itemCount, paddingLength };
  if (packBytesOf(decoded) > PACK_BYTES_MAX) fail('says that its pack is larger than packs can be');
  if (directoryOffset < PACK_HEADER_BYTES) fail('points its directory into the header');
  if (identity.keyMode === 'plain' && paddingLength !== 0) fail('says that a plain pack is padded');
  if (directoryLength < paddingLength + RECORD_TRAILER_BYTES) fail('leaves no room for a directory and its padding');
  if (recordCount > PACK_RECORDS_MAX) fail(`counts ${recordCount} records`);
  if (itemCount < recordCount || itemCount > Math.min(PACK_ITEMS_MAX, recordCount * RECORD_ITEMS_MAX)) {
    fail(`counts ${itemCount} items in ${recordCount} records`);
  }
  return decoded;
}
