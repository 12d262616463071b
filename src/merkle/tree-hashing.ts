/**
 * The hashing of a Merkle tree after RFC 9162 (Certificate Transparency 2.0), section 2.1.1, over any digest algorithm:
 *
 *     empty tree   H()
 *     leaf         H(0x00, data)
 *     inner node   H(0x01, left, right)
 *
 * The first byte keeps leaves and nodes apart, so that no inner node can be passed off as a leaf. Which nodes exist is
 * the business of `CompactRange` and `MerkleTree`, what a leaf holds that of whoever makes it.
 */

import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { checkDigestAlgorithm } from '../hash/algorithms.ts';
import {
  createHasher,
  DIGEST_ALGORITHMS,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  type Hasher,
} from '../hash/index.ts';

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
const LEAF_START = new Uint8Array([LEAF_PREFIX]);

/** From here on feeding a hasher twice costs less than copying the data behind its prefix: half at 64 KiB. */
const COPIED_BYTES_MAX = 8192;

/** The three hash functions of a tree. Pure; each result has memory of its own. */
export interface TreeHashing {
  readonly algorithm: DigestAlgorithm;
  /** Bytes of every digest in the tree. */
  readonly digestBytes: number;
  /** The tree hash of no leaves. */
  hashEmpty(): Digest;
  /** The hash of the leaf that holds `data`, of any length. */
  hashLeaf(data: Uint8Array): Digest;
  /** The hash of the node over two subtrees, left before right. */
  hashNode(left: Digest, right: Digest): Digest;
}

/** A hasher that was given the front of a leaf, and takes its data in pieces. */
export function startLeaf(algorithm: DigestAlgorithm): Hasher {
  return createHasher(algorithm).update(LEAF_START);
}

/** Hashing is synchronous and keeps nothing, so all short leaves can share the bytes that are hashed. */
const leaf = new Uint8Array(1 + COPIED_BYTES_MAX);
leaf[0] = LEAF_PREFIX;

function hashLeaf(algorithm: DigestAlgorithm, data: Uint8Array): Digest {
  if (data.length > COPIED_BYTES_MAX) return startLeaf(algorithm).update(data).digest();
  leaf.set(data, 1);
  return digestOf(algorithm, leaf.subarray(0, 1 + data.length));
}

/** Made once for each algorithm: the trees of small entries are made by the thousand. */
const hashings = new Map<DigestAlgorithm, TreeHashing>();

/**
 * The RFC 9162 tree hashing of an algorithm.
 * @param algorithm default `blake3`; RFC 9162 itself and its logs use `sha256`
 * @throws TypeError or RangeError when the algorithm is unknown
 */
export function createTreeHashing(algorithm: DigestAlgorithm = 'blake3'): TreeHashing {
  const known = hashings.get(algorithm);
  if (known) return known;
  const hashing = newHashing(algorithm);
  hashings.set(algorithm, hashing);
  return hashing;
}

function newHashing(algorithm: DigestAlgorithm): TreeHashing {
  const { digestBytes } = DIGEST_ALGORITHMS[checkDigestAlgorithm(algorithm)];
  // As all short leaves share theirs.
  const node = new Uint8Array(1 + 2 * digestBytes);
  node[0] = NODE_PREFIX;
  return {
    algorithm,
    digestBytes,
    hashEmpty: () => digestOf(algorithm, EMPTY_BYTES),
    hashLeaf: (data) => hashLeaf(algorithm, data),
    hashNode: (left, right) => {
      node.set(left, 1);
      node.set(right, 1 + digestBytes);
      return digestOf(algorithm, node);
    },
  };
}
