/**
 * Proofs of single shards: that shard i of a set has these bytes, or this digest, checked with the root of the set
 * alone. The root of a set is that of its shards laid end to end, each of them a chunk (`shardSetRoot`), so the proof
 * is a range proof (`holdfast/merkle`) of bytes [i S, (i + 1) S), and needs no format of its own. It binds the place of
 * the shard, the length of all of them and how many there are.
 */

import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { digestOf, equalDigests, formatDigest, parseDigest } from '../hash/index.ts';
import { parseRangeProof, proveRange, type RangeProof, verifyRangeProof } from '../merkle/index.ts';
import { setShardBytes } from './good-shards.ts';
import { checkShardSet, type ShardSet } from './shard-set.ts';
import { namedRoot } from './shard-set-root.ts';

/** The shard that a proof should be about: by its bytes, or by its digest as text. */
export type ProvenShard =
  | { readonly index: number; readonly bytes: Uint8Array }
  | { readonly index: number; readonly digest: string };

/** The root of a set as text: what to hold where nobody who keeps shards can change it. */
export function formatShardSetRoot(set: ShardSet): string {
  checkShardSet(set);
  return formatDigest(set.algorithm, set.root);
}

/**
 * Proves that a shard belongs to the root of its set. The digests are enough: neither this shard's bytes nor any
 * other's are needed.
 * @param index from 0
 * @returns plain frozen JSON, of some 100 bytes for each of log2(k + m) hashes
 * @throws `corrupt/SHARD_SET_CORRUPT` when the digests that the set names do not have its root,
 *   `invalid/SHARD_SET_INVALID` for what is no shard set; RangeError for a shard that it does not have, and for empty
 *   shards, which no root tells apart
 */
export function proveShard(set: ShardSet, index: number): RangeProof {
  checkShardSet(set);
  checkInteger('index', index, { min: 0, max: set.shards.length - 1 });
  const length = setShardBytes(set);
  if (length === 0) throw argumentRangeError('set', 'one with content', set);
  if (!equalDigests(namedRoot(set), set.root)) {
    throw storeError('SHARD_SET_CORRUPT', 'the digests of the shards do not have the root that the set names');
  }
  const leaves = set.shards.map(({ digest }, at) => ({ offset: at * length, length, digest }));
  return proveRange(leaves, { offset: index * length, length }, set.algorithm);
}

/**
 * Tells whether a shard belongs to a trusted root, without its set.
 * @param proof the document, as text or parsed
 * @param root from a source the verifier trusts: what `formatShardSetRoot` gives
 * @returns false when anything differs: root, index, digest, length, path
 * @throws `invalid/PROOF_INVALID` for what is no proof, `invalid/DIGEST_INVALID` for what is no root or digest,
 *   TypeError or RangeError for what is no shard
 * @example verifyShardProof(proof, root, { index: 3, bytes })
 */
export function verifyShardProof(proof: string | RangeProof, root: string, shard: ProvenShard): boolean {
  const parsed = parseRangeProof(proof);
  const { size, chunkCount, chunks } = parsed;
  const index = checkInteger('shard.index', shard.index, { min: 0 });
  const [trusted, named] = [formatted(parseDigest(root)), digestNamed(shard, parsed)];
  const [chunk] = chunks;
  const length = size / chunkCount;
  if (index >= chunkCount || chunks.length !== 1 || chunk?.length !== length) return false;
  const isNamed = named === `${parsed.algorithm}:${chunk.digest}`;
  return isNamed && verifyRangeProof(parsed, trusted, { offset: index * length, length });
}

/** @returns text, as `formatDigest` writes it */
function digestNamed(shard: ProvenShard, { algorithm }: RangeProof): string {
  if (!('bytes' in shard)) return formatted(parseDigest(shard.digest));
  return formatDigest(algorithm, digestOf(algorithm, checkBytes('shard.bytes', shard.bytes)));
}

function formatted({ algorithm, digest }: ReturnType<typeof parseDigest>): string {
  return formatDigest(algorithm, digest);
}
