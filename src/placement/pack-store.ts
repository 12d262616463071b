/**
 * Packs as shards on a backend. Today every pack is the stripe 1+0: one data shard that holds the whole pack, so a
 * byte range of the pack is the same range of the shard behind its header.
 */
import type { Backend } from '../backend/contract.ts';
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  decodeDirectory,
  decodePackFooter,
  decodePackHeader,
  decodeShardHeader,
  decodeShardTrailer,
  encodeStripe,
  type FinishedPack,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackDescriptor,
  type PackHeader,
  SHARD_HEADER_BYTES,
  shardKey,
  shardTrailerBytes,
  verifyShard,
} from '../format/index.ts';
import { BLOB_BYTES_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';

/** A pack to make durable, as its builder finished it. */
export interface PackToWrite extends Pick<FinishedPack, 'bytes' | 'frame'> {
  readonly header: PackHeader;
  /** Of a journal pack: the place its name tells. */
  readonly journal?: NonNullable<PackDescriptor['journal']>;
}

/** What names a pack on the backend; a descriptor or a metadata row fits. */
export type PackName = Pick<PackDescriptor, 'id' | 'class' | 'journal'>;

export interface OpenedPack {
  readonly header: PackHeader;
  readonly descriptor: PackDescriptor;
  readonly items: readonly DirectoryItem[];
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

export class PackStore {
  readonly #backend: Backend;
  readonly #storeId: Uint8Array;
  readonly #random: RandomBytes;

  constructor(parts: { readonly backend: Backend; readonly storeId: Uint8Array; readonly random: RandomBytes }) {
    this.#backend = parts.backend;
    this.#storeId = parts.storeId;
    this.#random = parts.random;
  }

  /**
   * Makes a pack durable under its name; names are never reused, so a second pack of that name is a bug.
   * @throws what the backend's `put` throws; the pack is not there then, unless the error is `unavailable`
   */
  async write(
    pack: PackToWrite,
    options: CallOptions & { readonly spendReserve?: boolean } = {},
  ): Promise<PackDescriptor> {
    const identity = { store: this.#storeId, pack: pack.header.pack, stripeId: this.#random(16) };
    const { shards, stripe } = encodeStripe(pack.bytes, identity, pack.frame);
    let storedBytes = 0;
    for (const shard of shards) storedBytes += shard.length;
    const descriptor: PackDescriptor = {
      id: pack.header.pack,
      class: pack.header.class,
      packBytes: pack.bytes.length,
      storedBytes,
      stripe,
      ...(pack.journal && { journal: pack.journal }),
    };
    for (const [index, shard] of shards.entries()) await this.#backend.put(shardKey(descriptor, index), shard, options);
    return descriptor;
  }

  /** Bytes of a pack, or `undefined` when its blob is gone. A blob that ends early is `corrupt/SHARD_CORRUPT`. */
  async read(
    pack: PackName,
    range: { readonly offset: number; readonly length: number },
    options: CallOptions = {},
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#backend.get(shardKey(pack, 0), {
        ...options,
        offset: SHARD_HEADER_BYTES + range.offset,
        length: range.length,
      });
    } catch (error) {
      if (!isStoreError(error, 'BACKEND_RANGE_INVALID')) throw error;
      throw storeError('SHARD_CORRUPT', `pack ${toHex(pack.id)} ends before byte ${range.offset + range.length}`, {
        details: { packId: toHex(pack.id), offset: range.offset, length: range.length },
        cause: error,
      });
    }
  }

  /**
   * Reads what a pack says of itself: header, directory and stripe, not the records.
   * @returns `undefined` when the blob is gone
   * @throws `corrupt/PACK_CORRUPT`, `corrupt/SHARD_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
   */
  async open(name: PackName, options: CallOptions = {}): Promise<OpenedPack | undefined> {
    const key = shardKey(name, 0);
    const info = await this.#backend.head(key, options);
    if (info === undefined) return undefined;
    const packId = toHex(name.id);
    const damaged = (why: string): never => {
      throw storeError('SHARD_CORRUPT', `pack ${packId}: ${why}`, { details: { packId, backendKey: key } });
    };
    const front = SHARD_HEADER_BYTES + PACK_HEADER_BYTES;
    if (info.bytes < front || info.bytes > BLOB_BYTES_MAX) damaged(`its blob has ${info.bytes} bytes`);
    const head = await this.#part(key, { offset: 0, length: front }, options);
    const shard = decodeShardHeader(head.subarray(0, SHARD_HEADER_BYTES));
    if (toHex(shard.pack) !== packId || toHex(shard.store) !== toHex(this.#storeId))
      damaged('its blob holds another pack');
    const trailerLength = shardTrailerBytes(shard);
    if (info.bytes !== SHARD_HEADER_BYTES + shard.packBytes + trailerLength) damaged('its blob has a wrong length');
    const header = decodePackHeader(head.subarray(SHARD_HEADER_BYTES));
    if (toHex(header.pack) !== packId || header.class !== name.class) damaged('its header names another pack');
    const packEnd = SHARD_HEADER_BYTES + shard.packBytes;
    const tail = await this.#part(
      key,
      { offset: packEnd - PACK_FOOTER_BYTES, length: PACK_FOOTER_BYTES + trailerLength },
      options,
    );
    const footer = decodePackFooter(tail.subarray(0, PACK_FOOTER_BYTES), header);
    const trailer = decodeShardTrailer(tail.subarray(PACK_FOOTER_BYTES), shard);
    const directory = await this.#part(
      key,
      { offset: SHARD_HEADER_BYTES + footer.directoryOffset, length: footer.directoryLength },
      options,
    );
    return {
      header,
      items: decodeDirectory(directory, header, footer),
      descriptor: {
        id: header.pack,
        class: header.class,
        packBytes: shard.packBytes,
        storedBytes: info.bytes,
        stripe: { id: shard.stripeId, k: shard.k, m: shard.m, roots: trailer.roots },
        ...(name.journal && { journal: name.journal }),
      },
    };
  }

  /**
   * The whole pack, every byte checked against the shard's block digests.
   * @returns `undefined` when the blob is gone
   * @throws `corrupt/SHARD_CORRUPT`
   */
  async readWhole(name: PackName, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const blob = await this.#backend.get(shardKey(name, 0), options);
    if (blob === undefined) return undefined;
    const shard = verifyShard(blob);
    if (toHex(shard.header.pack) !== toHex(name.id)) {
      throw storeError('SHARD_CORRUPT', `the blob of pack ${toHex(name.id)} holds another pack`, {
        details: { packId: toHex(name.id) },
      });
    }
    return shard.data;
  }

  async delete(pack: PackName & Pick<PackDescriptor, 'stripe'>): Promise<void> {
    for (let index = 0; index < pack.stripe.k + pack.stripe.m; index += 1)
      await this.#backend.delete(shardKey(pack, index));
  }

  async #part(
    key: string,
    range: { readonly offset: number; readonly length: number },
    options: CallOptions,
  ): Promise<Uint8Array> {
    try {
      const bytes = await this.#backend.get(key, { ...options, ...range });
      if (bytes !== undefined) return bytes;
    } catch (error) {
      if (!isStoreError(error, 'BACKEND_RANGE_INVALID')) throw error;
    }
    throw storeError('SHARD_CORRUPT', `${key} changed while it was read`, { details: { backendKey: key } });
  }
}
