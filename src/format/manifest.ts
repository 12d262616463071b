/**
 * Manifest nodes: the tree that lists the chunks of one entry version. Leaves list chunks, inner nodes list nodes with
 * the bytes, chunks and Merkle hash beneath them, so that a range or a proof reads one path. Deterministic CBOR; layout
 * in `docs/format.md`, section "Manifest node".
 *
 * Invariant: a node says how many bytes it covers, and what it lists adds up to exactly that.
 * Does not: compute Merkle hashes, or fetch children.
 */

import { concatBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, type Digest } from '../hash/index.ts';
import { CHUNK_BYTES_MAX, MANIFEST_FANOUT, MANIFEST_LEAF_CHUNKS_MAX, MANIFEST_LEVEL_MAX } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { type Fail, failWith } from './damage.ts';
import { Fields } from './fields.ts';
import { DIGEST_BYTES } from './sizes.ts';

export { MANIFEST_FANOUT };

const MANIFEST_VERSION = 1;
const LEAF_LEVEL = 0;

/** Some chunks of an entry, one after the other; none for empty content. */
export interface ManifestLeaf {
  readonly type: 'leaf';
  /** First byte of the first chunk in the content. */
  readonly start: number;
  /** Plain bytes of each chunk. */
  readonly lengths: readonly number[];
  /** Plain digests, 32 bytes each, in the same order. */
  readonly digests: Uint8Array;
}

/** One node beneath an inner node. */
export interface ManifestChild {
  /** 32 bytes. */
  readonly id: Uint8Array;
  /** Content bytes and chunks beneath it. */
  readonly bytes: number;
  readonly chunks: number;
  /** Merkle subtree hash over its chunks, 32 bytes. */
  readonly hash: Uint8Array;
}

/** A node above others. */
export interface ManifestInner {
  readonly type: 'inner';
  /** 1 above leaves, else one more than its children. */
  readonly level: number;
  /** In the order of the content; at least one. */
  readonly children: readonly ManifestChild[];
}

export type ManifestNode = ManifestLeaf | ManifestInner;

/** Content bytes and chunks that a node covers. */
export function manifestNodeExtent(node: ManifestNode): { readonly bytes: number; readonly chunks: number } {
  let bytes = 0;
  if (node.type === 'leaf') {
    for (const length of node.lengths) bytes += length;
    return { bytes, chunks: node.lengths.length };
  }
  let chunks = 0;
  for (const child of node.children) {
    bytes += child.bytes;
    chunks += child.chunks;
  }
  return { bytes, chunks };
}

function checkLeaf(leaf: ManifestLeaf, fail: Fail): void {
  if (leaf.digests.length !== leaf.lengths.length * DIGEST_BYTES) fail('has not one digest for each chunk');
  if (leaf.lengths.length > MANIFEST_LEAF_CHUNKS_MAX) fail(`lists ${leaf.lengths.length} chunks`);
  if (leaf.lengths.length === 0 && leaf.start > 0) fail('lists no chunks, but begins after the front');
  if (!Number.isSafeInteger(leaf.start + manifestNodeExtent(leaf).bytes)) fail('ends beyond 2^53-1');
}

function checkInner(inner: ManifestInner, fail: Fail): void {
  const { level, children } = inner;
  if (children.length < 1 || children.length > MANIFEST_FANOUT) fail(`lists ${children.length} nodes`);
  const chunksMax = MANIFEST_LEAF_CHUNKS_MAX * MANIFEST_FANOUT ** (level - 1);
  for (const { bytes, chunks } of children) {
    if (chunks < 1 || chunks > Math.min(bytes, chunksMax) || bytes > chunks * CHUNK_BYTES_MAX) {
      fail(`gives a node of level ${level - 1} ${chunks} chunks for ${bytes} bytes`);
    }
  }
  if (!Number.isSafeInteger(manifestNodeExtent(inner).bytes)) fail('covers more than 2^53-1 bytes');
}

/**
 * Encodes a node. Nodes are limited by `MANIFEST_LEAF_CHUNKS_MAX`, `MANIFEST_FANOUT` and `MANIFEST_LEVEL_MAX`.
 * @throws `internal/INVARIANT_BROKEN` for a node that breaks a limit or does not add up
 */
export function encodeManifestNode(node: ManifestNode): Uint8Array {
  const fail = failWith('INVARIANT_BROKEN', 'new manifest node');
  if (node.type === 'leaf') {
    invariant(
      node.lengths.every((length) => length >= 1 && length <= CHUNK_BYTES_MAX),
      'chunks have a legal length',
    );
    checkLeaf(node, fail);
    return encodeCbor([MANIFEST_VERSION, LEAF_LEVEL, node.start, node.lengths, node.digests]);
  }
  const { level, children } = node;
  invariant(level > LEAF_LEVEL && level <= MANIFEST_LEVEL_MAX, 'an inner node is above leaves, and not too high');
  invariant(
    children.every(({ id, hash }) => id.length === DIGEST_BYTES && hash.length === DIGEST_BYTES),
    'node ids and hashes have 32 bytes',
  );
  checkInner(node, fail);
  return encodeCbor([
    MANIFEST_VERSION,
    level,
    children.map((child) => child.bytes),
    children.map((child) => child.chunks),
    concatBytes(children.map((child) => child.id)),
    concatBytes(children.map((child) => child.hash)),
  ]);
}

function leafFrom(fields: Fields, fail: Fail): ManifestLeaf {
  const start = fields.integer('start');
  const lengths = fields.integers('chunk length', { min: 1, max: CHUNK_BYTES_MAX });
  const digests = fields.bytes('digests', lengths.length * DIGEST_BYTES);
  fields.end();
  const leaf: ManifestLeaf = { type: 'leaf', start, lengths, digests };
  checkLeaf(leaf, fail);
  return leaf;
}

function innerFrom(level: number, fields: Fields, fail: Fail): ManifestInner {
  const bytes = fields.integers('bytes of a node', { min: 1 });
  const chunkCounts = fields.integers('chunk count', { min: 1, count: bytes.length });
  const ids = fields.bytes('ids', bytes.length * DIGEST_BYTES);
  const hashes = fields.bytes('hashes', bytes.length * DIGEST_BYTES);
  fields.end();
  const children = bytes.map((length, index): ManifestChild => {
    const [from, to] = [index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES];
    return {
      id: ids.subarray(from, to),
      bytes: length,
      chunks: chunkCounts[index] ?? 0,
      hash: hashes.subarray(from, to),
    };
  });
  const inner: ManifestInner = { type: 'inner', level, children };
  checkInner(inner, fail);
  return inner;
}

/**
 * Decodes a node; nothing of the result is a view of `bytes`.
 * @throws `corrupt/MANIFEST_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeManifestNode(bytes: Uint8Array): ManifestNode {
  const fail = failWith('MANIFEST_CORRUPT', 'manifest node');
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  fields.version('manifest node', MANIFEST_VERSION);
  const level = fields.integer('level', { max: MANIFEST_LEVEL_MAX });
  return level === LEAF_LEVEL ? leafFrom(fields, fail) : innerFrom(level, fields, fail);
}

/** What a node is stored and looked up by in plain stores: BLAKE3 of its encoded bytes. */
export function manifestNodeId(bytes: Uint8Array): Digest {
  return blake3(bytes);
}
