/**
 * Reads packs from their shards: of a range only the byte columns that are needed. A shard that is missing, corrupt or
 * slow is made up for by decoding those columns from others, and its loss is told.
 */
import { concatBytes, equalBytes } from '../bytes/bytes.ts';
import type { ReedSolomon } from '../erasure/index.ts';
import {
  SHARD_HEADER_BYTES,
  type ShardTrailer,
  type Stripe,
  shardDataBytes,
  shardKey,
  verifyShard,
  verifyShardBlock,
} from '../format/index.ts';
import { SHARD_BLOCK_BYTES } from '../limits.ts';
import { sleep } from '../runtime/timers.ts';
import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { codeOf } from './encode-stripe.ts';
import { type Gathered, gather } from './gather.ts';
import { readShardFrame } from './shard-frame.ts';
import { lossOf, lostOn, type ShardLoss, ShardLost, tooFewShards } from './shard-loss.ts';
import type { PackKeyParts } from './stripe-writer.ts';

/** A stripe and where it lies. */
export interface PlacedStripe extends PackKeyParts {
  readonly packBytes: number;
  readonly stripe: Stripe;
  /** Number of the backend of each shard, 0 for none. */
  readonly places: readonly number[];
  /** What the metadata names the pack by, where it does. */
  readonly number?: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface StripeReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Compare every block with its digest, and the digests with the roots of the stripe, before they are used. */
  readonly verified?: boolean;
}

/** When a read counts as slow. */
export interface HedgePolicy {
  /** Used until a backend has been measured, milliseconds; after that it is the 95th percentile of its reads. */
  readonly hedgeMs: number;
}

/** Faster than this no other backend is asked besides: it would be asked for nothing much of the time. */
const HEDGE_MS_MIN = 10;

/** Told of every shard that a read had to do without. */
export type OnLosses = (stripe: PlacedStripe, losses: readonly ShardLoss[]) => void;

export class StripeReader {
  readonly #backends: BackendSet;
  readonly #hedge: HedgePolicy;
  readonly #onLosses: OnLosses;

  constructor(parts: { readonly backends: BackendSet; readonly hedge: HedgePolicy; readonly onLosses: OnLosses }) {
    this.#backends = parts.backends;
    this.#hedge = parts.hedge;
    this.#onLosses = parts.onLosses;
  }

  /**
   * Bytes of a pack; the caller's alone.
   * @returns `undefined` when no shard is anywhere: the pack was deleted
   * @throws `corrupt/SHARDS_INSUFFICIENT`, `unavailable/BACKEND_UNREACHABLE`, `corrupt/SHARD_CORRUPT` for a range past
   *   the end of the pack
   */
  async read(at: PlacedStripe, range: ByteRange, options: StripeReadOptions = {}): Promise<Uint8Array | undefined> {
    const reading = new StripeReading(this.#parts(at), options);
    return await this.#telling(at, reading, () => reading.read(range));
  }

  /** All bytes of a pack, each checked against the roots of the stripe. @returns and throws as `read` */
  async readWhole(
    at: PlacedStripe,
    options: Omit<StripeReadOptions, 'verified'> = {},
  ): Promise<Uint8Array | undefined> {
    const reading = new StripeReading(this.#parts(at), options);
    return await this.#telling(at, reading, () => reading.readWhole());
  }

  #parts(at: PlacedStripe): ReadingParts {
    return { at, backends: this.#backends, hedge: this.#hedge };
  }

  async #telling<T>(at: PlacedStripe, reading: StripeReading, read: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await read();
      if (reading.losses.length > 0) this.#onLosses(at, reading.losses);
      return result;
    } catch (error) {
      if (!(error instanceof TooFew)) throw error;
      if (reading.isGone) return undefined;
      this.#onLosses(at, reading.losses);
      throw tooFewShards({ id: at.id, k: at.stripe.k, shards: at.places.length }, reading.losses);
    }
  }
}

interface ReadingParts {
  readonly at: PlacedStripe;
  readonly backends: BackendSet;
  readonly hedge: HedgePolicy;
}

/** Fewer than k shards could be used; the losses tell which. */
class TooFew extends Error {}

/** One read of one stripe: what it has learnt of the shards holds for all its parts. */
class StripeReading {
  readonly #at: PlacedStripe;
  readonly #backends: BackendSet;
  readonly #hedge: HedgePolicy;
  readonly #options: StripeReadOptions;
  readonly #code: ReedSolomon;
  readonly #shardBytes: number;
  readonly #losses = new Map<number, ShardLoss>();
  readonly #trailers = new Map<number, Promise<ShardTrailer>>();

  constructor(parts: ReadingParts, options: StripeReadOptions) {
    this.#at = parts.at;
    this.#backends = parts.backends;
    this.#hedge = parts.hedge;
    this.#options = options;
    this.#code = codeOf(parts.at.stripe);
    this.#shardBytes = shardDataBytes(parts.at.packBytes, parts.at.stripe.k);
  }

  get losses(): readonly ShardLoss[] {
    return [...this.#losses.values()].toSorted((a, b) => a.index - b.index);
  }

  /** Whether every shard was looked for, and none is anywhere. */
  get isGone(): boolean {
    const isMissing = (index: number): boolean => this.#losses.get(index)?.reason === 'missing';
    return this.#at.places.every((place, index) => place !== 0 && isMissing(index));
  }

  async read({ offset, length }: ByteRange): Promise<Uint8Array> {
    const end = offset + length;
    const parts: Promise<Uint8Array>[] = [];
    for (let start = offset; start < end; ) {
      const index = Math.floor(start / this.#shardBytes);
      const partEnd = Math.min(end, (index + 1) * this.#shardBytes);
      parts.push(this.#readPart(index, { offset: start - index * this.#shardBytes, length: partEnd - start }));
      start = partEnd;
    }
    const results = await Promise.allSettled(parts);
    const bytes = results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
    return bytes.length === 1 ? (bytes[0] as Uint8Array) : concatBytes(bytes);
  }

  async readWhole(): Promise<Uint8Array> {
    const { stripe, packBytes } = this.#at;
    const fetch = (index: number, signal: AbortSignal): Promise<Uint8Array> => this.#fetchWhole(index, signal);
    const { found } = await this.#gather({ without: undefined, need: stripe.k, fetch });
    if (stripe.k === 1) return this.#single(found);
    const bytes = new Uint8Array(stripe.k * this.#shardBytes);
    const shards: (Uint8Array | undefined)[] = this.#at.places.map((_, index) => found.get(index));
    const missing: number[] = [];
    for (let index = 0; index < stripe.k; index += 1) {
      const room = bytes.subarray(index * this.#shardBytes, (index + 1) * this.#shardBytes);
      const shard = shards[index];
      if (shard) room.set(shard);
      else missing.push(index);
      if (!shard) shards[index] = room;
    }
    if (missing.length > 0) this.#code.reconstruct(shards, missing);
    return bytes.subarray(0, packBytes);
  }

  #single(found: ReadonlyMap<number, Uint8Array>): Uint8Array {
    const [bytes] = found.values();
    return bytes as Uint8Array;
  }

  /** Columns of one data shard: from itself, or where it is lost or slow, from others. */
  async #readPart(index: number, columns: ByteRange): Promise<Uint8Array> {
    if (this.#losses.has(index)) return await this.#decode(index, columns);
    const others = this.#isAvoided(index) ? await this.#decodeIfEnough(index, columns) : undefined;
    if (others) return others;
    try {
      // Where there are no others nobody overtakes it.
      if (this.#at.stripe.m === 0) return await this.#fetch(index, columns, this.#options.signal);
      return await this.#readHedged(index, columns);
    } catch (error) {
      if (!(error instanceof ShardLost)) throw error;
      this.#lose(error.loss);
      return await this.#decode(index, columns);
    }
  }

  /** From the shard itself, or from others where they are faster. */
  async #readHedged(index: number, columns: ByteRange): Promise<Uint8Array> {
    const stop = new AbortController();
    const { signal } = this.#options;
    const direct = this.#fetch(index, columns, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
    direct.catch(() => undefined);
    try {
      if (!(await this.#isSlow(index, direct))) return await direct;
      return await firstOf(direct, this.#decode(index, columns));
    } finally {
      stop.abort();
    }
  }

  /** @returns false when the read ended in time, well or not */
  async #isSlow(index: number, read: Promise<unknown>): Promise<boolean> {
    const over = new AbortController();
    const late = sleep(this.#patienceMs(index), { signal: over.signal }).then(
      () => true,
      () => false,
    );
    const ended = read.then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([ended, late]);
    } finally {
      over.abort();
    }
  }

  /** @returns `undefined` where it takes the shard itself: it may answer again */
  async #decodeIfEnough(index: number, columns: ByteRange): Promise<Uint8Array | undefined> {
    try {
      return await this.#decode(index, columns);
    } catch (error) {
      if (error instanceof TooFew) return undefined;
      throw error;
    }
  }

  async #decode(index: number, columns: ByteRange): Promise<Uint8Array> {
    const { k } = this.#at.stripe;
    const fetch = (other: number, signal: AbortSignal): Promise<Uint8Array> => this.#fetch(other, columns, signal);
    const { found } = await this.#gather({ without: index, need: k, fetch });
    if (k === 1) return this.#single(found);
    const shards: (Uint8Array | undefined)[] = this.#at.places.map((_, at) => found.get(at));
    const made = new Uint8Array(columns.length);
    shards[index] = made;
    this.#code.reconstruct(shards, [index]);
    return made;
  }

  async #gather<T>(job: {
    readonly without: number | undefined;
    readonly need: number;
    fetch(index: number, signal: AbortSignal): Promise<T>;
  }): Promise<Gathered<T>> {
    const { signal } = this.#options;
    const order = this.#order().filter((index) => index !== job.without);
    const gathered = await gather({
      order,
      need: job.need,
      fetch: (index, stop) => job.fetch(index, stop),
      patienceMs: (index) => this.#patienceMs(index),
      ...(signal && { signal }),
    });
    for (const loss of gathered.losses) this.#lose(loss);
    if (gathered.found.size >= job.need) return gathered;
    // Not asked again, though they might have come back: whoever looks at the losses should see all of them.
    for (const [index, place] of this.#at.places.entries()) {
      if (place === 0) this.#lose({ index, place, reason: 'missing' });
    }
    throw new TooFew();
  }

  /** Shards that lie somewhere and are not known to be lost: data first, and before all those that should answer. */
  #order(): readonly number[] {
    const usable = this.#at.places.flatMap((place, index) => (place === 0 || this.#losses.has(index) ? [] : [index]));
    const [avoided, eager] = [true, false].map((is) => usable.filter((index) => this.#isAvoided(index) === is));
    return [...(eager as number[]), ...(avoided as number[])];
  }

  #isAvoided(index: number): boolean {
    const link = this.#backends.find(this.#at.places[index] ?? 0);
    return this.#at.stripe.m > 0 && (link === undefined || link.isAvoided);
  }

  #patienceMs(index: number): number {
    const link = this.#backends.find(this.#at.places[index] ?? 0);
    return Math.max(HEDGE_MS_MIN, link?.readMs95 ?? this.#hedge.hedgeMs);
  }

  #lose(loss: ShardLoss): void {
    this.#losses.set(loss.index, loss);
  }

  #link(index: number): BackendLink {
    const place = this.#at.places[index] ?? 0;
    if (place === 0 || this.#backends.hasLeft(place)) throw new ShardLost({ index, place, reason: 'missing' });
    return this.#backends.get(place);
  }

  async #fetch(index: number, columns: ByteRange, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (!this.#options.verified) return await this.#get(index, columns, signal);
    const trailer = await this.#trailer(index, signal);
    const first = Math.floor(columns.offset / SHARD_BLOCK_BYTES);
    const start = first * SHARD_BLOCK_BYTES;
    const last = Math.ceil((columns.offset + columns.length) / SHARD_BLOCK_BYTES);
    const end = Math.min(this.#shardBytes, last * SHARD_BLOCK_BYTES);
    const bytes = await this.#get(index, { offset: start, length: end - start }, signal);
    return await this.#judging(index, () => {
      for (let block = first; block < last; block += 1) {
        const at = block * SHARD_BLOCK_BYTES - start;
        verifyShardBlock(trailer, block, bytes.subarray(at, at + SHARD_BLOCK_BYTES));
      }
      return bytes.subarray(columns.offset - start, columns.offset - start + columns.length);
    });
  }

  /** Data bytes of a shard as they are on its backend. */
  #get(index: number, { offset, length }: ByteRange, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const range = { offset: SHARD_HEADER_BYTES + offset, length, ...(signal && { signal }) };
    return this.#judging(index, (link) => this.#blob(index, link, range));
  }

  async #blob(
    index: number,
    link: BackendLink,
    options: Partial<ByteRange> & { readonly signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const key = shardKey(this.#at, index);
    const bytes = await link.call('read', (backend) => backend.get(key, options), options.signal);
    if (bytes) return bytes;
    throw lostOn(link, index, 'missing');
  }

  /** Digests of a shard's blocks, which the roots of the stripe vouch for. */
  #trailer(index: number, signal: AbortSignal | undefined): Promise<ShardTrailer> {
    const known = this.#trailers.get(index);
    if (known) return known;
    const read = this.#judging(index, async (link) => {
      const frame = await readShardFrame(link, { pack: this.#at, index }, signal);
      if (frame === undefined) {
        throw lostOn(link, index, 'missing');
      }
      this.#checkRoot(index, frame.trailer.roots);
      return frame.trailer;
    });
    read.catch(() => this.#trailers.delete(index));
    this.#trailers.set(index, read);
    return read;
  }

  async #fetchWhole(index: number, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#judging(index, async (link) => {
      const { data, roots, header } = verifyShard(await this.#blob(index, link, { signal }));
      this.#checkRoot(index, roots);
      if (header.index !== index) throw lostOn(link, index, 'corrupt');
      return data;
    });
  }

  /** The roots of the metadata win over those that a shard tells of itself. */
  #checkRoot(index: number, roots: Uint8Array): void {
    if (equalBytes(roots, this.#at.stripe.roots)) return;
    throw lostOn(this.#link(index), index, 'corrupt');
  }

  async #judging<T>(index: number, work: (link: BackendLink) => Promise<T> | T): Promise<T> {
    const link = this.#link(index);
    try {
      return await work(link);
    } catch (error) {
      throw lossOf(error, { packId: this.#at.id, index, link });
    }
  }
}

/** The first of two that succeeds; where none does, the failure of the second. */
async function firstOf<T>(first: Promise<T>, second: Promise<T>): Promise<T> {
  try {
    return await Promise.any([first, second]);
  } catch {
    return await second;
  }
}
