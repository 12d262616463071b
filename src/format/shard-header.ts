/**
 * The first 128 bytes of a shard: which piece of which encoding of which pack it is. Layout in `docs/format.md`,
 * section "Shard header". Shards are checked, decoded and repaired from these bytes and the trailer alone, without
 * keys.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { PACK_BYTES_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';
import { checkHolds, checkOf } from './check.ts';
import { type Fail, failWith, formatUnsupported } from './damage.ts';
import { type FeatureBits, type Layout, PRELUDE_BYTES, readPrelude, readReserved, writePrelude } from './prelude.ts';
import { CHECK_BYTES, PACK_ID_BYTES, STORE_ID_BYTES, STRIPE_ID_BYTES } from './sizes.ts';

export const SHARD_HEADER_BYTES = 128;
export const SHARD_VERSION = 1;
/** Every shard is the pack itself: `none`, and the copies of small packs (k = 1). */
export const MATRIX_COPIES = 0;
/** Systematic Vandermonde times the inverse of its top square, GF(2^8), polynomial 0x11D (k > 1). */
export const MATRIX_VANDERMONDE = 1;

const RESERVED_AFTER_COUNTS = 4;
const RESERVED_AT_END = 24;
const LAYOUT: Layout = { magic: 'HOLDSHRD', version: SHARD_VERSION, component: 'shard header' };

/** What a shard says of itself. Byte arrays of a decoded header are copies. */
export interface ShardHeader {
  /** 16 bytes each. */
  readonly store: Uint8Array;
  readonly pack: Uint8Array;
  readonly stripeId: Uint8Array;
  /** `MATRIX_COPIES` exactly when k is 1. */
  readonly matrix: number;
  /** From 0; data shards come first. */
  readonly index: number;
  readonly k: number;
  readonly m: number;
  readonly packBytes: number;
  /** Data bytes of every shard of the stripe: {@link shardDataBytes}. */
  readonly shardBytes: number;
  /** Absent when no bit is set. */
  readonly features?: FeatureBits;
}

/** Data bytes of each shard: the pack cut into k equal parts, the last one filled up with zeros. */
export function shardDataBytes(packBytes: number, k: number): number {
  return Math.ceil(packBytes / k);
}

/**
 * Encodes a header.
 * @returns `SHARD_HEADER_BYTES` bytes
 * @throws RangeError for counts out of range
 */
export function encodeShardHeader(header: ShardHeader): Uint8Array {
  const { store, pack, stripeId, k, m } = header;
  invariant(store.length === STORE_ID_BYTES && pack.length === PACK_ID_BYTES, 'store and pack ids have 16 bytes');
  invariant(stripeId.length === STRIPE_ID_BYTES, 'a stripe id has 16 bytes');
  checkInteger('header.k', k, { min: 1, max: STRIPE_SHARDS_MAX });
  checkInteger('header.m', m, { min: 0, max: STRIPE_SHARDS_MAX - k });
  checkInteger('header.index', header.index, { min: 0, max: k + m - 1 });
  checkInteger('header.packBytes', header.packBytes, { min: 0, max: PACK_BYTES_MAX });
  invariant(header.shardBytes === shardDataBytes(header.packBytes, k), 'a shard has its part of the pack');
  invariant(header.matrix === matrixOf(k), 'the matrix is the one for k');
  const writer = new BinaryWriter(SHARD_HEADER_BYTES);
  writePrelude(writer, LAYOUT, header.features);
  writer
    .put(store)
    .put(pack)
    .put(stripeId)
    .u8(header.matrix)
    .u8(header.index)
    .u8(k)
    .u8(m)
    .put(new Uint8Array(RESERVED_AFTER_COUNTS))
    .u64(header.packBytes)
    .u64(header.shardBytes)
    .put(new Uint8Array(RESERVED_AT_END));
  return writer.put(checkOf(writer.bytes.subarray(0, writer.offset))).bytes;
}

/** The matrix that stripes of k data shards are encoded with. */
export function matrixOf(k: number): number {
  return k === 1 ? MATRIX_COPIES : MATRIX_VANDERMONDE;
}

/**
 * Decodes the header at the front of `bytes`; what follows it is not looked at.
 * @throws `corrupt/SHARD_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED` (a matrix of a later version too)
 */
export function decodeShardHeader(bytes: Uint8Array): ShardHeader {
  const fail = failWith('SHARD_CORRUPT', 'shard header', { offset: 0 });
  if (bytes.length < SHARD_HEADER_BYTES) fail(`has ${bytes.length} of ${SHARD_HEADER_BYTES} bytes`);
  const checked = bytes.subarray(0, SHARD_HEADER_BYTES - CHECK_BYTES);
  const check = bytes.subarray(SHARD_HEADER_BYTES - CHECK_BYTES, SHARD_HEADER_BYTES);
  const features = readPrelude(bytes, LAYOUT, { fail, intact: () => checkHolds(check, checked) });

  const reader = new BinaryReader(checked, fail);
  reader.bytes(PRELUDE_BYTES);
  const store = new Uint8Array(reader.bytes(STORE_ID_BYTES));
  const pack = new Uint8Array(reader.bytes(PACK_ID_BYTES));
  const stripeId = new Uint8Array(reader.bytes(STRIPE_ID_BYTES));
  const matrix = reader.u8();
  const index = reader.u8();
  const k = reader.u8();
  const m = reader.u8();
  readReserved(reader, RESERVED_AFTER_COUNTS, fail);
  const packBytes = reader.u64();
  const shardBytes = reader.u64();
  readReserved(reader, RESERVED_AT_END, fail);
  const header: ShardHeader = {
    ...{ store, pack, stripeId, matrix, index, k, m, packBytes, shardBytes },
    ...(features && { features }),
  };
  checkShape(header, fail);
  return header;
}

function checkShape(header: ShardHeader, fail: Fail): void {
  const { matrix, index, k, m, packBytes, shardBytes } = header;
  if (matrix !== MATRIX_COPIES && matrix !== MATRIX_VANDERMONDE) throw formatUnsupported('shard', `matrix ${matrix}`);
  if (k < 1 || k + m > STRIPE_SHARDS_MAX || index >= k + m) fail(`says it is shard ${index} of ${k}+${m}`);
  if (matrix !== matrixOf(k)) fail(`names matrix ${matrix} for ${k} data shards`);
  if (packBytes > PACK_BYTES_MAX || shardBytes !== shardDataBytes(packBytes, k)) {
    fail(`says that ${packBytes} bytes in ${k} parts are ${shardBytes} each`);
  }
}
