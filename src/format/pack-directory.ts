/**
 * The directory of a pack: what lies where, in columns, so that like stands by like and the whole compresses to little
 * more than the ids. Deterministic CBOR; layout in `docs/format.md`, section "Pack directory".
 *
 * In sealed packs it is sealed, with zeros behind the CBOR that round the size of the whole pack.
 *
 * Invariant: records lie back to back from the header on, so offsets are sums of lengths and are not stored; a
 * directory that does not add up to exactly the room its footer leaves is damage.
 */

import { concatBytes } from '../bytes/bytes.ts';
import { PACK_BYTES_MAX, RECORD_ITEMS_MAX, RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import type { PackFooter } from './pack-footer.ts';
import { openDirectory, type PackIdentity, packFail, RECORD_TRAILER_BYTES, sealDirectory } from './pack-frame.ts';
import { PACK_HEADER_BYTES } from './pack-header.ts';
import { DIGEST_BYTES } from './sizes.ts';
import { recordKindCode, recordKindOf } from './type-codes.ts';
import type { DirectoryItem } from './types.ts';

/** Largest codec id: codec ids are one byte wherever they are used. */
export const RECORD_CODEC_MAX = 0xff;

const DIRECTORY_VERSION = 1;

/** A directory as it goes into the pack. */
export interface EncodedDirectory {
  /** With its trailer. */
  readonly bytes: Uint8Array;
  readonly paddingLength: number;
}

/**
 * Encodes the directory of items in record order, with its trailer.
 * @param paddingOf how many zeros a sealed pack takes, when its directory without them has so many bytes; default none
 */
export function encodeDirectory(
  items: readonly DirectoryItem[],
  identity: PackIdentity,
  paddingOf: (directoryBytes: number) => number = () => 0,
): EncodedDirectory {
  const stored: number[] = [];
  const plain: number[] = [];
  const codecs: number[] = [];
  const kinds: number[] = [];
  const itemCounts: number[] = [];
  for (const item of items) {
    const newest = itemCounts.length - 1;
    if (item.ordinal === newest) {
      itemCounts[newest] = (itemCounts[newest] ?? 0) + 1;
      continue;
    }
    stored.push(item.storedLength);
    plain.push(item.plainLength);
    codecs.push(item.codec);
    kinds.push(recordKindCode(item.kind));
    itemCounts.push(1);
  }
  const lengths = items.map((item) => item.length);
  const ids = concatBytes(items.map((item) => item.id));
  const columns = encodeCbor([DIRECTORY_VERSION, stored, plain, codecs, kinds, itemCounts, lengths, ids]);
  const paddingLength = identity.keyMode === 'sealed' ? paddingOf(columns.length + RECORD_TRAILER_BYTES) : 0;
  const padded = paddingLength === 0 ? columns : concatBytes([columns, new Uint8Array(paddingLength)]);
  const { content, trailer } = sealDirectory(identity, padded);
  return { bytes: concatBytes([content, trailer]), paddingLength };
}

interface Columns {
  readonly stored: readonly number[];
  readonly plain: readonly number[];
  readonly codecs: readonly number[];
  readonly kinds: readonly number[];
  readonly itemCounts: readonly number[];
  readonly lengths: readonly number[];
  readonly ids: Uint8Array;
}

function decodeColumns(content: Uint8Array, footer: PackFooter, fail: Fail): Columns {
  const fields = new Fields(decodeCbor(content, fail), fail);
  fields.version('pack directory', DIRECTORY_VERSION);
  const count = footer.recordCount;
  const columns: Columns = {
    stored: fields.integers('stored length', { min: 1, max: PACK_BYTES_MAX, count }),
    plain: fields.integers('plain length', { min: 1, max: RECORD_PLAIN_BYTES_MAX, count }),
    codecs: fields.integers('codec', { max: RECORD_CODEC_MAX, count }),
    kinds: fields.integers('kind', { count }),
    itemCounts: fields.integers('item count', { min: 1, max: RECORD_ITEMS_MAX, count }),
    lengths: fields.integers('item length', { min: 1, max: RECORD_PLAIN_BYTES_MAX, count: footer.itemCount }),
    ids: fields.bytes('ids', footer.itemCount * DIGEST_BYTES),
  };
  fields.end();
  return columns;
}

/** Items of one record: `first` is its first item in the columns. */
function recordItems(
  columns: Columns,
  record: { readonly ordinal: number; readonly offset: number; readonly first: number },
  fail: Fail,
): DirectoryItem[] {
  const { ordinal, offset, first } = record;
  const plainLength = columns.plain[ordinal] ?? 0;
  const place = {
    ordinal,
    offset,
    kind: recordKindOf(columns.kinds[ordinal] ?? 0),
    storedLength: columns.stored[ordinal] ?? 0,
    plainLength,
    codec: columns.codecs[ordinal] ?? 0,
  };
  const items: DirectoryItem[] = [];
  let inner = 0;
  for (let index = first; index < first + (columns.itemCounts[ordinal] ?? 0); index += 1) {
    const length = columns.lengths[index] ?? fail(`has no item ${index}`);
    items.push({ ...place, inner, length, id: columns.ids.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES) });
    inner += length;
  }
  if (inner !== plainLength) fail(`gives record ${ordinal} items of ${inner} bytes, not ${plainLength}`);
  return items;
}

/**
 * Decodes the directory of a pack.
 * @param bytes exactly the directory and its trailer: `[directoryOffset, directoryOffset + directoryLength)`
 * @param identity of the pack it must belong to
 * @param footer of the same pack
 * @returns every item in pack order; ids are views of one array that nothing else uses
 * @throws `corrupt/PACK_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeDirectory(bytes: Uint8Array, identity: PackIdentity, footer: PackFooter): DirectoryItem[] {
  const fail = packFail(identity, 'pack directory', footer.directoryOffset);
  if (bytes.length !== footer.directoryLength) fail(`has ${bytes.length} bytes, not ${footer.directoryLength}`);
  const contentLength = footer.directoryLength - RECORD_TRAILER_BYTES;
  const found = { content: bytes.subarray(0, contentLength), trailer: bytes.subarray(contentLength) };
  const content = openDirectory(identity, found) ?? fail('does not match its trailer');
  const columnsLength = contentLength - footer.paddingLength;
  if (content.subarray(columnsLength).some((byte) => byte !== 0)) fail('has padding that is not zero');
  const columns = decodeColumns(content.subarray(0, columnsLength), footer, fail);
  const items: DirectoryItem[] = [];
  let offset = PACK_HEADER_BYTES;
  for (let ordinal = 0; ordinal < footer.recordCount; ordinal += 1) {
    for (const item of recordItems(columns, { ordinal, offset, first: items.length }, fail)) items.push(item);
    offset += (columns.stored[ordinal] ?? 0) + RECORD_TRAILER_BYTES;
  }
  if (offset !== footer.directoryOffset) fail(`ends its records at ${offset}`);
  if (items.length !== footer.itemCount) fail(`lists ${items.length} items, not ${footer.itemCount}`);
  return items;
}
