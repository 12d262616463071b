/** A whole tree as a JSON document, kept to make proofs from it later without the data. */

import { z } from 'zod';
import { concatBytes } from '../bytes/bytes.ts';
import type { DigestAlgorithm } from '../hash/index.ts';
import { MERKLE_DOCUMENT_LEAVES_MAX } from '../limits.ts';
import {
  algorithmSchema,
  countSchema,
  digestsOf,
  hexSchema,
  proofError,
  readDocument,
  rootSchema,
} from './document.ts';
import { MerkleTree } from './merkle-tree.ts';
import { createTreeHashing } from './tree-hashing.ts';

const WHAT = 'a Merkle tree';

/** What `MerkleTree.toJSON` makes: plain JSON. */
export interface MerkleTreeDocument {
  readonly type: 'holdfast merkle tree';
  readonly version: 1;
  readonly algorithm: DigestAlgorithm;
  /** Bytes of all leaves together. */
  readonly totalLength: number;
  /** Hashes of the leaves, lower-case hex. */
  readonly leaves: readonly string[];
  /** Text. */
  readonly root: string;
}

const schema: z.ZodType<MerkleTreeDocument> = z
  .strictObject({
    type: z.literal('holdfast merkle tree'),
    version: z.literal(1),
    algorithm: algorithmSchema,
    totalLength: countSchema,
    leaves: z.array(hexSchema).max(MERKLE_DOCUMENT_LEAVES_MAX).readonly(),
    root: rootSchema,
  })
  .readonly();

/**
 * Makes a tree from its document again. The root is computed and compared, so what comes back is the tree of that root;
 * whether that is the right root only the caller can know.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID` for what is no such document, or has another root than it says
 */
export function parseMerkleTree(document: string | MerkleTreeDocument): MerkleTree {
  const { algorithm, totalLength, leaves, root } = readDocument(document, schema, WHAT);
  const tree = new MerkleTree(
    createTreeHashing(algorithm),
    concatBytes(digestsOf(algorithm, leaves, WHAT)),
    totalLength,
  );
  if (tree.root() !== root) throw proofError(WHAT, 'its leaves have another root');
  return tree;
}
