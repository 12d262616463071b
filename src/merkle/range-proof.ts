/**
 * A range proof as a JSON document: which chunks, whole ones, hold a range of an entry, and that they stand at their
 * offsets in the entry with a certain root. It is checked with the root alone; `range-data.ts` checks the bytes of the
 * chunks too. Layout in `docs/format.md`, section "Proofs".
 *
 * A proof names no more chunks than the range touches, and one hash for each subtree beside them: about 100 bytes a
 * chunk and 70 for each of at most 2 log2(chunks) hashes. An empty range touches no chunk; its proof still proves how
 * long the entry is.
 */

import { z } from 'zod';
import { checkInteger } from '../errors/argument-error.ts';
import type { DigestAlgorithm } from '../hash/index.ts';
import { PROOF_CHUNKS_MAX } from '../limits.ts';
import { bindEntryRoot, isRoot } from './bound-root.ts';
import { hashChunkLeaf } from './chunk-leaf.ts';
import { algorithmSchema, countSchema, digestsOf, hexSchema, pathSchema, readDocument } from './document.ts';
import { treeHashAround } from './range-path.ts';
import { createTreeHashing, type TreeHashing } from './tree-hashing.ts';

const WHAT = 'a range proof';

/** One chunk in a proof. */
export interface ProvenChunk {
  /** Bytes, at least 1. */
  readonly length: number;
  /** Plain digest, lower-case hex. */
  readonly digest: string;
}

/** Plain JSON. Root and range are the verifier's own, so it holds neither. */
export interface RangeProof {
  readonly type: 'holdfast range proof';
  readonly version: 1;
  /** Of the chunks' digests and of the tree. */
  readonly algorithm: DigestAlgorithm;
  /** Bytes and chunks of the entry. */
  readonly size: number;
  readonly chunkCount: number;
  /**
   * Of the first chunk below: its place among the chunks, and its first byte in the entry. Both 0 for an empty range.
   */
  readonly index: number;
  readonly offset: number;
  /** Chunks that the range touches, in order. */
  readonly chunks: readonly ProvenChunk[];
  /** Tree hashes left of the chunks, then right of them, in lower-case hex. */
  readonly path: readonly string[];
}

/** A range of an entry. */
export interface ByteRange {
  /** First byte. */
  readonly offset: number;
  /** Bytes; 0 is legal. */
  readonly length: number;
}

const schema: z.ZodType<RangeProof> = z
  .strictObject({
    type: z.literal('holdfast range proof'),
    version: z.literal(1),
    algorithm: algorithmSchema,
    size: countSchema,
    chunkCount: countSchema,
    index: countSchema,
    offset: countSchema,
    chunks: z
      .array(z.strictObject({ length: z.int().min(1), digest: hexSchema }).readonly())
      .max(PROOF_CHUNKS_MAX)
      .readonly(),
    path: pathSchema,
  })
  .readonly();

/**
 * Reads a range proof. Nothing of it is verified.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseRangeProof(document: string | RangeProof): RangeProof {
  return readDocument(document, schema, WHAT);
}

/** The bytes of an entry that the chunks of a proof cover: whole chunks, so more than was asked for at either end. */
export function coveredRange(proof: RangeProof): ByteRange {
  return { offset: proof.offset, length: proof.chunks.reduce((sum, { length }) => sum + length, 0) };
}

/**
 * Tells whether the chunks of a proof stand at their offsets in the entry of a trusted root, and are those that a range
 * touches. Cost: one hash a chunk and O(log n).
 * @param proof the document, as text or parsed
 * @param root from a source the verifier trusts: the text that `stat` gives
 * @param range what was asked for; default: whatever the chunks cover
 * @returns false when anything differs: root, size, number of chunks, offset, a chunk too many or too few, path
 * @throws `invalid/PROOF_INVALID` for what is no proof, `invalid/DIGEST_INVALID` for what is no root, TypeError or
 *   RangeError for a range that is none
 */
export function verifyRangeProof(proof: string | RangeProof, root: string, range?: ByteRange): boolean {
  const parsed = parseRangeProof(proof);
  const hashing = createTreeHashing(parsed.algorithm);
  const { size: totalLength, chunkCount: leafCount } = parsed;
  const treeHash = treeHashOf(hashing, parsed);
  if (treeHash === undefined) return false;
  const isTrusted = isRoot(hashing, bindEntryRoot(hashing, treeHash, { totalLength, leafCount }), root);
  return isTrusted && isWhole(parsed) && touches(parsed, range ?? coveredRange(parsed));
}

function treeHashOf(hashing: TreeHashing, proof: RangeProof) {
  const digests = digestsOf(
    hashing.algorithm,
    proof.chunks.map(({ digest }) => digest),
    WHAT,
  );
  let { offset } = proof;
  const leafHashes = [];
  for (const [position, digest] of digests.entries()) {
    const length = proof.chunks[position]?.length ?? 0;
    if (!Number.isSafeInteger(offset + length)) return undefined;
    leafHashes.push(hashChunkLeaf(hashing, { offset, length, digest }));
    offset += length;
  }
  return treeHashAround(hashing, {
    firstIndex: proof.index,
    leafCount: proof.chunkCount,
    leafHashes,
    path: digestsOf(hashing.algorithm, proof.path, WHAT),
  });
}

/** Whether front and end of the entry are where its first and last chunk are: its maker could have bound a lie. */
function isWhole(proof: RangeProof): boolean {
  const { size, chunkCount, index, offset, chunks } = proof;
  if (chunks.length === 0) return index === 0 && offset === 0 && (chunkCount === 0) === (size === 0);
  const end = offset + coveredRange(proof).length;
  return (index === 0) === (offset === 0) && (index + chunks.length === chunkCount) === (end === size) && end <= size;
}

/** Whether the chunks of a proof are those that a range touches: none too few, none too many. */
function touches(proof: RangeProof, range: ByteRange): boolean {
  checkInteger('range.offset', range.offset, { min: 0 });
  checkInteger('range.length', range.length, { min: 0, max: Number.MAX_SAFE_INTEGER - range.offset });
  const end = range.offset + range.length;
  if (end > proof.size) return false;
  const [first, last] = [proof.chunks[0], proof.chunks.at(-1)];
  if (!first || !last) return range.length === 0;
  const covered = coveredRange(proof);
  const coveredEnd = covered.offset + covered.length;
  return (
    range.length > 0 &&
    covered.offset <= range.offset &&
    range.offset < covered.offset + first.length &&
    coveredEnd - last.length < end &&
    end <= coveredEnd
  );
}
