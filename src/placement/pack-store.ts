/**
 * Packs on the backends of a store: framed as shards when they are written, taken from whatever shards are at hand when
 * they are read. A sealed store has sealed packs only, a plain one plain packs only: of the other kind none is written,
 * and none believed.
 */
import { toHex } from '../bytes/bytes.ts';
import { discardBytes } from '../bytes/discard.ts';
import type { Redundancy } from '../erasure/index.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  decodeDirectory,
  decodePackFooter,
  decodePackHeader,
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
  shardKey,
  shardTrailerBytes,
  verifyShard,
} from '../format/index.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { settleAll } from '../runtime/settle-all.ts';
import type { BackendSet } from './backend-set.ts';
import { encodeStripe, stripeBytes } from './encode-stripe.ts';
import { type FoundStripe, findPlaces, findStripes, type SoughtPack } from './find-stripe.ts';
import { type ByteRange, type HedgePolicy, type OnLosses, type PlacedStripe, StripeReader } from './stripe-reader.ts';
import { parityNeeded, StripeWriter, WRITE_POLICY, type WritePolicy } from './stripe-writer.ts';

/** A pack to make durable, as its builder finished it. */
export interface PackToWrite extends Pick<FinishedPack, 'bytes' | 'frame'> {
  readonly header: PackHeader;
  /** Of a journal pack: the place its name tells. */
  readonly journal?: NonNullable<PackDescriptor['journal']>;
  /** Default: that of the store. */
  readonly redundancy?: Redundancy;
}

/** What names a pack on the backends; a descriptor or a metadata row fits, and tells where its shards are. */
export type PackName = Pick<PackDescriptor, 'id' | 'class' | 'journal'> &
  Partial<Pick<PackDescriptor, 'packBytes' | 'stripe' | 'places'>>;

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

/**
 * Gives the memory of a whole pack back at once, where nothing else lies in it: garbage collectors get to large arrays
 * late, and the next pack would take memory of its own. Nobody may hold a part of its bytes.
 */
export function discardWhole({ bytes, descriptor }: WholePack): void {
  const { k, m } = descriptor.stripe;
  const frameBytes = SHARD_HEADER_BYTES + shardTrailerBytes({ shardBytes: bytes.length, k, m });
  const { buffer } = bytes;
  if (buffer.byteLength <= bytes.length + frameBytes) discardBytes(new Uint8Array(buffer));
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What the placement tells whoever keeps the books. */
export interface PlacementListener {
  /** Shards that could not be used; the read did without them. */
  readonly onLosses: OnLosses;
  /** A pack was written without all of its shards. */
  onDegradedWrite(pack: PackDescriptor): void;
}

/** Waits that long for a backend that was not measured yet before another one is asked besides. */
const HEDGE_POLICY: HedgePolicy = { hedgeMs: 100 };

export class PackStore {
  readonly #backends: BackendSet;
  readonly #storeId: Uint8Array;
  readonly #random: RandomBytes;
  readonly #keys: PackKeys | undefined;
  readonly #redundancy: () => Redundancy;
  readonly #follow: (() => Promise<void>) | undefined;
  readonly #write: WritePolicy;
  readonly #reader: StripeReader;
  readonly #listener: PlacementListener | undefined;

  constructor(parts: {
    readonly backends: BackendSet;
    readonly storeId: Uint8Array;
    readonly random: RandomBytes;
    /** `undefined` in a plain store. */
    readonly keys: PackKeys | undefined;
    /** What packs are written with when they say nothing else. Default 1+0. */
    readonly redundancy?: () => Redundancy;
    /**
     * Called before every write, and before a read that needs a backend which is not known: other processes may have
     * changed which there are, also of a store that had one only.
     */
    readonly follow?: () => Promise<void>;
    readonly policy?: Partial<WritePolicy & HedgePolicy>;
    readonly listener?: PlacementListener;
  }) {
    const { backends, policy, listener } = parts;
    this.#backends = backends;
    this.#storeId = parts.storeId;
    this.#random = parts.random;
    this.#keys = parts.keys;
    this.#redundancy = parts.redundancy ?? (() => ({ k: 1, m: 0 }));
    this.#follow = parts.follow;
    this.#write = { ...WRITE_POLICY, ...policy };
    this.#listener = listener;
    const onLosses = listener?.onLosses ?? (() => undefined);
    this.#reader = new StripeReader({ backends, hedge: { ...HEDGE_POLICY, ...policy }, onLosses });
  }

  /** What packs are written with when they say nothing else. */
  get redundancy(): Redundancy {
    return this.#redundancy();
  }

  /** Whether there is more than one backend, so that one of them may be away while the store works. */
  get isSpread(): boolean {
    return this.#backends.links.length > 1;
  }

  /**
   * Makes a pack durable under its name; names are never reused, so a second pack of that name is a bug. Shards that no
   * backend took, where enough others are there, have the place 0.
   * @throws `unavailable/REDUNDANCY_UNMET`, and what the `put` of a lone backend throws; the pack is not there then, unless
   *   the error is `unavailable`
   */
  async write(
    pack: PackToWrite,
    options: CallOptions & { readonly spendReserve?: boolean } = {},
  ): Promise<PackDescriptor> {
    const { header, journal } = pack;
    invariant((header.keyMode === 'sealed') === (this.#keys !== undefined), 'a store writes packs of its own key mode');
    await this.#follow?.();
    const identity = { store: this.#storeId, pack: header.pack, stripeId: this.#random(16) };
    const encoded = encodeStripe(pack, identity, pack.redundancy ?? this.redundancy);
    const name = { id: header.pack, class: header.class, ...(journal && { journal }) };
    const parts = { backends: this.#backends, policy: this.#write };
    const put = await new StripeWriter(parts, { pack: name, encoded }, options).write();
    const places = await this.#stillThere(name, encoded.stripe, put);
    const written = {
      ...name,
      packBytes: pack.bytes.length,
      storedBytes: encoded.shards.reduce((sum, shard) => sum + shard.length, 0),
      stripe: encoded.stripe,
      places,
      ...sealOf(header),
    };
    if (places.includes(0)) this.#listener?.onDegradedWrite(written);
    return written;
  }

  /**
   * Bytes of a pack.
   * @param options `verified`: every block is proven by the digests of its shard before it is used, and a shard that fails
   *   is made up for by others
   * @returns `undefined` when no shard of it is anywhere
   * @throws `corrupt/SHARD_CORRUPT` for a pack that ends before the range, or a lone shard that does;
   *   `corrupt/SHARDS_INSUFFICIENT`, `unavailable/BACKEND_UNREACHABLE`
   */
  async read(
    pack: PackDescriptor,
    range: { readonly offset: number; readonly length: number },
    options: CallOptions & { readonly verified?: boolean } = {},
  ): Promise<Uint8Array | undefined> {
    if (range.offset + range.length > pack.packBytes) {
      const details = { packId: toHex(pack.id), offset: range.offset, length: range.length };
      const message = `pack ${toHex(pack.id)} ends before byte ${range.offset + range.length}`;
      throw storeError('SHARD_CORRUPT', message, { details });
    }
    const placed = await this.#placed(await this.#followTo(pack), options);
    return placed && (await this.#reader.read(placed, range, options));
  }

  /**
   * Reads what a pack says of itself: header, directory and stripe, not the records.
   * @returns `undefined` when it is gone, also when it goes meanwhile: names are never reused, so it was deleted
   * @throws `corrupt/PACK_CORRUPT`, `corrupt/SHARD_CORRUPT`, `corrupt/SHARDS_INSUFFICIENT`,
   *   `unsupported/FORMAT_UNSUPPORTED`, `unavailable/BACKEND_UNREACHABLE`, and in a sealed store what `PackKeys` throws
   */
  open(name: PackName, options: CallOptions = {}): Promise<OpenedPack | undefined> {
    return this.#trying(name, options, (stripe) => this.#openStripe(name, stripe, options));
  }

  /**
   * Reads a pack whole: what `open` gives, and its bytes, every one checked against the digests of the shards.
   * @returns and throws as `open`
   */
  openWhole(name: PackName, options: CallOptions = {}): Promise<WholePack | undefined> {
    return this.#trying(name, options, (stripe) => this.#openWholeStripe(name, stripe, options));
  }

  /**
   * Deletes a pack from every backend that has a shard of it, but for those that nothing may be deleted from.
   * @throws what a backend throws, after all of them were asked
   */
  async delete(pack: PackName): Promise<void> {
    const { places, unreachable } =
      pack.places && this.#isKnown(pack)
        ? { places: pack.places.map((place, index) => ({ index, link: this.#backends.find(place) })), unreachable: [] }
        : await findPlaces(this.#backends, pack);
    const deletes = places.map(async ({ index, link }) => {
      if (link?.facts.mode === 'read-only') return;
      await link?.call('write', (backend) => backend.delete(shardKey(pack, index)));
    });
    await settleAll(deletes);
    if (unreachable[0]) throw unreachable[0];
  }

  /**
   * Places on the backends that the store still has: one may have been taken out while the pack was written.
   * @throws `unavailable/REDUNDANCY_UNMET` when too few are left to count on
   */
  async #stillThere(name: PackName, { k, m }: Redundancy, places: readonly number[]): Promise<readonly number[]> {
    if (!this.isSpread && places.every((place) => this.#backends.find(place))) return places;
    await this.#follow?.();
    const now = places.map((place) => (this.#backends.find(place) ? place : 0));
    const left = now.filter((place) => place !== 0).length;
    const needed = k + parityNeeded(m, this.#write.parityMin);
    if (left >= needed) return now;
    const message = `of ${places.length} shards ${left} lie on backends that the store still has, where ${needed} must`;
    throw storeError('REDUNDANCY_UNMET', message, {
      details: { packId: toHex(name.id), expected: needed, actual: left },
    });
  }

  /**
   * Somebody may have put a pack on a backend that is not known here: it came after this process had opened the store. No
   * digest covers places in the metadata: those that are no backend even then are forgotten, and the shards looked for.
   */
  async #followTo<Pack extends PackName>(pack: Pack): Promise<Omit<Pack, 'places'> & Pick<PackName, 'places'>> {
    if (this.#isKnown(pack)) return pack;
    await this.#follow?.();
    if (this.#isKnown(pack)) return pack;
    const { places: _, ...unplaced } = pack;
    return unplaced;
  }

  #isKnown({ places = [] }: PackName): boolean {
    const set = this.#backends;
    return places.every((place) => place === 0 || set.find(place) !== undefined || set.hasLeft(place));
  }

  /** A stripe and its places, which are asked for where the metadata does not know them. */
  async #placed(pack: PackDescriptor, { signal }: CallOptions): Promise<PlacedStripe | undefined> {
    if (pack.places) return { ...pack, places: pack.places };
    const [sole] = this.#backends.links;
    if (this.#backends.links.length === 1 && sole && pack.stripe.k + pack.stripe.m === 1) {
      return { ...pack, places: [sole.facts.number] };
    }
    const { stripes, errors, unreachable } = await findStripes(this.#backends, pack, signal);
    const found = stripes.find(({ stripe }) => toHex(stripe.roots) === toHex(pack.stripe.roots));
    if (found) return found;
    const [problem] = [...unreachable, ...errors];
    if (problem) throw problem;
    return undefined;
  }

  /** Opens the stripe that the shards of a pack agree on; where that does not open, the next. */
  async #trying<T>(
    name: PackName,
    { signal }: CallOptions,
    open: (stripe: FoundStripe) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const sought = soughtOf(await this.#followTo(name));
    const { stripes, errors, unreachable } = await findStripes(this.#backends, sought, signal);
    let failure: unknown;
    for (const stripe of stripes) {
      try {
        const opened = await open(stripe);
        if (opened) return opened;
      } catch (error) {
        if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
        failure ??= error;
      }
    }
    const problem = failure ?? (stripes.length > 0 ? undefined : (errors[0] ?? unreachable[0]));
    if (problem !== undefined) throw problem;
    return undefined;
  }

  async #openStripe(name: PackName, found: FoundStripe, options: CallOptions): Promise<OpenedPack | undefined> {
    this.#checkStore(name, found);
    const { packBytes, blob } = found;
    const read = async ({ offset, length }: ByteRange): Promise<Uint8Array | undefined> => {
      const start = SHARD_HEADER_BYTES + offset;
      if (blob) return blob.subarray(start, start + length);
      return await this.#reader.read(found, { offset, length }, options);
    };
    if (packBytes < PACK_HEADER_BYTES + PACK_FOOTER_BYTES) throw damaged(name, `has ${packBytes} bytes`);
    const front = await read({ offset: 0, length: PACK_HEADER_BYTES });
    if (front === undefined) return undefined;
    const header = decodePackHeader(front);
    const identity = await this.#identify(name, header);
    const end = { offset: packBytes - PACK_FOOTER_BYTES, length: PACK_FOOTER_BYTES };
    const tail = await read(end);
    if (tail === undefined) return undefined;
    const footer = decodePackFooter(tail, identity);
    checkLength(name, footer, packBytes);
    const range = { offset: footer.directoryOffset, length: footer.directoryLength };
    const directory = await read(range);
    if (directory === undefined) return undefined;
    const descriptor = describePack(header, found);
    return { header, identity, items: decodeDirectory(directory, identity, footer), descriptor };
  }

  async #openWholeStripe(name: PackName, found: FoundStripe, options: CallOptions): Promise<WholePack | undefined> {
    this.#checkStore(name, found);
    const bytes = dataOf(found) ?? (await this.#reader.readWhole(found, options));
    if (bytes === undefined) return undefined;
    const header = decodePackHeader(bytes);
    const identity = await this.#identify(name, header);
    const footer = decodePackFooter(bytes.subarray(bytes.length - PACK_FOOTER_BYTES), identity);
    checkLength(name, footer, bytes.length);
    const directory = bytes.subarray(footer.directoryOffset, footer.directoryOffset + footer.directoryLength);
    const descriptor = describePack(header, found);
    return { header, identity, items: decodeDirectory(directory, identity, footer), descriptor, bytes };
  }

  async #identify(name: PackName, header: PackHeader): Promise<PackIdentity> {
    if (toHex(header.pack) !== toHex(name.id) || header.class !== name.class)
      throw damaged(name, 'its header names another pack');
    // Bound to this store, whatever the header claims.
    return await identifyPack({ ...header, store: this.#storeId }, this.#keys);
  }

  #checkStore(name: PackName, found: FoundStripe): void {
    if (toHex(found.store) !== toHex(this.#storeId)) throw damaged(name, 'its shards are those of another store');
  }
}

/** Without undefined members. */
function soughtOf({ id, class: packClass, journal, packBytes, stripe, places }: PackName): SoughtPack {
  return {
    ...{ id, class: packClass, ...(journal && { journal }), ...(stripe && { stripe }), ...(places && { places }) },
    ...(packBytes !== undefined && { packBytes }),
  };
}

/** The bytes of a pack that is in memory, checked; `undefined` also where they are damaged: other shards may not be. */
function dataOf({ blob }: FoundStripe): Uint8Array | undefined {
  try {
    return blob && verifyShard(blob).data;
  } catch (error) {
    if (isStoreError(error) && error.kind === 'corrupt') return undefined;
    throw error;
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

function describePack(header: PackHeader, found: FoundStripe): PackDescriptor {
  const { id, class: packClass, journal, packBytes, stripe, places } = found;
  return {
    ...{ id, class: packClass, packBytes, stripe, places },
    storedBytes: stripeBytes(packBytes, stripe),
    ...(journal && { journal }),
    ...sealOf(header),
  };
}
