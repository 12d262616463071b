/** `holdfast/merkle`: the Merkle tree over the chunks of an entry, and the RFC 9162 core beneath it. */

export type { MerkleLeaf } from './chunk-leaf.ts';
export { CompactRange } from './compact-range.ts';
export { createMerkleBuilder, type MerkleBuilder, merkleRoot } from './merkle-builder.ts';
export { createTreeHashing, type MerkleAlgorithm, type TreeHashing } from './tree-hashing.ts';
