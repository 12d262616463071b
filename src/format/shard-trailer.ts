/**
 * What follows the data of a shard: a digest of every block, the roots of all shards of the stripe, and a fixed tail
 * from which a reader finds the rest. So a range is checked without reading the shard, and any shard tells what all the
 * others must be. Layout in `docs/format.md`, section "Shard trailer".
 *
 * Invariant: the tail's check covers the roots; the block digests are covered by the shard's own root among them, which
 * needs the header to be recomputed. Without the header the digests are therefore not to be trusted.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { PACK_BYTES_MAX, SHARD_BLOCK_BYTES, STRIPE_SHARDS_MAX } from '../limits.ts';
import { checkHolds, checkOf } from './check.ts';
import { type Fail, failWith } from './damage.ts';
import { type Layout, PRELUDE_BYTES, readPrelude, readReserved, writePrelude } from './prelude.ts';
import { shardBlockCount, shardRoot } from './shard-digests.ts';
import { SHARD_VERSION, type ShardHeader } from './shard-header.ts';
import { CHECK_BYTES, DIGEST_BYTES } from './sizes.ts';

/** The fixed end of every shard. */
export const SHARD_TAIL_BYTES = 48;

const TAIL_CONTENT_BYTES = SHARD_TAIL_BYTES - CHECK_BYTES;
const RESERVED_BYTES = 8;
const LAYOUT: Layout = { magic: 'HOLDTAIL', version: SHARD_VERSION, component: 'shard trailer' };

export interface ShardTrailer {
  /** 32 bytes per block of the shard's data. */
  readonly digests: Uint8Array;
  /** Roots of all k+m shards, 32 bytes each, in shard order. */
  readonly roots: Uint8Array;
}

/** Bytes of everything after the data. */
export function shardTrailerBytes(header: Pick<ShardHeader, 'shardBytes' | 'k' | 'm'>): number {
  return trailerBytes(shardBlockCount(header.shardBytes), header.k + header.m);
}

function trailerBytes(blockCount: number, shardCount: number): number {
  return (blockCount + shardCount) * DIGEST_BYTES + SHARD_TAIL_BYTES;
}

/** The `Fail` of one shard, named by its header when that is known. */
export function shardFail(component: string, header?: Pick<ShardHeader, 'pack' | 'index'>): Fail {
  if (header === undefined) return failWith('SHARD_CORRUPT', component);
  return failWith('SHARD_CORRUPT', `${component} ${header.index}`, { packId: toHex(header.pack) });
}

/** Encodes the trailer of a shard. */
export function encodeShardTrailer(trailer: ShardTrailer): Uint8Array {
  const { digests, roots } = trailer;
  const writer = new BinaryWriter(SHARD_TAIL_BYTES);
  writePrelude(writer, LAYOUT);
  writer
    .u32(digests.length / DIGEST_BYTES)
    .u32(roots.length / DIGEST_BYTES)
    .put(new Uint8Array(RESERVED_BYTES));
  writer.put(checkOf(roots, writer.bytes.subarray(0, writer.offset)));
  return concatBytes([digests, roots, writer.bytes]);
}

/**
 * Decodes the trailer at the end of `bytes`; what is before it is not looked at.
 * @param bytes a suffix of the blob of at least `shardTrailerBytes` bytes; fewer are damage
 * @param header of the same shard. With it the block digests are checked against the shard's own root; without it only
 *   the roots can be believed
 * @returns copies
 * @throws `corrupt/SHARD_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeShardTrailer(bytes: Uint8Array, header?: ShardHeader): ShardTrailer {
  const fail = shardFail('trailer of shard', header);
  if (bytes.length < SHARD_TAIL_BYTES) fail(`has ${bytes.length} of ${SHARD_TAIL_BYTES} bytes`);
  const tail = bytes.subarray(bytes.length - SHARD_TAIL_BYTES);
  // Before the check: it needs to know how many roots it covers.
  const reader = new BinaryReader(tail, fail);
  reader.bytes(PRELUDE_BYTES);
  const blockCount = reader.u32();
  const shardCount = reader.u32();
  if (blockCount > shardBlockCount(PACK_BYTES_MAX)) fail(`counts ${blockCount} blocks`);
  if (shardCount < 1 || shardCount > STRIPE_SHARDS_MAX) fail(`counts ${shardCount} shards`);
  const needed = trailerBytes(blockCount, shardCount);
  if (bytes.length < needed) fail(`has ${bytes.length} of ${needed} bytes`);

  const start = bytes.length - needed;
  const rootsStart = start + blockCount * DIGEST_BYTES;
  const digests = new Uint8Array(bytes.subarray(start, rootsStart));
  const roots = new Uint8Array(bytes.subarray(rootsStart, bytes.length - SHARD_TAIL_BYTES));
  const content = tail.subarray(0, TAIL_CONTENT_BYTES);
  const check = tail.subarray(TAIL_CONTENT_BYTES);
  readPrelude(tail, LAYOUT, { fail, intact: () => checkHolds(check, roots, content) });
  readReserved(reader, RESERVED_BYTES, fail);
  if (header !== undefined) {
    if (needed !== shardTrailerBytes(header) || shardCount !== header.k + header.m) fail('does not fit the header');
    if (!equalBytes(rootAt(roots, header.index), shardRoot(header, digests))) fail('does not match its own root');
  }
  return { digests, roots };
}

/** The root of one shard among those of its stripe; a view. */
export function rootAt(roots: Uint8Array, index: number): Uint8Array {
  invariant((index + 1) * DIGEST_BYTES <= roots.length, 'a stripe has a root for each of its shards');
  return roots.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

/**
 * Checks one whole block of a shard's data (the last may be shorter than `SHARD_BLOCK_BYTES`) against a trailer that
 * was decoded with its header.
 * @param blockIndex from 0; the block begins at `blockIndex * SHARD_BLOCK_BYTES` of the data
 * @throws `corrupt/SHARD_CORRUPT` with the offset in the data when the bytes are not that block
 */
export function verifyShardBlock(trailer: ShardTrailer, blockIndex: number, bytes: Uint8Array): void {
  const expected = trailer.digests.subarray(blockIndex * DIGEST_BYTES, (blockIndex + 1) * DIGEST_BYTES);
  if (expected.length === DIGEST_BYTES && equalBytes(expected, blake3(bytes))) return;
  const details = { offset: blockIndex * SHARD_BLOCK_BYTES, length: bytes.length };
  failWith('SHARD_CORRUPT', `shard block ${blockIndex}`, details)('does not match its digest');
}
