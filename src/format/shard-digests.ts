import { utf8Encode } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, createHasher, type Digest } from '../hash/index.ts';
import { SHARD_BLOCK_BYTES } from '../limits.ts';
import { encodeShardHeader, type ShardHeader } from './shard-header.ts';
import { DIGEST_BYTES } from './sizes.ts';

/** Keeps shard roots apart from every other digest of a store. */
const ROOT_MARKER = utf8Encode('holdfast shard root v1');

/** Blocks of `SHARD_BLOCK_BYTES` in this many bytes of shard data; the last one may be shorter. */
export function shardBlockCount(dataBytes: number): number {
  return Math.ceil(dataBytes / SHARD_BLOCK_BYTES);
}

/** BLAKE3 of every block of a shard's data, 32 bytes each, back to back. */
export function blockDigests(data: Uint8Array): Uint8Array {
  const digests = new Uint8Array(shardBlockCount(data.length) * DIGEST_BYTES);
  for (let block = 0; block * SHARD_BLOCK_BYTES < data.length; block += 1) {
    const start = block * SHARD_BLOCK_BYTES;
    digests.set(blake3(data.subarray(start, start + SHARD_BLOCK_BYTES)), block * DIGEST_BYTES);
  }
  return digests;
}

/**
 * The root of a shard: BLAKE3 over a marker, the encoded header and the block digests. It names one piece of one
 * encoding: the same data under another index or stripe id has another root.
 */
export function shardRoot(header: ShardHeader, digests: Uint8Array): Digest {
  invariant(digests.length === shardBlockCount(header.shardBytes) * DIGEST_BYTES, 'every block has a digest');
  return createHasher('blake3').update(ROOT_MARKER).update(encodeShardHeader(header)).update(digests).digest();
}
