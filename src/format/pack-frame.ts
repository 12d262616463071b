/**
 * Frames inside a pack: content ‖ 16-byte trailer. The trailer binds the content to its place, so that a frame moved to
 * another pack, store, ordinal or kind does not open. In plain packs it is BLAKE3 over AAD ‖ content cut to 16 bytes; in
 * sealed packs the same AAD goes into AES-256-GCM (NIST SP 800-38D) and the trailer is the tag.
 *
 * Does not: decompress, compare digests of items, or hide anything.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { toHex } from '../bytes/bytes.ts';
import { checkHolds, checkOf } from './check.ts';
import { type Fail, failWith } from './damage.ts';
import { KEY_MODES, PACK_VERSION, type PackHeader } from './pack-header.ts';
import { CHECK_BYTES } from './sizes.ts';
import { recordKindCode } from './type-codes.ts';
import type { ItemPosition } from './types.ts';

/** What follows the stored bytes of every record, and the directory. */
export const RECORD_TRAILER_BYTES = CHECK_BYTES;

/** What a frame is bound to besides its own place: the part of the header that says whose it is. */
export type PackIdentity = Pick<PackHeader, 'store' | 'pack' | 'namespace' | 'epoch'>;

/** What the trailer of one record binds. */
export type RecordFrame = Pick<ItemPosition, 'ordinal' | 'kind' | 'codec' | 'plainLength' | 'storedLength'>;

const AAD_BYTES = 60;
/** Stand where a record has its kind, out of the range of those. */
const DIRECTORY_MARK = 254;
const FOOTER_MARK = 255;

function encodeAad(identity: PackIdentity, frame: Omit<RecordFrame, 'kind'> & { readonly kind: number }): Uint8Array {
  return new BinaryWriter(AAD_BYTES)
    .u16(PACK_VERSION)
    .u16(KEY_MODES.plain.suite)
    .put(identity.store)
    .u32(identity.namespace)
    .u32(identity.epoch)
    .put(identity.pack)
    .u32(frame.ordinal)
    .u16(frame.kind)
    .u16(frame.codec)
    .u32(frame.plainLength)
    .u32(frame.storedLength).bytes;
}

function encodeRecordAad(identity: PackIdentity, frame: RecordFrame): Uint8Array {
  return encodeAad(identity, { ...frame, kind: recordKindCode(frame.kind) });
}

function encodeOtherAad(identity: PackIdentity, mark: number, length: number): Uint8Array {
  return encodeAad(identity, { ordinal: 0, kind: mark, codec: 0, plainLength: length, storedLength: length });
}

/** The trailer of a record with these stored bytes. */
export function recordTrailer(identity: PackIdentity, frame: RecordFrame, stored: Uint8Array): Uint8Array {
  return checkOf(encodeRecordAad(identity, frame), stored);
}

/** The trailer of the directory. */
export function directoryTrailer(identity: PackIdentity, content: Uint8Array): Uint8Array {
  return checkOf(encodeOtherAad(identity, DIRECTORY_MARK, content.length), content);
}

/** The trailer of the footer: its last 16 bytes. */
export function footerTrailer(identity: PackIdentity, content: Uint8Array): Uint8Array {
  return checkOf(encodeOtherAad(identity, FOOTER_MARK, content.length), content);
}

/** The `Fail` of one pack, at an offset in it. */
export function packFail(identity: Pick<PackHeader, 'pack'>, component: string, offset?: number): Fail {
  const details = { packId: toHex(identity.pack), ...(offset !== undefined && { offset }) };
  return failWith('PACK_CORRUPT', component, details);
}

/**
 * Checks one record and gives its stored bytes. Reads and keeps nothing else: neighbours may lie in the same buffer.
 * @param identity of the pack it must belong to
 * @param position where the directory or the metadata says it is
 * @param frame exactly its stored bytes and trailer
 * @returns a view of `frame`, still compressed
 * @throws `corrupt/PACK_CORRUPT` with pack id and offset when the bytes are not the record that was written there
 */
export function openRecord(
  identity: PackIdentity,
  position: RecordFrame & Pick<ItemPosition, 'offset'>,
  frame: Uint8Array,
): Uint8Array {
  const { ordinal, offset, storedLength } = position;
  if (frame.length !== storedLength + RECORD_TRAILER_BYTES) {
    const expected = storedLength + RECORD_TRAILER_BYTES;
    packFail(identity, `record ${ordinal}`, offset)(`has ${frame.length} bytes, not ${expected}`);
  }
  const stored = frame.subarray(0, storedLength);
  const trailer = frame.subarray(storedLength);
  if (!checkHolds(trailer, encodeRecordAad(identity, position), stored)) {
    packFail(identity, `record ${ordinal}`, offset)('does not match its trailer');
  }
  return stored;
}
