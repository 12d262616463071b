import { discardBytes } from '../bytes/discard.ts';
import { padmeBytes } from '../crypto/padme.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import {
  KIB,
  MIB,
  PACK_BYTES_MAX,
  PACK_BYTES_TARGET,
  PACK_ITEMS_MAX,
  PACK_RECORDS_MAX,
  RECORD_ITEMS_MAX,
  RECORD_PLAIN_BYTES_MAX,
} from '../limits.ts';
import { encodeDirectory, RECORD_CODEC_MAX } from './pack-directory.ts';
import { encodePackFooter, PACK_FOOTER_BYTES } from './pack-footer.ts';
import { type PackIdentity, RECORD_TRAILER_BYTES, sealRecord } from './pack-frame.ts';
import { encodePackHeader, type PackHeader } from './pack-header.ts';
import { SHARD_HEADER_BYTES } from './shard-header.ts';
import { shardTrailerBytes } from './shard-trailer.ts';
import { DIGEST_BYTES } from './sizes.ts';
import type { DirectoryItem, RecordItem, RecordKind } from './types.ts';

/** One record on its way into a pack. */
export interface PackRecord {
  readonly kind: RecordKind;
  /** One byte; what made `stored` of the plain bytes. */
  readonly codec: number;
  /** Sum of the lengths of the items. */
  readonly plainLength: number;
  readonly stored: Uint8Array;
  /** In the order in which they lie in the plain bytes; at least one. */
  readonly items: readonly RecordItem[];
}

const CAPACITY_START = 16 * KIB;
/** Bytes that hold a full pack, the records that carried it beyond its target and its frame, in nearly every case. */
export const PACK_BUFFER_BYTES = PACK_BYTES_TARGET + 2 * MIB;
// Upper bounds of the CBOR of a directory: heads of five columns, two more arrays and the version; per record five
// integers; per item a length.
const DIRECTORY_BYTES = 64;
const DIRECTORY_RECORD_BYTES = 5 + 5 + 3 + 1 + 3;
const DIRECTORY_ITEM_BYTES = 5 + DIGEST_BYTES;

/** A pack that is complete. */
export interface FinishedPack {
  readonly bytes: Uint8Array;
  /** The array that `bytes` lies in, with the room around it that the frame of its only shard needs. */
  readonly frame: Uint8Array;
  /** In pack order. */
  readonly items: readonly DirectoryItem[];
}

/** How a pack is built. */
export interface PackBuilderOptions {
  /** Array to build in, whatever it holds; left for a larger one when the pack outgrows it. */
  readonly buffer?: Uint8Array;
  /** The pack's key, 32 bytes: of sealed packs, and only of those. */
  readonly key?: Uint8Array;
}

/**
 * Builds one pack in memory. Records are copied once into a buffer that grows from 16 KiB in few large steps, so a
 * small pack stays small and a full one is copied little. Not for concurrent use; after `finish` it is spent.
 */
export class PackBuilder {
  readonly header: PackHeader;
  readonly #identity: PackIdentity;
  readonly #items: DirectoryItem[] = [];
  #buffer: Uint8Array;
  #length = 0;
  #recordCount = 0;
  #finished = false;

  constructor(header: PackHeader, { buffer, key }: PackBuilderOptions = {}) {
    invariant((header.keyMode === 'sealed') === (key !== undefined), 'a pack has a key if it is sealed, and only then');
    this.header = header;
    this.#identity = { ...header, ...(key && { key }) };
    this.#buffer = buffer ?? new Uint8Array(CAPACITY_START);
    this.#append(encodePackHeader(header));
  }

  /**
   * Size of the pack if it were finished now; never less, and more by some bytes an item: the directory is estimated.
   */
  get bytes(): number {
    return this.#paddedBytes(this.#unpaddedBytes);
  }

  get #unpaddedBytes(): number {
    const directory = DIRECTORY_BYTES + directoryBytes(this.#recordCount, this.#items.length);
    return this.#length + directory + RECORD_TRAILER_BYTES + PACK_FOOTER_BYTES;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  get itemCount(): number {
    return this.#items.length;
  }

  /** Whether the pack has reached its target size or its count of records, and the next record belongs in another. */
  get isFull(): boolean {
    // Items fill it by the bytes of their ids before there can be too many of them.
    return this.bytes >= PACK_BYTES_TARGET || this.#recordCount >= PACK_RECORDS_MAX;
  }

  /**
   * Appends a record.
   * @returns where its items are, in their order; `stored` may be reused afterwards, the ids of the items may not
   * @throws TypeError or RangeError for a record outside the limits, or one that the pack has no room for (see
   *   `isFull`)
   */
  add(record: PackRecord): readonly DirectoryItem[] {
    invariant(!this.#finished, 'a finished pack takes no records');
    checkRecord(record);
    const storedLength = record.stored.length;
    if (this.#recordCount >= PACK_RECORDS_MAX || this.#items.length + record.items.length > PACK_ITEMS_MAX) {
      throw argumentRangeError('record', 'one for a pack that is not full', this.#recordCount);
    }
    if (this.#unpaddedBytes + recordBytes(storedLength, record.items.length) > PACK_BYTES_MAX) {
      throw argumentRangeError('record.stored.length', 'within a pack of the largest size', storedLength);
    }
    const { kind, codec, plainLength } = record;
    const place = { ordinal: this.#recordCount, kind, offset: this.#length, storedLength, plainLength, codec };
    let inner = 0;
    const added = record.items.map(({ id, length }): DirectoryItem => {
      const item = { ...place, inner, length, id };
      inner += length;
      return item;
    });
    const { content, trailer } = sealRecord(this.#identity, place, record.stored);
    this.#append(content, trailer);
    if (content !== record.stored) discardBytes(content);
    this.#recordCount += 1;
    for (const item of added) this.#items.push(item);
    return added;
  }

  /** Appends directory and footer. */
  finish(): FinishedPack {
    invariant(!this.#finished, 'a pack is finished once');
    this.#finished = true;
    const directoryOffset = this.#length;
    const unpadded = directoryOffset + PACK_FOOTER_BYTES;
    const directory = encodeDirectory(
      this.#items,
      this.#identity,
      (bytes) => this.#paddedBytes(unpadded + bytes) - unpadded - bytes,
    );
    const footer = encodePackFooter(
      {
        directoryOffset,
        directoryLength: directory.bytes.length,
        recordCount: this.#recordCount,
        itemCount: this.#items.length,
        paddingLength: directory.paddingLength,
      },
      this.#identity,
    );
    this.#append(directory.bytes, footer);
    const packEnd = SHARD_HEADER_BYTES + this.#length;
    const trailerBytes = shardTrailerBytes({ shardBytes: this.#length, k: 1, m: 0 });
    this.#reserve(trailerBytes);
    const frame = this.#buffer.subarray(0, packEnd + trailerBytes);
    return { bytes: frame.subarray(SHARD_HEADER_BYTES, packEnd), frame, items: this.#items };
  }

  /** Bytes of a pack that would have so many without padding. The largest are not padded beyond what a blob holds. */
  #paddedBytes(bytes: number): number {
    if (this.header.keyMode === 'plain') return bytes;
    return Math.max(bytes, Math.min(padmeBytes(bytes), PACK_BYTES_MAX));
  }

  #append(...parts: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#reserve(bytes);
    for (const part of parts) {
      this.#buffer.set(part, SHARD_HEADER_BYTES + this.#length);
      this.#length += part.length;
    }
  }

  /** Makes room for `bytes` more. */
  #reserve(bytes: number): void {
    const used = SHARD_HEADER_BYTES + this.#length;
    if (used + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(nextCapacity(this.#buffer.length, used + bytes));
    grown.set(this.#buffer.subarray(0, used));
    this.#buffer = grown;
  }
}

/** Upper bound of what records and items take in a directory. */
function directoryBytes(records: number, items: number): number {
  return records * DIRECTORY_RECORD_BYTES + items * DIRECTORY_ITEM_BYTES;
}

/** Upper bound of what a record adds to a pack. */
function recordBytes(storedLength: number, items: number): number {
  return storedLength + RECORD_TRAILER_BYTES + directoryBytes(1, items);
}

// Steps of four keep the bytes copied while growing to a third of the pack; past a full pack only one record follows.
function nextCapacity(capacity: number, needed: number): number {
  let next = capacity;
  while (next < needed && next < PACK_BUFFER_BYTES) next = Math.min(4 * next, PACK_BUFFER_BYTES);
  return next >= needed ? next : needed + MIB;
}

function checkRecord(record: PackRecord): void {
  checkInteger('record.codec', record.codec, { min: 0, max: RECORD_CODEC_MAX });
  checkInteger('record.plainLength', record.plainLength, { min: 1, max: RECORD_PLAIN_BYTES_MAX });
  checkInteger('record.stored.length', record.stored.length, { min: 1, max: PACK_BYTES_MAX });
  checkInteger('record.items.length', record.items.length, { min: 1, max: RECORD_ITEMS_MAX });
  let sum = 0;
  for (const { id, length } of record.items) {
    checkInteger('record.items[].length', length, { min: 1, max: RECORD_PLAIN_BYTES_MAX });
    invariant(id.length === DIGEST_BYTES, 'an id has 32 bytes');
    sum += length;
  }
  if (sum !== record.plainLength)
    throw argumentRangeError('record.plainLength', `${sum}, the sum of its items`, record.plainLength);
}
