/**
 * Packs as shards on a backend. Today every pack is the stripe 1+0: one data shard that holds the whole pack, so a byte
 * range of the pack is the same range of the shard behind its header. A sealed store has sealed packs only, a plain one
 * plain packs only: of the other kind none is written, and none believed.
 */
import type { Backend, GetOptions } from '../backend/contract.ts';
import { toHex } from '../bytes/bytes.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  decodeDirectory,
  decodePackFooter,
  decodePackHeader,
  decodeShardHeader,
  decodeShardTrailer,
  encodeStripe,
  type FinishedPack,
  identifyPack,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackDescriptor,
  type PackFooter,
  type PackHeader,
  type PackIdentity,
  type PackKeys,
  packBytesOf,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  shardKey,
  shardTrailerBytes,
  verifyShard,
} from '../format/index.ts';
import { BLOB_BYTES_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { Semaphore } from '../runtime/semaphore.ts';

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
  /** What its records open with. */
  readonly identity: PackIdentity;
  readonly descriptor: PackDescriptor;
  readonly items: readonly DirectoryItem[];
}

/** A pack in memory. */
export interface WholePack extends OpenedPack {
  readonly bytes: Uint8Array;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

export class PackStore {
  readonly #backend: Backend;
  readonly #storeId: Uint8Array;
  readonly #random: RandomBytes;
  readonly #keys: PackKeys | undefined;
  /** Calls that the backend takes at once (B15), however many readers and writers there are. */
  readonly #slots: Semaphore;

  constructor(parts: {
    readonly backend: Backend;
    readonly storeId: Uint8Array;
    readonly random: RandomBytes;
    /** `undefined` in a plain store. */
    readonly keys: PackKeys | undefined;
  }) {
    this.#backend = parts.backend;
    this.#storeId = parts.storeId;
    this.#random = parts.random;
    this.#keys = parts.keys;
    this.#slots = new Semaphore(parts.backend.capabilities.concurrencyMax);
  }

  /**
   * Makes a pack durable under its name; names are never reused, so a second pack of that name is a bug.
   * @throws what the backend's `put` throws; the pack is not there then, unless the error is `unavailable`
   */
  async write(
    pack: PackToWrite,
    options: CallOptions & { readonly spendReserve?: boolean } = {},
  ): Promise<PackDescriptor> {
    const { header, journal } = pack;
    invariant((header.keyMode === 'sealed') === (this.#keys !== undefined), 'a store writes packs of its own key mode');
    const identity = { store: this.#storeId, pack: header.pack, stripeId: this.#random(16) };
    const { shards, stripe } = encodeStripe(pack.bytes, identity, pack.frame);
    let storedBytes = 0;
    for (const shard of shards) storedBytes += shard.length;
    const descriptor: PackDescriptor = {
      id: header.pack,
      class: header.class,
      packBytes: pack.bytes.length,
      storedBytes,
      stripe,
      ...(journal && { journal }),
      ...sealOf(header),
    };
    for (const [index, shard] of shards.entries())
      await this.#inSlot(options, () => this.#backend.put(shardKey(descriptor, index), shard, options));
    return descriptor;
  }

  /** Bytes of a pack, or `undefined` when its blob is gone. A blob that ends early is `corrupt/SHARD_CORRUPT`. */
  async read(
    pack: PackName,
    range: { readonly offset: number; readonly length: number },
    options: CallOptions = {},
  ): Promise<Uint8Array | undefined> {
    try {
      const part = { offset: SHARD_HEADER_BYTES + range.offset, length: range.length };
      return await this.#get(shardKey(pack, 0), { ...options, ...part });
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
   * @returns `undefined` when the blob is gone, also when it goes meanwhile: names are never reused, so it was deleted
   * @throws `corrupt/PACK_CORRUPT`, `corrupt/SHARD_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`, and in a sealed store
   *   what `PackKeys` throws
   */
  async open(name: PackName, options: CallOptions = {}): Promise<OpenedPack | undefined> {
    const key = shardKey(name, 0);
    const info = await this.#inSlot(options, () => this.#backend.head(key, options));
    if (info === undefined) return undefined;
    const front = SHARD_HEADER_BYTES + PACK_HEADER_BYTES;
    if (info.bytes < front || info.bytes > BLOB_BYTES_MAX) throw damaged(name, `its blob has ${info.bytes} bytes`);
    const head = await this.#part(key, { offset: 0, length: front }, options);
    if (head === undefined) return undefined;
    const shard = decodeShardHeader(head.subarray(0, SHARD_HEADER_BYTES));
    this.#checkShard(name, shard);
    const trailerLength = shardTrailerBytes(shard);
    if (info.bytes !== SHARD_HEADER_BYTES + shard.packBytes + trailerLength)
      throw damaged(name, 'its blob has a wrong length');
    const header = decodePackHeader(head.subarray(SHARD_HEADER_BYTES));
    const identity = await this.#identify(name, header);
    const packEnd = SHARD_HEADER_BYTES + shard.packBytes;
    const tail = await this.#part(
      key,
      { offset: packEnd - PACK_FOOTER_BYTES, length: PACK_FOOTER_BYTES + trailerLength },
      options,
    );
    if (tail === undefined) return undefined;
    const footer = decodePackFooter(tail.subarray(0, PACK_FOOTER_BYTES), identity);
    checkLength(name, footer, shard.packBytes);
    const trailer = decodeShardTrailer(tail.subarray(PACK_FOOTER_BYTES), shard);
    const directory = await this.#part(
      key,
      { offset: SHARD_HEADER_BYTES + footer.directoryOffset, length: footer.directoryLength },
      options,
    );
    if (directory === undefined) return undefined;
    const descriptor = describePack(header, shard, { name, roots: trailer.roots, storedBytes: info.bytes });
    return { header, identity, items: decodeDirectory(directory, identity, footer), descriptor };
  }

  /**
   * Reads a pack whole, with one backend read: what `open` gives, and its bytes, every one checked against the block
   * digests of the shard.
   * @returns `undefined` when the blob is gone
   * @throws what `open` throws
   */
  async openWhole(name: PackName, options: CallOptions = {}): Promise<WholePack | undefined> {
    const blob = await this.#get(shardKey(name, 0), options);
    if (blob === undefined) return undefined;
    const { header: shard, data: bytes, roots } = verifyShard(blob);
    this.#checkShard(name, shard);
    const header = decodePackHeader(bytes);
    const identity = await this.#identify(name, header);
    const footer = decodePackFooter(bytes.subarray(bytes.length - PACK_FOOTER_BYTES), identity);
    checkLength(name, footer, bytes.length);
    const directory = bytes.subarray(footer.directoryOffset, footer.directoryOffset + footer.directoryLength);
    const descriptor = describePack(header, shard, { name, roots, storedBytes: blob.length });
    return { header, identity, items: decodeDirectory(directory, identity, footer), descriptor, bytes };
  }

  async delete(pack: PackName & Pick<PackDescriptor, 'stripe'>): Promise<void> {
    for (let index = 0; index < pack.stripe.k + pack.stripe.m; index += 1)
      await this.#inSlot({}, () => this.#backend.delete(shardKey(pack, index)));
  }

  async #inSlot<T>({ signal }: CallOptions, call: () => Promise<T>): Promise<T> {
    await this.#slots.acquire(1, signal);
    try {
      return await call();
    } finally {
      this.#slots.release();
    }
  }

  #get(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    return this.#inSlot(options, () => this.#backend.get(key, options));
  }

  async #identify(name: PackName, header: PackHeader): Promise<PackIdentity> {
    if (toHex(header.pack) !== toHex(name.id) || header.class !== name.class)
      throw damaged(name, 'its header names another pack');
    // Bound to this store, whatever the header claims.
    return await identifyPack({ ...header, store: this.#storeId }, this.#keys);
  }

  #checkShard(name: PackName, shard: ShardHeader): void {
    if (toHex(shard.pack) !== toHex(name.id) || toHex(shard.store) !== toHex(this.#storeId))
      throw damaged(name, 'its blob holds another pack');
  }

  async #part(
    key: string,
    range: { readonly offset: number; readonly length: number },
    options: CallOptions,
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#get(key, { ...options, ...range });
    } catch (error) {
      if (!isStoreError(error, 'BACKEND_RANGE_INVALID')) throw error;
      const details = { backendKey: key };
      throw storeError('SHARD_CORRUPT', `${key} changed while it was read`, { details, cause: error });
    }
  }
}

function damaged(name: PackName, why: string): Error {
  const packId = toHex(name.id);
  return storeError('SHARD_CORRUPT', `pack ${packId}: ${why}`, { details: { packId, backendKey: shardKey(name, 0) } });
}

/** Bytes that footer and directory do not account for: nothing proves them, so there may be none. */
function checkLength(name: PackName, footer: PackFooter, packBytes: number): void {
  if (packBytesOf(footer) !== packBytes) throw damaged(name, `has ${packBytes} bytes, not those its footer says`);
}

function sealOf({ namespace, epoch, salt }: PackHeader): Pick<PackDescriptor, 'seal'> {
  return salt ? { seal: { namespace, epoch, salt } } : {};
}

function describePack(
  header: PackHeader,
  shard: ShardHeader,
  found: { readonly name: PackName; readonly roots: Uint8Array; readonly storedBytes: number },
): PackDescriptor {
  const { stripeId: id, k, m, packBytes } = shard;
  const { name, storedBytes, roots } = found;
  const { journal } = name;
  return {
    id: name.id,
    class: name.class,
    packBytes,
    storedBytes,
    stripe: { id, k, m, roots },
    ...(journal && { journal }),
    ...sealOf(header),
  };
}
