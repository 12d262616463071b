/**
 * A consistency proof as a JSON document: that the tree of one root is the front of the tree of another. It is checked
 * with the two roots alone. Layout in `docs/format.md`, section "Proofs".
 */

import { z } from 'zod';
import type { DigestAlgorithm } from '../hash/index.ts';
import { bindTreeRoot, isRoot, type MerkleExtent } from './bound-root.ts';
import { verifyConsistencyPath } from './consistency-path.ts';
import { algorithmSchema, countSchema, digestsOf, hexSchema, pathSchema, readDocument } from './document.ts';
import { createTreeHashing } from './tree-hashing.ts';

const WHAT = 'a consistency proof';

/** What a root is made of. */
export interface OpenedRoot extends MerkleExtent {
  /** Lower-case hex. */
  readonly treeHash: string;
}

/** What `MerkleTree.proveConsistency` makes: plain JSON. */
export interface ConsistencyProof {
  readonly type: 'holdfast consistency proof';
  readonly version: 1;
  readonly algorithm: DigestAlgorithm;
  /** The earlier tree. */
  readonly first: OpenedRoot;
  /** The later tree. */
  readonly second: OpenedRoot;
  /** Lower-case hex; empty for trees of one size. */
  readonly path: readonly string[];
}

const openedRootSchema = z
  .strictObject({ leafCount: countSchema, totalLength: countSchema, treeHash: hexSchema })
  .readonly();

const schema: z.ZodType<ConsistencyProof> = z
  .strictObject({
    type: z.literal('holdfast consistency proof'),
    version: z.literal(1),
    algorithm: algorithmSchema,
    first: openedRootSchema,
    second: openedRootSchema,
    path: pathSchema,
  })
  .readonly();

/**
 * Reads a consistency proof. Nothing of it is verified.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseConsistencyProof(document: string | ConsistencyProof): ConsistencyProof {
  return readDocument(document, schema, WHAT);
}

/** The two trees a consistency proof is about, by roots that the verifier trusts. */
export interface ConsistencyRoots {
  /** Of the earlier tree, text as `MerkleTree.root` gives it. */
  readonly first: string;
  /** Of the later tree. */
  readonly second: string;
}

/**
 * Tells whether the tree of one trusted root is the front of the tree of another: nothing was changed, taken out or put
 * in between, only added at the end.
 * @param proof the document, as text or parsed
 * @returns false when anything differs: a root, a count, a length, the path
 * @throws `invalid/PROOF_INVALID` for what is no proof, `invalid/DIGEST_INVALID` for what is no root
 * @see RFC 9162, section 2.1.4.2
 */
export function verifyConsistency(proof: string | ConsistencyProof, roots: ConsistencyRoots): boolean {
  const { algorithm, path, ...trees } = parseConsistencyProof(proof);
  const hashing = createTreeHashing(algorithm);
  const nodes = digestsOf(algorithm, [trees.first.treeHash, trees.second.treeHash, ...path], WHAT);
  const [firstHash, secondHash, ...rest] = nodes;
  if (!firstHash || !secondHash) return false;
  const areTrusted =
    isRoot(hashing, bindTreeRoot(hashing, firstHash, trees.first), roots.first) &&
    isRoot(hashing, bindTreeRoot(hashing, secondHash, trees.second), roots.second);
  return (
    areTrusted &&
    verifyConsistencyPath(hashing, {
      first: { leafCount: trees.first.leafCount, treeHash: firstHash },
      second: { leafCount: trees.second.leafCount, treeHash: secondHash },
      path: rest,
    })
  );
}
