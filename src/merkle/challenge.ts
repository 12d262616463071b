/**
 * Proof of possession: somebody who holds only the root and the length of a shard asks its keeper for one leaf, picked
 * at random, and the keeper answers with the leaf and its path. A keeper that lost a part p of the leaves is found out
 * with probability p by one challenge, and with 1 - (1 - p)^c by c of them.
 *
 *     leaf index = H("holdfast challenge v1", nonce, root, length u64, leaf bytes u64) mod leaves
 *
 * The nonce is the asker's and the root the keeper's, and the hash over both picks the leaf, so neither chooses it. The
 * digest is taken as one number, little-endian: with 256 bits of it and at most 2^53 leaves no leaf is likelier than
 * another by more than 2^-203. H is the algorithm of the root.
 *
 * What this does not do: prove that the shard lies with the keeper and not with somebody the keeper asks.
 */

import { z } from 'zod';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { EMPTY_BYTES, fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { digestOf, parseDigest } from '../hash/index.ts';
import { MERKLE_LEAF_BYTES_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { checkLeafBytes } from './create-tree.ts';
import { countSchema, readDocument, rootSchema } from './document.ts';

const CHALLENGE = 'a challenge';
const DOMAIN = utf8Encode('holdfast challenge v1');
const NONCE_BYTES = 32;

/** What an asker holds of a shard. */
export interface ChallengedShard {
  /** Root of the tree over its bytes, text, as `createRootHasher` and `createDataTree` give it. */
  readonly root: string;
  /** Bytes of the shard, at least 1. */
  readonly totalLength: number;
  /** Bytes of a leaf, as the tree was made with; default `MERKLE_LEAF_BYTES`, 64 KiB. */
  readonly leafBytes?: number;
}

/** What is sent to the keeper: plain JSON. */
export interface Challenge extends Required<ChallengedShard> {
  readonly type: 'holdfast challenge';
  readonly version: 1;
  /** 32 bytes, lower-case hex. */
  readonly nonce: string;
}

/** A nonce in lower-case hex. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{64}$/);

const challengeSchema: z.ZodType<Challenge> = z
  .strictObject({
    type: z.literal('holdfast challenge'),
    version: z.literal(1),
    root: rootSchema,
    totalLength: countSchema.min(1),
    leafBytes: z.int().min(1).max(MERKLE_LEAF_BYTES_MAX),
    nonce: nonceSchema,
  })
  .readonly();

/**
 * Makes a challenge. It is good once: a keeper that has seen it knows which leaf is asked for.
 * @param random the system's generator, or a seeded one in tests
 * @throws `invalid/DIGEST_INVALID` for what is no root, TypeError or RangeError for a length or size of leaves out of
 *   range; a shard without bytes holds nothing to ask for
 */
export function createChallenge(shard: ChallengedShard, random: RandomBytes): Challenge {
  parseDigest(shard.root);
  return Object.freeze({
    type: 'holdfast challenge',
    version: 1,
    root: shard.root,
    totalLength: checkInteger('totalLength', shard.totalLength, { min: 1 }),
    leafBytes: checkLeafBytes(shard.leafBytes),
    nonce: toHex(random(NONCE_BYTES)),
  });
}

/**
 * Reads a challenge, for its keeper.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseChallenge(document: string | Challenge): Challenge {
  return readDocument(document, challengeSchema, CHALLENGE);
}

/** The leaf that a challenge asks for: from 0, each as likely as any other. */
export function challengedLeaf(challenge: Challenge): number {
  const { algorithm, digest } = parseDigest(challenge.root);
  const bound = new BinaryWriter(DOMAIN.length + NONCE_BYTES + digest.length + 16)
    .put(DOMAIN)
    .put(fromHex(challenge.nonce) ?? EMPTY_BYTES)
    .put(digest)
    .u64(challenge.totalLength)
    .u64(challenge.leafBytes);
  const number = digestOf(algorithm, bound.bytes).reduceRight<bigint>((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return Number(number % BigInt(leafCountOf(challenge)));
}

/** Leaves of the shard that a challenge is about. */
export function leafCountOf({ totalLength, leafBytes }: Challenge): number {
  return Math.ceil(totalLength / leafBytes);
}
