/**
 * `holdfast/merkle`: Merkle trees after RFC 9162 over data, digests, shards and the chunks of entries; proofs of
 * inclusion, consistency and ranges as JSON that is checked without the tree; challenges to keepers of shards.
 */

export type { MerkleExtent } from './bound-root.ts';
export {
  type Challenge,
  type ChallengedShard,
  challengedLeaf,
  createChallenge,
  parseChallenge,
} from './challenge.ts';
export { type ChallengeResponse, parseChallengeResponse, respond, verifyResponse } from './challenge-response.ts';
export type { MerkleLeaf } from './chunk-leaf.ts';
export { CompactRange } from './compact-range.ts';
export { type ConsistencyPath, type TreeSize, verifyConsistencyPath } from './consistency-path.ts';
export {
  type ConsistencyProof,
  type ConsistencyRoots,
  type OpenedRoot,
  parseConsistencyProof,
  verifyConsistency,
} from './consistency-proof.ts';
export {
  createDataTree,
  createDigestTree,
  createShardTree,
  type DataTreeOptions,
  type TreeOptions,
} from './create-tree.ts';
export { type InclusionPath, verifyInclusionPath } from './inclusion-path.ts';
export { type InclusionProof, parseInclusionProof, verifyInclusion } from './inclusion-proof.ts';
export { createMerkleBuilder, type MerkleBuilder, merkleRoot } from './merkle-builder.ts';
export type { MerkleTree } from './merkle-tree.ts';
export { createRangeDataCheck, type RangeDataCheck, verifyRangeData } from './range-data.ts';
export {
  type ByteRange,
  coveredRange,
  type ProvenChunk,
  parseRangeProof,
  type RangeProof,
  verifyRangeProof,
} from './range-proof.ts';
export { createRangeProver, proveRange, type RangeProver, type RangeProverOptions } from './range-prover.ts';
export { createRootHasher, type RootHasher, type TreeHead } from './root-hasher.ts';
export { type MerkleTreeDocument, parseMerkleTree } from './tree-document.ts';
export { createTreeHashing, type TreeHashing } from './tree-hashing.ts';
