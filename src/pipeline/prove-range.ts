/**
 * Proves a range of an entry from its manifest: what the range does not touch goes into the proof as the Merkle hashes
 * that inner nodes hold, so only the nodes on the way to the range are loaded. Reads no chunk and needs no key:
 * manifests list plain digests.
 */

import type { EntryValue, ManifestLeaf, ManifestNode } from '../format/index.ts';
import { asDigest, formatDigest } from '../hash/index.ts';
import {
  type ByteRange,
  createRangeProver,
  type RangeProof,
  type RangeProver,
  verifyRangeProof,
} from '../merkle/index.ts';
import { type LoadNode, loadChildNode, loadTopNode, mismatch } from './manifest-reader.ts';

/** Manifests and their trees are made with BLAKE3, in every store. */
const ALGORITHM = 'blake3';
const DIGEST_BYTES = 32;

/**
 * Loads two paths of nodes at most, and the leaves that the range touches. The proof is verified before it is given
 * out.
 * @returns a proof for `verifyRangeProof` against `value.root`
 * @throws `invalid/RANGE_INVALID` for a range over the end, or one of more than `PROOF_CHUNKS_MAX` chunks;
 *   `corrupt/MANIFEST_CORRUPT` when the manifest is not that of the entry's root, or contradicts itself; what `load`
 *   throws
 */
export async function proveEntryRange(value: EntryValue, load: LoadNode, range: ByteRange): Promise<RangeProof> {
  const { size: totalLength, chunkCount: leafCount } = value;
  const prover = createRangeProver({ totalLength, leafCount, range, algorithm: ALGORITHM });
  await addNode(prover, await loadTopNode(value, load), load);
  const proof = prover.finish();
  if (!verifyRangeProof(proof, formatDigest(ALGORITHM, asDigest(value.root)), range)) {
    throw mismatch('has not the Merkle root that its entry says');
  }
  return proof;
}

async function addNode(prover: RangeProver, node: ManifestNode, load: LoadNode): Promise<void> {
  if (node.type === 'leaf') {
    addChunks(prover, node);
    return;
  }
  for (const child of node.children) {
    if (prover.touchesNext(child.bytes)) await addNode(prover, await loadChildNode(node, child, load), load);
    else prover.addSubtree(asDigest(child.hash), { length: child.bytes, leafCount: child.chunks });
  }
}

function addChunks(prover: RangeProver, { lengths, digests }: ManifestLeaf): void {
  for (const [position, length] of lengths.entries()) {
    prover.addChunk(length, asDigest(digests.subarray(position * DIGEST_BYTES, (position + 1) * DIGEST_BYTES)));
  }
}
