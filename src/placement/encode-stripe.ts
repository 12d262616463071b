import { createReedSolomon, type Redundancy, type ReedSolomon } from '../erasure/index.ts';
import {
  blockDigests,
  DIGEST_BYTES,
  encodeShardHeader,
  encodeShardTrailer,
  encodeStripe as encodeWhole,
  matrixOf,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  type Stripe,
  type StripeIdentity,
  shardDataBytes,
  shardRoot,
  shardTrailerBytes,
} from '../format/index.ts';
import { COPIED_PACK_BYTES_MAX } from '../limits.ts';

/** A pack as shards, each the blob to store. */
export interface EncodedStripe {
  readonly shards: readonly Uint8Array[];
  readonly stripe: Stripe;
}

/** Codes that were used: each keeps the coefficients it has met. */
const codes = new Map<string, ReedSolomon>();

/** The code of a redundancy; the same object each time. */
export function codeOf({ k, m }: Redundancy): ReedSolomon {
  const name = `${k}+${m}`;
  const known = codes.get(name);
  if (known) return known;
  const code = createReedSolomon({ k, m });
  codes.set(name, code);
  return code;
}

/** How a pack of a size is cut: small ones are copied instead, which bears the loss of as many places. */
export function redundancyOf(packBytes: number, wanted: Redundancy): Redundancy {
  return packBytes < COPIED_PACK_BYTES_MAX ? { k: 1, m: wanted.m } : wanted;
}

/** Bytes that the shards of a pack take on the backends. */
export function stripeBytes(packBytes: number, { k, m }: Redundancy): number {
  const shardBytes = shardDataBytes(packBytes, k);
  return (k + m) * (SHARD_HEADER_BYTES + shardBytes + shardTrailerBytes({ shardBytes, k, m }));
}

/**
 * Cuts a pack into k parts, makes m parity parts, and frames them all. The parts are made where they are stored from.
 * @param pack `frame` as `PackBuilder` leaves it: a pack that is not cut becomes the shard in its place
 */
export function encodeStripe(
  pack: { readonly bytes: Uint8Array; readonly frame?: Uint8Array },
  identity: StripeIdentity,
  redundancy: Redundancy,
): EncodedStripe {
  const { k, m } = redundancyOf(pack.bytes.length, redundancy);
  if (k === 1 && m === 0) return encodeWhole(pack.bytes, identity, pack.frame);
  const packBytes = pack.bytes.length;
  const shardBytes = shardDataBytes(packBytes, k);
  const headers = Array.from(
    { length: k + m },
    (_, index): ShardHeader => ({ ...identity, matrix: matrixOf(k), index, k, m, packBytes, shardBytes }),
  );
  const blobBytes = SHARD_HEADER_BYTES + shardBytes + shardTrailerBytes({ shardBytes, k, m });
  const shards = headers.map((header) => {
    const blob = new Uint8Array(blobBytes);
    blob.set(encodeShardHeader(header));
    return blob;
  });
  const parts = shards.map((blob) => blob.subarray(SHARD_HEADER_BYTES, SHARD_HEADER_BYTES + shardBytes));
  for (let index = 0; index < k; index += 1) {
    parts[index]?.set(pack.bytes.subarray(index * shardBytes, Math.min(packBytes, (index + 1) * shardBytes)));
  }
  codeOf({ k, m }).encode(parts);
  return { shards, stripe: { id: identity.stripeId, k, m, roots: frameTrailers(headers, shards) } };
}

/** Writes the trailers behind parts that are in their places. @returns the roots of all shards */
function frameTrailers(headers: readonly ShardHeader[], shards: readonly Uint8Array[]): Uint8Array {
  const roots = new Uint8Array(headers.length * DIGEST_BYTES);
  const digests = headers.map((header, index) => {
    const start = SHARD_HEADER_BYTES;
    const found = blockDigests((shards[index] as Uint8Array).subarray(start, start + header.shardBytes));
    roots.set(shardRoot(header, found), index * DIGEST_BYTES);
    return found;
  });
  for (const [index, { shardBytes }] of headers.entries()) {
    const trailer = encodeShardTrailer({ digests: digests[index] as Uint8Array, roots });
    shards[index]?.set(trailer, SHARD_HEADER_BYTES + shardBytes);
  }
  return roots;
}
