/**
 * The local columns of a pack: where its shards lie, and what the queries of repair and scrub need of that. No digest
 * covers them, so what is malformed is taken for unknown and never fails a read.
 *
 * | column        | holds                                                                                            |
 * |---------------|--------------------------------------------------------------------------------------------------|
 * | `shards`      | NULL: not known. Else 8 bytes a shard: place (u16: number of a backend, 0 for none), time of its  |
 * |               | last verification (u48: milliseconds since 1970, 0 for never), little-endian                      |
 * | `margin`      | shards that lie somewhere, less k, of a live pack with a place 0; else NULL                       |
 * | `verified_at` | time of the shard that was not verified for longest, 0 while places are not known; NULL: no shard |
 */
import { invariant } from '../errors/store-error.ts';
import type { PackDescriptor } from '../format/types.ts';
import { BACKEND_NUMBER_MAX, VERIFIED_TIME_MS_MAX } from '../limits.ts';
import type { SqlRow, SqlValue } from './database.ts';

const SHARD_BYTES = 8;
const TIME_AT = 2;
const TIME_HIGH_AT = TIME_AT + 4;
const LOW_BITS = 2 ** 32;

/** Of every shard, in shard order. */
export interface KnownShards {
  readonly places: readonly number[];
  /** Milliseconds since 1970, 0 for never. */
  readonly verified: readonly number[];
}

/** What these columns follow from. */
export interface PlacedPack {
  /** `places` of it are those of the row. */
  readonly descriptor: PackDescriptor;
  readonly dropped: boolean;
  /** As in `KnownShards`; absent: never verified, or places are not known. */
  readonly verified?: readonly number[];
}

/** Shards of a pack, good or not. */
export function shardCountOf({ stripe }: PackDescriptor): number {
  return stripe.k + stripe.m;
}

function encodeShards({ places, verified }: KnownShards): Uint8Array {
  const bytes = new Uint8Array(places.length * SHARD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, place] of places.entries()) {
    const time = verified[index] ?? 0;
    invariant(Number.isInteger(place) && place >= 0 && place <= BACKEND_NUMBER_MAX, 'a place is a u16');
    invariant(Number.isInteger(time) && time >= 0 && time <= VERIFIED_TIME_MS_MAX, 'a time is a u48');
    const at = index * SHARD_BYTES;
    view.setUint16(at, place, true);
    view.setUint32(at + TIME_AT, time % LOW_BITS, true);
    view.setUint16(at + TIME_HIGH_AT, Math.floor(time / LOW_BITS), true);
  }
  return bytes;
}

/**
 * Reads a column `shards` of a stripe with so many.
 * @returns `undefined` when it is NULL or malformed
 */
export function decodeShards(column: SqlValue, count: number): KnownShards | undefined {
  if (!(column instanceof Uint8Array) || column.length !== count * SHARD_BYTES) return undefined;
  const view = new DataView(column.buffer, column.byteOffset, column.byteLength);
  const [places, verified]: [number[], number[]] = [[], []];
  for (let at = 0; at < column.length; at += SHARD_BYTES) {
    places.push(view.getUint16(at, true));
    verified.push(view.getUint32(at + TIME_AT, true) + view.getUint16(at + TIME_HIGH_AT, true) * LOW_BITS);
  }
  return { places, verified };
}

/** What is known of the shards of a pack; `undefined` while its places are not. */
export function shardsOf({ descriptor, verified }: PlacedPack): KnownShards | undefined {
  const { places } = descriptor;
  if (!places) return undefined;
  invariant(places.length === shardCountOf(descriptor), 'every shard of the stripe has a place');
  return { places, verified: verified ?? places.map(() => 0) };
}

/** See `DegradedPack.margin`; `undefined` when there is nothing to repair. */
export function marginOf({ descriptor, dropped }: PlacedPack): number | undefined {
  const { places, stripe } = descriptor;
  if (dropped || !places?.includes(0)) return undefined;
  return places.filter((place) => place !== 0).length - stripe.k;
}

function verifiedAtOf(shards: KnownShards | undefined): number | undefined {
  if (!shards) return 0;
  const times = shards.verified.filter((_, index) => shards.places[index] !== 0);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Names of the columns, in the order of `encodeLocalColumns`. */
export const LOCAL_COLUMNS = ['shards', 'margin', 'verified_at'] as const;

/** Values of the columns of a pack. */
export function encodeLocalColumns(pack: PlacedPack): readonly SqlValue[] {
  const shards = shardsOf(pack);
  return [shards ? encodeShards(shards) : null, marginOf(pack) ?? null, verifiedAtOf(shards) ?? null];
}

/**
 * What is wrong with the columns of a row, in words; `undefined` when they are as they should be.
 * @param pack what was read from that row
 */
export function localColumnsProblem(row: SqlRow, pack: PlacedPack): string | undefined {
  if (row.shards !== null && !pack.descriptor.places) return 'the places of its shards are malformed';
  const [, margin, verifiedAt] = encodeLocalColumns(pack);
  if (row.margin !== margin) return 'its place in the queue of repair does not follow from where its shards lie';
  if (row.verified_at !== verifiedAt) return 'its place in the order of verification does not follow from its shards';
  return undefined;
}
