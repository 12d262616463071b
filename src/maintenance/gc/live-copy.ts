/**
 * Copies what lives of packs into new ones. Records of which everything lives go over as they are; of the others what
 * lives is proven, gathered and compressed anew.
 */
import { concatBytes, equalBytes, toHex } from '../../bytes/bytes.ts';
import { compress, decompress } from '../../compress/index.ts';
import { storeError } from '../../errors/store-error.ts';
import {
  type DirectoryItem,
  type ItemIds,
  itemId,
  openRecord,
  PackBuilder,
  type PackDescriptor,
  type PackHeader,
  RECORD_TRAILER_BYTES,
} from '../../format/index.ts';
import { blake3 } from '../../hash/index.ts';
import { RECORD_ITEMS_MAX, RECORD_PLAIN_BYTES_TARGET } from '../../limits.ts';
import type { WholePack } from '../../placement/pack-store.ts';
import { recordOf } from '../merge.ts';

export interface AddedPack {
  readonly pack: PackDescriptor;
  readonly items: readonly DirectoryItem[];
}

export interface LiveCopyParts {
  begin(): Promise<{ readonly header: PackHeader; readonly key?: Uint8Array }>;
  write(pack: ReturnType<PackBuilder['finish']> & { readonly header: PackHeader }): Promise<PackDescriptor>;
  readonly ids: ItemIds;
  readonly compressionLevel: number;
  /** Array that packs are built in, one after the other, whatever it holds. */
  readonly buffer: Uint8Array;
}

interface Survivor {
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Writes packs of what it is given: one in memory at a time, and one record's worth of survivors. */
export class LiveCopy {
  readonly #parts: LiveCopyParts;
  readonly added: AddedPack[] = [];
  #builder: PackBuilder | undefined;
  #kind: DirectoryItem['kind'] = 'chunk';
  #survivors: Survivor[] = [];
  #survivorBytes = 0;
  #bytes = 0;

  constructor(parts: LiveCopyParts) {
    this.#parts = parts;
  }

  /** Bytes of the packs written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes what lives of a pack. Nothing of its memory is needed afterwards.
   * @param lives whether an item goes over; `doubtful`: only after it was proven
   * @throws `corrupt/PACK_CORRUPT` when an item is not what its id says
   */
  async add(whole: WholePack, lives: (item: DirectoryItem) => boolean | 'doubtful'): Promise<void> {
    for (const items of Map.groupBy(whole.items, ({ ordinal }) => ordinal).values()) {
      const living = items.filter(lives);
      if (items.every((item) => lives(item) === true)) await this.#addRecord(() => recordOf(whole, items));
      else if (living.length > 0) await this.#addSome(whole, living);
    }
  }

  /** Writes what is left. */
  async finish(): Promise<readonly AddedPack[]> {
    await this.#flushSurvivors();
    await this.#write();
    return this.added;
  }

  async #addRecord(record: () => Parameters<PackBuilder['add']>[0]): Promise<void> {
    this.#builder ??= await this.#begin();
    this.#builder.add(record());
    if (this.#builder.isFull) await this.#write();
  }

  async #begin(): Promise<PackBuilder> {
    const { header, key } = await this.#parts.begin();
    return new PackBuilder(header, { buffer: this.#parts.buffer, ...(key && { key }) });
  }

  async #addSome(whole: WholePack, living: readonly DirectoryItem[]): Promise<void> {
    const first = living[0] as DirectoryItem;
    const frame = whole.bytes.subarray(first.offset, first.offset + first.storedLength + RECORD_TRAILER_BYTES);
    const plain = await decompress(first.codec, openRecord(whole.identity, first, frame), first.plainLength);
    for (const item of living) {
      const bytes = plain.subarray(item.inner, item.inner + item.length);
      this.#check(whole, item, bytes);
      // A record that is not compressed lies in the memory of the pack, which ends before the survivors are written.
      await this.#addSurvivor(item, bytes.slice());
    }
  }

  #check(whole: WholePack, { kind, id, offset }: DirectoryItem, bytes: Uint8Array): void {
    const digest = blake3(bytes);
    const actual = itemId(this.#parts.ids, kind, digest);
    if (equalBytes(actual, id)) return;
    const packId = toHex(whole.header.pack);
    throw storeError('PACK_CORRUPT', `pack ${packId} has an item that is not what its directory says`, {
      details: { packId, offset },
    });
  }

  async #addSurvivor({ kind, id }: DirectoryItem, bytes: Uint8Array): Promise<void> {
    const isFull = this.#survivorBytes + bytes.length > RECORD_PLAIN_BYTES_TARGET;
    if (kind !== this.#kind || isFull || this.#survivors.length === RECORD_ITEMS_MAX) await this.#flushSurvivors();
    this.#kind = kind;
    this.#survivors.push({ id, bytes });
    this.#survivorBytes += bytes.length;
  }

  async #flushSurvivors(): Promise<void> {
    const survivors = this.#survivors;
    if (survivors.length === 0) return;
    this.#survivors = [];
    this.#survivorBytes = 0;
    const plain = concatBytes(survivors.map(({ bytes }) => bytes));
    const { codec, bytes: stored } = await compress(plain, { level: this.#parts.compressionLevel });
    const items = survivors.map(({ id, bytes }) => ({ id, length: bytes.length }));
    await this.#addRecord(() => ({ kind: this.#kind, codec, plainLength: plain.length, stored, items }));
  }

  async #write(): Promise<void> {
    const builder = this.#builder;
    this.#builder = undefined;
    if (builder === undefined || builder.recordCount === 0) return;
    this.#bytes += builder.bytes;
    const finished = builder.finish();
    const pack = await this.#parts.write({ header: builder.header, ...finished });
    this.added.push({ pack, items: finished.items });
  }
}
