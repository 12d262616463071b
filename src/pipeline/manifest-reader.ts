/** Walks a manifest: the chunks of an entry that overlap a range, in order, loading only the nodes on the way. */
import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import {
  decodeManifestNode,
  type EntryValue,
  type ManifestChild,
  type ManifestInner,
  type ManifestNode,
  manifestNodeId,
} from '../format/index.ts';

export interface ManifestChunk {
  /** Position in the entry, from 0. */
  readonly index: number;
  /** First byte in the entry. */
  readonly offset: number;
  readonly length: number;
  /** Plain digest: a view into the manifest node. */
  readonly digest: Uint8Array;
}

/** Fetches a node by id; its content is checked here. */
export type LoadNode = (id: Uint8Array) => Promise<Uint8Array>;

export interface ManifestRange {
  readonly offset: number;
  /** Exclusive. */
  readonly end: number;
}

/** A part of an entry whose chunks nobody can tell, because what names them cannot be read. */
export interface ManifestGap {
  /** First byte and bytes, first chunk and chunks. */
  readonly offset: number;
  readonly length: number;
  readonly index: number;
  readonly chunks: number;
  readonly error: unknown;
}

interface Walk {
  readonly range: ManifestRange;
  readonly load: LoadNode;
  /** Absent where a node that cannot be read ends the walk. */
  readonly onGap?: (gap: ManifestGap) => void;
}

interface NodePlace {
  readonly node: ManifestNode;
  /** First byte and first chunk of the subtree in the entry. */
  readonly offset: number;
  readonly index: number;
}

/**
 * @yields chunks that overlap `[offset, end)`; an empty range yields none
 * @throws `corrupt/MANIFEST_CORRUPT` when a node is not what its parent or the entry says; what `load` throws
 */
export async function* readManifest(
  value: EntryValue,
  load: LoadNode,
  range?: ManifestRange,
): AsyncGenerator<ManifestChunk> {
  const node = await loadTopNode(value, load);
  const asked = range ?? { offset: 0, end: value.size };
  if (asked.end > asked.offset) yield* walk(placed(node, 0, 0), { range: asked, load });
}

/**
 * Like `readManifest` of everything, past nodes that cannot be read.
 * @param onGap told of each such node before the chunks behind it are yielded; what it throws ends the walk
 */
export async function* readManifestPast(
  value: EntryValue,
  load: LoadNode,
  onGap: (gap: ManifestGap) => void,
): AsyncGenerator<ManifestChunk> {
  let top: NodePlace;
  try {
    top = placed(await loadTopNode(value, load), 0, 0);
  } catch (error) {
    onGap({ offset: 0, length: value.size, index: 0, chunks: value.chunkCount, error });
    return;
  }
  yield* walk(top, { range: { offset: 0, end: value.size }, load, onGap });
}

/**
 * The top node of an entry's manifest, checked against the entry.
 * @throws `corrupt/MANIFEST_CORRUPT`; what `load` throws
 */
export async function loadTopNode(value: EntryValue, load: LoadNode): Promise<ManifestNode> {
  const top = 'inline' in value.manifest ? value.manifest.inline : await loadChecked(value.manifest.id, load);
  const node = decodeManifestNode(top);
  const sums = sumsOf(node);
  if (sums.bytes !== value.size || sums.chunks !== value.chunkCount) {
    throw mismatch(
      `has ${sums.bytes} bytes in ${sums.chunks} chunks, its entry says ${value.size} in ${value.chunkCount}`,
    );
  }
  return node;
}

/**
 * A node beneath an inner node, checked against what that one says of it.
 * @throws `corrupt/MANIFEST_CORRUPT`; what `load` throws
 */
export async function loadChildNode(
  parent: ManifestInner,
  child: ManifestChild,
  load: LoadNode,
): Promise<ManifestNode> {
  const node = decodeManifestNode(await loadChecked(child.id, load));
  const sums = sumsOf(node);
  const level = node.type === 'leaf' ? 0 : node.level;
  if (sums.bytes !== child.bytes || sums.chunks !== child.chunks || level !== parent.level - 1) {
    throw mismatch('has a node that is not what its parent says');
  }
  return node;
}

async function* walk(place: NodePlace, how: Walk): AsyncGenerator<ManifestChunk> {
  const { range, load, onGap } = how;
  if (place.node.type === 'leaf') {
    yield* leafChunks(place, place.node, range);
    return;
  }
  let { offset, index } = place;
  for (const child of place.node.children) {
    if (offset >= range.end) return;
    if (offset + child.bytes > range.offset) {
      let node: NodePlace | undefined;
      try {
        node = placed(await loadChildNode(place.node, child, load), offset, index);
      } catch (error) {
        if (onGap === undefined) throw error;
        onGap({ offset, length: child.bytes, index, chunks: child.chunks, error });
      }
      if (node) yield* walk(node, how);
    }
    offset += child.bytes;
    index += child.chunks;
  }
}

/** @throws `corrupt/MANIFEST_CORRUPT` for a leaf of another place */
function placed(node: ManifestNode, offset: number, index: number): NodePlace {
  if (node.type === 'leaf' && node.start !== offset)
    throw mismatch(`has a leaf for byte ${node.start} at byte ${offset}`);
  return { node, offset, index };
}

function* leafChunks(
  place: NodePlace,
  leaf: Extract<ManifestNode, { type: 'leaf' }>,
  range: ManifestRange,
): Generator<ManifestChunk> {
  let offset = place.offset;
  for (const [position, length] of leaf.lengths.entries()) {
    if (offset >= range.end) return;
    if (offset + length > range.offset) {
      const digest = leaf.digests.subarray(position * 32, position * 32 + 32);
      yield { index: place.index + position, offset, length, digest };
    }
    offset += length;
  }
}

function sumsOf(node: ManifestNode): { bytes: number; chunks: number } {
  let bytes = 0;
  let chunks = 0;
  if (node.type === 'leaf') {
    for (const length of node.lengths) bytes += length;
    chunks = node.lengths.length;
  } else {
    for (const child of node.children) {
      bytes += child.bytes;
      chunks += child.chunks;
    }
  }
  return { bytes, chunks };
}

async function loadChecked(id: Uint8Array, load: LoadNode): Promise<Uint8Array> {
  const bytes = await load(id);
  if (!equalBytes(manifestNodeId(bytes), id)) throw mismatch('has a node whose content is not what its id says');
  return bytes;
}

/** The error of a manifest that contradicts itself or its entry. */
export function mismatch(what: string): Error {
  return storeError('MANIFEST_CORRUPT', `the manifest ${what}`);
}
