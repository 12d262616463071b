/**
 * Whole shards: header, data, trailer. A pack that is not erasure-coded is the stripe 1+0, so that there is one path
 * for all. Parity is made elsewhere; this file frames what it is given.
 */

import { concatBytes, equalBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { SHARD_BLOCK_BYTES } from '../limits.ts';
import { refuseReadOnlyFeatures } from './prelude.ts';
import { blockDigests, shardRoot } from './shard-digests.ts';
import {
  decodeShardHeader,
  encodeShardHeader,
  MATRIX_COPIES,
  SHARD_HEADER_BYTES,
  type ShardHeader,
} from './shard-header.ts';
import {
  decodeShardTrailer,
  encodeShardTrailer,
  rootAt,
  shardFail,
  shardTrailerBytes,
  verifyShardBlock,
} from './shard-trailer.ts';
import { DIGEST_BYTES } from './sizes.ts';
import type { Stripe } from './types.ts';

/** The names that bind a stripe to its store and pack; 16 bytes each. */
export type StripeIdentity = Pick<ShardHeader, 'store' | 'pack' | 'stripeId'>;

/** A shard that was read whole and found good. */
export interface VerifiedShard {
  readonly header: ShardHeader;
  /** A view of the blob. */
  readonly data: Uint8Array;
  /** Roots of all k+m shards as this one tells them, 32 bytes each. */
  readonly roots: Uint8Array;
}

/**
 * Frames the data of one shard whose digests and stripe roots are known.
 * @returns the blob to store
 * @throws `unsupported/FORMAT_UNSUPPORTED` for read-only-compatible feature bits in the header
 */
export function assembleShard(
  header: ShardHeader,
  data: Uint8Array,
  known: { readonly digests: Uint8Array; readonly roots: Uint8Array },
): Uint8Array {
  const { digests, roots } = known;
  refuseReadOnlyFeatures('shard', header.features);
  invariant(data.length === header.shardBytes, 'a shard has the data its header says');
  invariant(roots.length === (header.k + header.m) * DIGEST_BYTES, 'every shard of the stripe has a root');
  invariant(equalBytes(rootAt(roots, header.index), shardRoot(header, digests)), 'the stripe knows this shard');
  return concatBytes([encodeShardHeader(header), data, encodeShardTrailer(known)]);
}

/**
 * Digests and frames the data of one shard.
 * @param roots of all shards of the stripe; may be left out where the stripe has one shard only
 */
export function encodeShard(header: ShardHeader, data: Uint8Array, roots?: Uint8Array): Uint8Array {
  const digests = blockDigests(data);
  return assembleShard(header, data, { digests, roots: roots ?? shardRoot(header, digests) });
}

/**
 * Makes a pack the stripe 1+0: one shard, no redundancy.
 * @param frame array in which the pack lies behind room for a shard header and before room for the trailer, as
 *   `PackBuilder` leaves it: the shard is made there. Left out: the pack is copied.
 */
export function encodeStripe(
  packBytes: Uint8Array,
  identity: StripeIdentity,
  frame?: Uint8Array,
): { readonly shards: readonly [Uint8Array]; readonly stripe: Stripe } {
  const { store, pack, stripeId } = identity;
  const bytes = packBytes.length;
  const counts = { matrix: MATRIX_COPIES, index: 0, k: 1, m: 0, packBytes: bytes, shardBytes: bytes };
  const header: ShardHeader = { store, pack, stripeId, ...counts };
  const digests = blockDigests(packBytes);
  const roots = shardRoot(header, digests);
  const shard = frame ?? new Uint8Array(SHARD_HEADER_BYTES + bytes + shardTrailerBytes(header));
  const trailer = encodeShardTrailer({ digests, roots });
  invariant(shard.length === SHARD_HEADER_BYTES + bytes + trailer.length, 'the frame fits the pack');
  if (frame === undefined) shard.set(packBytes, SHARD_HEADER_BYTES);
  invariant(frame === undefined || isInside(frame, packBytes), 'the pack lies in its frame');
  shard.set(encodeShardHeader(header));
  shard.set(trailer, SHARD_HEADER_BYTES + bytes);
  return { shards: [shard], stripe: { id: stripeId, k: 1, m: 0, roots } };
}

function isInside(frame: Uint8Array, packBytes: Uint8Array): boolean {
  return frame.buffer === packBytes.buffer && frame.byteOffset + SHARD_HEADER_BYTES === packBytes.byteOffset;
}

/**
 * Checks a whole shard: header, length, every block, its own root. What it says of the others is only as trustworthy as
 * the shard itself; compare with the metadata or with other shards.
 * @throws `corrupt/SHARD_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function verifyShard(blob: Uint8Array): VerifiedShard {
  const header = decodeShardHeader(blob);
  const dataEnd = SHARD_HEADER_BYTES + header.shardBytes;
  const expected = dataEnd + shardTrailerBytes(header);
  if (blob.length !== expected) shardFail('shard', header)(`has ${blob.length} bytes, not ${expected}`);
  const trailer = decodeShardTrailer(blob.subarray(dataEnd), header);
  const data = blob.subarray(SHARD_HEADER_BYTES, dataEnd);
  for (let block = 0; block * SHARD_BLOCK_BYTES < data.length; block += 1) {
    const start = block * SHARD_BLOCK_BYTES;
    verifyShardBlock(trailer, block, data.subarray(start, start + SHARD_BLOCK_BYTES));
  }
  return { header, data, roots: trailer.roots };
}
