/**
 * Builds the manifest of one entry while its chunks stream by: leaves of up to 4,096 chunks, inner nodes above them,
 * content length and Merkle root. Holds one open leaf and one short list of children per level, whatever the size.
 */

import { concatBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { encodeManifestNode, MANIFEST_FANOUT, type ManifestChild, manifestNodeId } from '../format/index.ts';
import { asDigest } from '../hash/index.ts';
import { MANIFEST_INLINE_BYTES_MAX, MANIFEST_LEAF_CHUNKS_MAX } from '../limits.ts';
import { createMerkleBuilder, type MerkleBuilder, type MerkleLeaf, merkleRoot } from '../merkle/index.ts';

/** As many chunks as are listed in less than `MANIFEST_INLINE_BYTES_MAX`, whatever their lengths. */
export const INLINE_MANIFEST_CHUNKS = 256;

/** Takes a finished node that does not ride in the entry; called in order, children before parents. */
export type StoreNode = (id: Uint8Array, bytes: Uint8Array) => Promise<void>;

export interface FinishedManifest {
  readonly size: number;
  readonly chunkCount: number;
  readonly root: Uint8Array;
  readonly manifest: { readonly inline: Uint8Array } | { readonly id: Uint8Array };
}

export class ManifestBuilder {
  readonly #storeNode: StoreNode;
  readonly #whole: MerkleBuilder = createMerkleBuilder();
  #leafTree: MerkleBuilder = createMerkleBuilder();
  #leafStart = 0;
  #lengths: number[] = [];
  #digests: Uint8Array[] = [];
  #size = 0;
  #chunkCount = 0;
  /** Children waiting for a parent, by level; level 1 holds leaves. */
  readonly #levels: ManifestChild[][] = [];

  constructor(storeNode: StoreNode) {
    this.#storeNode = storeNode;
  }

  get chunkCount(): number {
    return this.#chunkCount;
  }

  async add(length: number, digest: Uint8Array): Promise<void> {
    if (this.#lengths.length === MANIFEST_LEAF_CHUNKS_MAX) await this.#closeLeaf();
    this.#leafTree.addLeaf(this.#size, length, asDigest(digest));
    this.#lengths.push(length);
    this.#digests.push(digest);
    this.#size += length;
    this.#chunkCount += 1;
  }

  /** Ends the manifest; the builder is done with then. */
  async finish(): Promise<FinishedManifest> {
    const leafHash = this.#leafTree.treeHash();
    if (this.#lengths.length > 0) this.#whole.addSubtree(leafHash, this.#lengths.length);
    const counts = { size: this.#size, chunkCount: this.#chunkCount, root: this.#whole.root(this.#size) };
    const leaf = this.#encodeLeaf();
    if (this.#levels.length === 0) return { ...counts, manifest: await this.#top(leaf) };
    await this.#push(
      1,
      await this.#child(leaf, { bytes: this.#size - this.#leafStart, chunks: this.#lengths.length, hash: leafHash }),
    );
    return { ...counts, manifest: await this.#closeLevels() };
  }

  #encodeLeaf(): Uint8Array {
    return encodeManifestNode({
      type: 'leaf',
      start: this.#leafStart,
      lengths: this.#lengths,
      digests: concatBytes(this.#digests),
    });
  }

  async #closeLeaf(): Promise<void> {
    const hash = this.#leafTree.treeHash();
    this.#whole.addSubtree(hash, this.#lengths.length);
    const sums = { bytes: this.#size - this.#leafStart, chunks: this.#lengths.length, hash };
    await this.#push(1, await this.#child(this.#encodeLeaf(), sums));
    this.#leafTree = createMerkleBuilder();
    this.#leafStart = this.#size;
    this.#lengths = [];
    this.#digests = [];
  }

  async #child(
    node: Uint8Array,
    sums: { readonly bytes: number; readonly chunks: number; readonly hash: Uint8Array },
  ): Promise<ManifestChild> {
    const id = manifestNodeId(node);
    await this.#storeNode(id, node);
    return { id, ...sums };
  }

  /** Adds a child at a level; a full level becomes a node of the next one. */
  async #push(level: number, child: ManifestChild): Promise<void> {
    const children = this.#levels[level - 1] ?? [];
    this.#levels[level - 1] = children;
    if (children.length === MANIFEST_FANOUT) {
      this.#levels[level - 1] = [child];
      await this.#push(level + 1, await this.#parent(level, children));
    } else {
      children.push(child);
    }
  }

  async #parent(level: number, children: readonly ManifestChild[]): Promise<ManifestChild> {
    const range = createMerkleBuilder();
    let bytes = 0;
    let chunks = 0;
    for (const child of children) {
      range.addSubtree(asDigest(child.hash), child.chunks);
      bytes += child.bytes;
      chunks += child.chunks;
    }
    return this.#child(encodeManifestNode({ type: 'inner', level, children }), {
      bytes,
      chunks,
      hash: range.treeHash(),
    });
  }

  async #closeLevels(): Promise<FinishedManifest['manifest']> {
    for (let level = 1; ; level += 1) {
      const children = this.#levels[level - 1] ?? [];
      if (level === this.#levels.length) return this.#top(encodeManifestNode({ type: 'inner', level, children }));
      await this.#push(level + 1, await this.#parent(level, children));
    }
  }

  async #top(node: Uint8Array): Promise<FinishedManifest['manifest']> {
    if (node.length <= MANIFEST_INLINE_BYTES_MAX) return { inline: node };
    const id = manifestNodeId(node);
    await this.#storeNode(id, node);
    return { id };
  }
}

/**
 * The manifest that a builder would come to, of content whose chunks are all at hand and few: nothing has to be stored.
 * @param chunks at most `INLINE_MANIFEST_CHUNKS`, one behind the other
 */
export function inlineManifest(chunks: readonly MerkleLeaf[]): FinishedManifest {
  invariant(chunks.length <= INLINE_MANIFEST_CHUNKS, 'the manifest rides in its entry');
  const lengths = chunks.map(({ length }) => length);
  const size = lengths.reduce((sum, length) => sum + length, 0);
  const digests = concatBytes(chunks.map(({ digest }) => digest));
  return {
    size,
    chunkCount: chunks.length,
    root: merkleRoot(chunks, size),
    manifest: { inline: encodeManifestNode({ type: 'leaf', start: 0, lengths, digests }) },
  };
}
