/**
 * The hashing of a Merkle tree after RFC 9162 (Certificate Transparency 2.0), section 2.1.1, over any digest algorithm
 * of 32 bytes:
 *
 *     empty tree   H()
 *     leaf         H(0x00, data)
 *     inner node   H(0x01, left, right)
 *
 * The first byte keeps leaves and nodes apart, so that no inner node can be passed off as a leaf. Which nodes exist is
 * the business of `CompactRange`, what a leaf holds that of `chunk-leaf.ts`.
 */

import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { DIGEST_ALGORITHMS, type Digest, type DigestAlgorithm, digestOf, isDigestAlgorithm } from '../hash/index.ts';

/** Bytes of every digest in a tree. */
export const TREE_DIGEST_BYTES = 32;

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** A digest algorithm a tree can be made with: every one of 32 bytes. */
export type MerkleAlgorithm = Exclude<DigestAlgorithm, 'sha512'>;

/** The three hash functions of a tree. Pure; each result has memory of its own. */
export interface TreeHashing {
  readonly algorithm: MerkleAlgorithm;
  /** The tree hash of no leaves. */
  hashEmpty(): Digest;
  /** The hash of the leaf that holds `data`, of any length. */
  hashLeaf(data: Uint8Array): Digest;
  /** The hash of the node over two subtrees, left before right. */
  hashNode(left: Digest, right: Digest): Digest;
}

function checkMerkleAlgorithm(value: unknown): MerkleAlgorithm {
  if (isDigestAlgorithm(value) && DIGEST_ALGORITHMS[value].digestBytes === TREE_DIGEST_BYTES) {
    return value as MerkleAlgorithm;
  }
  const expected = `a digest algorithm of ${TREE_DIGEST_BYTES} bytes`;
  throw typeof value === 'string'
    ? argumentRangeError('algorithm', expected, value)
    : argumentTypeError('algorithm', expected, value);
}

/**
 * The RFC 9162 tree hashing of an algorithm.
 * @param algorithm default `blake3`; RFC 9162 itself and its logs use `sha256`
 * @throws TypeError or RangeError when the algorithm is unknown or its digests have not 32 bytes
 */
export function createTreeHashing(algorithm: MerkleAlgorithm = 'blake3'): TreeHashing {
  checkMerkleAlgorithm(algorithm);
  // Hashing is synchronous and keeps nothing, so all nodes can share the bytes that are hashed.
  const node = new Uint8Array(1 + 2 * TREE_DIGEST_BYTES);
  node[0] = NODE_PREFIX;
  return {
    algorithm,
    hashEmpty: () => digestOf(algorithm, EMPTY_BYTES),
    hashLeaf: (data) => {
      const leaf = new Uint8Array(1 + data.length);
      leaf[0] = LEAF_PREFIX;
      leaf.set(data, 1);
      return digestOf(algorithm, leaf);
    },
    hashNode: (left, right) => {
      node.set(left, 1);
      node.set(right, 1 + TREE_DIGEST_BYTES);
      return digestOf(algorithm, node);
    },
  };
}
