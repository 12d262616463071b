/**
 * An inclusion proof as a JSON document: that certain data is leaf i of the tree with a certain root. It is checked
 * with the root and the data alone. Layout in `docs/format.md`, section "Proofs".
 */

import { z } from 'zod';
import { checkBytes } from '../hash/check-bytes.ts';
import type { DigestAlgorithm } from '../hash/index.ts';
import { bindTreeRoot, isRoot, type MerkleExtent } from './bound-root.ts';
import { algorithmSchema, countSchema, digestsOf, pathSchema, readDocument } from './document.ts';
import { type InclusionPath, treeHashAbove } from './inclusion-path.ts';
import { createTreeHashing, type TreeHashing } from './tree-hashing.ts';

const WHAT = 'an inclusion proof';

/** What `MerkleTree.proveInclusion` makes: plain JSON. Root and leaf are the verifier's own, so it holds neither. */
export interface InclusionProof extends MerkleExtent {
  readonly type: 'holdfast inclusion proof';
  readonly version: 1;
  readonly algorithm: DigestAlgorithm;
  /** From 0. */
  readonly leafIndex: number;
  /** Hashes beside the way up, bottom up, in lower-case hex. */
  readonly path: readonly string[];
}

const schema: z.ZodType<InclusionProof> = z
  .strictObject({
    type: z.literal('holdfast inclusion proof'),
    version: z.literal(1),
    algorithm: algorithmSchema,
    leafIndex: countSchema,
    leafCount: countSchema,
    totalLength: countSchema,
    path: pathSchema,
  })
  .readonly();

/**
 * Reads an inclusion proof. Nothing of it is verified.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseInclusionProof(document: string | InclusionProof): InclusionProof {
  return readDocument(document, schema, WHAT);
}

/**
 * Tells whether data is the leaf that a proof is about, in the tree of a trusted root. At most 54 hashes beside the one
 * over the leaf.
 * @param proof the document, as text or parsed
 * @param root from a source the verifier trusts, text as `MerkleTree.root` gives it
 * @param leaf data of the leaf
 * @returns false when anything differs: root, leaf, place, number of leaves, length, path
 * @throws `invalid/PROOF_INVALID` for what is no proof, `invalid/DIGEST_INVALID` for what is no root, TypeError when
 *   the leaf is no `Uint8Array`
 * @see RFC 9162, section 2.1.3.2
 */
export function verifyInclusion(proof: string | InclusionProof, root: string, leaf: Uint8Array): boolean {
  const { algorithm, leafIndex, leafCount, totalLength, path } = parseInclusionProof(proof);
  checkBytes('leaf', leaf);
  const place = { leafIndex, leafCount, totalLength, path: digestsOf(algorithm, path, WHAT) };
  return isLeafOf(createTreeHashing(algorithm), { leaf, ...place }, root);
}

/** Data, its place in a tree, and the hashes beside its way up. */
interface PlacedLeaf extends MerkleExtent, Omit<InclusionPath, 'leafHash'> {
  readonly leaf: Uint8Array;
}

/** Tells whether data stands at a place in the tree of a trusted root. @throws `invalid/DIGEST_INVALID` for no root */
export function isLeafOf(hashing: TreeHashing, { leaf, ...place }: PlacedLeaf, root: string): boolean {
  const treeHash = treeHashAbove(hashing, { leafHash: hashing.hashLeaf(leaf), ...place });
  return treeHash !== undefined && isRoot(hashing, bindTreeRoot(hashing, treeHash, place), root);
}
