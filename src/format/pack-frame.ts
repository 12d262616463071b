/**
 * Frames inside a pack: content ‖ 16-byte trailer. The trailer binds the content to its place, so that a frame moved to
 * another pack, store, ordinal or kind does not open. In plain packs it is BLAKE3 over AAD ‖ content cut to 16 bytes;
 * in sealed packs the content is ciphertext of AES-256-GCM (NIST SP 800-38D) and the trailer its tag.
 *
 * Invariant: under one pack key no nonce is used twice. A builder seals each ordinal, the directory and the footer
 * once, and the three have nonces apart; a pack that is written again is another pack, with another salt and so another
 * key.
 *
 * Does not: decompress, or compare digests of items.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { AEAD_NONCE_BYTES, openAead, sealAead } from '../crypto/aead.ts';
import { invariant } from '../errors/store-error.ts';
import { checkOf } from './check.ts';
import { type Fail, failWith } from './damage.ts';
import { KEY_MODES, PACK_VERSION, type PackHeader } from './pack-header.ts';
import { CHECK_BYTES } from './sizes.ts';
import { packClassCode, recordKindCode } from './type-codes.ts';
import type { ItemPosition } from './types.ts';

/** What follows the stored bytes of every record, and the directory. */
export const RECORD_TRAILER_BYTES = CHECK_BYTES;

/** What a frame is bound to besides its own place: the part of the header that says whose it is, and its key. */
export interface PackIdentity extends Pick<PackHeader, 'store' | 'pack' | 'class' | 'namespace' | 'epoch' | 'keyMode'> {
  /** The pack's key, 32 bytes: in sealed packs, and only there. */
  readonly key?: Uint8Array;
}

/** What the trailer of one record binds. */
export type RecordFrame = Pick<ItemPosition, 'ordinal' | 'kind' | 'codec' | 'plainLength' | 'storedLength'>;

/** Content as it lies in the pack, and what follows it. */
export interface FrameBytes {
  readonly content: Uint8Array;
  readonly trailer: Uint8Array;
}

const AAD_PLAIN_BYTES = 60;
const AAD_SEALED_BYTES = AAD_PLAIN_BYTES + 2;
/** Keep the nonces of one pack apart. */
const RECORD_NONCE = 0;
const DIRECTORY_NONCE = 1;
const FOOTER_NONCE = 2;
/** Stand where a record has its kind, out of the range of those. */
const DIRECTORY_MARK = 254;
const FOOTER_MARK = 255;

/** A frame of any kind: what its AAD and its nonce are made of. */
interface Frame {
  readonly aad: Uint8Array;
  readonly ordinal: number;
  readonly nonceKind: number;
}

function encodeAad(identity: PackIdentity, frame: Omit<RecordFrame, 'kind'> & { readonly kind: number }): Uint8Array {
  const { code, suite } = KEY_MODES[identity.keyMode];
  const isSealed = identity.keyMode === 'sealed';
  const writer = new BinaryWriter(isSealed ? AAD_SEALED_BYTES : AAD_PLAIN_BYTES)
    .u16(PACK_VERSION)
    .u16(suite)
    .put(identity.store)
    .u32(identity.namespace)
    .u32(identity.epoch)
    .put(identity.pack)
    .u32(frame.ordinal)
    .u16(frame.kind)
    .u16(frame.codec)
    .u32(frame.plainLength)
    .u32(frame.storedLength);
  // Not in plain packs: they have been written without since the first version.
  if (isSealed) writer.u8(packClassCode(identity.class)).u8(code);
  return writer.bytes;
}

function recordFrame(identity: PackIdentity, record: RecordFrame): Frame {
  const aad = encodeAad(identity, { ...record, kind: recordKindCode(record.kind) });
  return { aad, ordinal: record.ordinal, nonceKind: RECORD_NONCE };
}

function directoryFrame(identity: PackIdentity, length: number): Frame {
  const place = { ordinal: 0, kind: DIRECTORY_MARK, codec: 0, plainLength: length, storedLength: length };
  return { aad: encodeAad(identity, place), ordinal: 0, nonceKind: DIRECTORY_NONCE };
}

/** @param prelude the front of the footer, which stays readable: the AAD ends with it */
function footerFrame(identity: PackIdentity, prelude: Uint8Array, length: number): Frame {
  const place = { ordinal: 0, kind: FOOTER_MARK, codec: 0, plainLength: length, storedLength: length };
  return { aad: concatBytes([encodeAad(identity, place), prelude]), ordinal: 0, nonceKind: FOOTER_NONCE };
}

function nonceOf({ ordinal, nonceKind }: Frame): Uint8Array {
  return new BinaryWriter(AEAD_NONCE_BYTES).u32(ordinal).u8(nonceKind).bytes;
}

function sealFrame({ keyMode, key }: PackIdentity, frame: Frame, plain: Uint8Array): FrameBytes {
  invariant((keyMode === 'sealed') === (key !== undefined), 'a pack has a key if it is sealed, and only then');
  if (key === undefined) return { content: plain, trailer: checkOf(frame.aad, plain) };
  const { sealed, tag } = sealAead(key, { nonce: nonceOf(frame), aad: frame.aad }, plain);
  return { content: sealed, trailer: tag };
}

/** @returns `undefined` when the frame is not the one that was written there */
function openFrame({ keyMode, key }: PackIdentity, frame: Frame, found: FrameBytes): Uint8Array | undefined {
  invariant((keyMode === 'sealed') === (key !== undefined), 'a pack has a key if it is sealed, and only then');
  const { content, trailer: tag } = found;
  if (key === undefined) return equalBytes(tag, checkOf(frame.aad, content)) ? content : undefined;
  return openAead(key, { nonce: nonceOf(frame), aad: frame.aad, tag }, content);
}

/** Makes the frame of a record out of its stored bytes. */
export function sealRecord(identity: PackIdentity, record: RecordFrame, stored: Uint8Array): FrameBytes {
  return sealFrame(identity, recordFrame(identity, record), stored);
}

/** Makes the frame of the directory. */
export function sealDirectory(identity: PackIdentity, content: Uint8Array): FrameBytes {
  return sealFrame(identity, directoryFrame(identity, content.length), content);
}

/** @returns the content of the directory, `undefined` when it is not the one that was written there */
export function openDirectory(identity: PackIdentity, found: FrameBytes): Uint8Array | undefined {
  return openFrame(identity, directoryFrame(identity, found.content.length), found);
}

/** Makes the frame of the footer's numbers. @param prelude what stands before them */
export function sealFooter(identity: PackIdentity, prelude: Uint8Array, content: Uint8Array): FrameBytes {
  return sealFrame(identity, footerFrame(identity, prelude, footerLength(prelude, content)), content);
}

/** @returns the numbers of the footer, `undefined` when they are not the ones that were written there */
export function openFooter(identity: PackIdentity, prelude: Uint8Array, found: FrameBytes): Uint8Array | undefined {
  return openFrame(identity, footerFrame(identity, prelude, footerLength(prelude, found.content)), found);
}

/** The AAD counts the whole footer without its trailer. */
function footerLength(prelude: Uint8Array, content: Uint8Array): number {
  return prelude.length + content.length;
}

/** The `Fail` of one pack, at an offset in it. */
export function packFail(identity: Pick<PackHeader, 'pack'>, component: string, offset?: number): Fail {
  const details = { packId: toHex(identity.pack), ...(offset !== undefined && { offset }) };
  return failWith('PACK_CORRUPT', component, details);
}

/**
 * Opens one record and gives its stored bytes. Reads and keeps nothing else: neighbours may lie in the same buffer.
 * @param identity of the pack it must belong to
 * @param position where the directory or the metadata says it is
 * @param frame exactly its stored bytes and trailer
 * @returns the bytes still compressed: in plain packs a view of `frame`, in sealed ones a buffer of their own
 * @throws `corrupt/PACK_CORRUPT` with pack id and offset when the bytes are not the record that was written there
 */
export function openRecord(
  identity: PackIdentity,
  position: RecordFrame & Pick<ItemPosition, 'offset'>,
  frame: Uint8Array,
): Uint8Array {
  const { ordinal, offset, storedLength } = position;
  const expected = storedLength + RECORD_TRAILER_BYTES;
  if (frame.length !== expected) {
    packFail(identity, `record ${ordinal}`, offset)(`has ${frame.length} bytes, not ${expected}`);
  }
  const found = { content: frame.subarray(0, storedLength), trailer: frame.subarray(storedLength) };
  const stored = openFrame(identity, recordFrame(identity, position), found);
  return stored ?? packFail(identity, `record ${ordinal}`, offset)('does not match its trailer');
}
