/**
 * Trees of folders. A folder that fits one node is one node. A larger one is split by name: nodes begin at names whose
 * hash is small, so that one changed name changes one leaf and the nodes above it, and the same children give the same tree
 * however they came to be. Inner nodes are split the same way, by the first name below each of their nodes.
 *
 * Sizes are counted in slots: a child takes one for every `TREE_SLOT_BYTES`, a node holds `TREE_NODE_NAMES_MAX`. From
 * `TREE_NODE_SLOTS_MIN` on, a child begins a new node when BLAKE3(level as one byte, bytes of the name), its first four
 * bytes as a big-endian integer, is below slots * 2^32 / `TREE_NODE_SLOTS_GAP`. A child with more slots has a larger
 * chance, so that nodes of few large children end by content as often as others.
 */

import { compareBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import {
  TREE_LEVELS_MAX,
  TREE_NODE_BYTES_MAX,
  TREE_NODE_NAMES_MAX,
  TREE_NODE_SLOTS_GAP,
  TREE_NODE_SLOTS_MIN,
  TREE_SLOT_BYTES,
} from '../limits.ts';
import { spellCopied } from './canonical-json.ts';
import { copyJson, type JsonObject } from './json-value.ts';
import type { PutObject } from './load.ts';
import { copyMetadata } from './metadata.ts';
import { composeNode } from './object.ts';
import { objectInvalid } from './object-error.ts';
import { parseChild } from './tree-child.ts';
import { firstBytesOf, nameBytesOf, treeName } from './tree-name.ts';
import type { TreeChild, TreeNodeLink, TreeObject } from './types.ts';

/** What JSON has around the children of a node, and the comma of each. */
const FRAME_SLOTS = 1;
const COMMA_BYTES = 1;
const HASH_RANGE = 2 ** 32;

/**
 * Stores the tree of one folder. Children are taken one by one; what is held is one unfinished node of every level.
 * @param children in the order of the bytes of their names, each name once
 * @param put stores a node; called from the leaves up, the root last, one call at a time
 * @param options `metadata` of the tree, which its root carries
 * @returns the id of the root, which follows from children and metadata alone
 * @throws `invalid/OBJECT_INVALID` for children that are none or out of order; what `put` and `children` throw
 */
export async function buildTree(
  children: AsyncIterable<TreeChild> | Iterable<TreeChild>,
  put: PutObject<TreeObject>,
  options: { readonly metadata?: JsonObject | undefined } = {},
): Promise<string> {
  const builder = new TreeBuilder(put, copyMetadata(options.metadata));
  let before: Uint8Array | undefined;
  let index = 0;
  for await (const one of children) {
    const { child: value, name, text, bytes } = parseChild(one, `children[${index}]`);
    if (before !== undefined && compareBytes(before, name) >= 0) {
      throw objectInvalid(`children[${index}]`, 'does not come after the one before it, by the bytes of their names');
    }
    await builder.add({ value, name, text, bytes, count: 1 }, 0);
    before = name;
    index += 1;
  }
  return builder.finish();
}

/** A child of a leaf, or a node below an inner node. */
interface Item {
  readonly value: TreeChild | TreeNodeLink;
  /** Its name, or the first one below it. */
  readonly name: Uint8Array;
  /** Its canonical spelling, and the bytes that has. */
  readonly text: string;
  readonly bytes: number;
  /** Children it stands for. */
  readonly count: number;
}

interface Level {
  /** Of the node that is being filled; of the whole level until that is more than one node can hold. */
  items: Item[];
  slots: number;
  bytes: number;
  isSplit: boolean;
}

class TreeBuilder {
  readonly #put: PutObject<TreeObject>;
  readonly #metadata: JsonObject | undefined;
  readonly #levels: Level[] = [];

  constructor(put: PutObject<TreeObject>, metadata: JsonObject | undefined) {
    this.#put = put;
    this.#metadata = metadata;
  }

  async add(item: Item, height: number): Promise<void> {
    const level = this.#level(height);
    if (level.isSplit) return this.#fill(item, height);
    level.items.push(item);
    level.bytes += item.bytes + COMMA_BYTES;
    if (level.items.length <= TREE_NODE_NAMES_MAX && level.bytes <= TREE_NODE_BYTES_MAX) return;
    const all = level.items;
    level.items = [];
    level.isSplit = true;
    for (const one of all) await this.#fill(one, height);
  }

  async finish(): Promise<string> {
    for (let height = 0; ; height += 1) {
      const { items, isSplit } = this.#level(height);
      if (!isSplit) return this.#put(nodeOf(items, height, this.#metadata));
      await this.#closeNode(height);
    }
  }

  #level(height: number): Level {
    invariant(height <= TREE_LEVELS_MAX, 'a folder has few levels');
    // The bytes of what stands around the children, less the comma that the last of them does not have.
    const frame = (height === 0 ? '{"entries":[]}' : '{"nodes":[]}').length - COMMA_BYTES;
    this.#levels[height] ??= { items: [], slots: FRAME_SLOTS, bytes: frame, isSplit: false };
    return this.#levels[height];
  }

  /** Adds to a level that has more than one node. */
  async #fill(item: Item, height: number): Promise<void> {
    const level = this.#level(height);
    const slots = slotsOf(item.bytes);
    if (level.items.length > 0 && startsNode(item.name, { height, slots, filled: level.slots })) {
      await this.#closeNode(height);
    }
    level.items.push(item);
    level.slots += slots;
  }

  async #closeNode(height: number): Promise<void> {
    const level = this.#level(height);
    const [first] = level.items;
    invariant(first !== undefined, 'a node has children');
    const id = await this.#put(nodeOf(level.items, height));
    const { name, nameBytes } = treeName(first.name);
    const count = level.items.reduce((sum, one) => sum + one.count, 0);
    const firstBytes = nameBytes === undefined ? {} : { firstBytes: nameBytes };
    const value = copyJson({ first: name, ...firstBytes, id, count }, 'node');
    const text = spellCopied(value);
    const link = {
      value: value as unknown as TreeNodeLink,
      name: first.name,
      text,
      bytes: Buffer.byteLength(text),
      count,
    };
    level.items = [];
    level.slots = FRAME_SLOTS;
    await this.add(link, height + 1);
  }
}

function nodeOf(items: readonly Item[], height: number, metadata?: JsonObject): TreeObject {
  return composeNode(height === 0 ? 'entries' : 'nodes', items, metadata);
}

function slotsOf(bytes: number): number {
  return Math.ceil((bytes + COMMA_BYTES) / TREE_SLOT_BYTES);
}

function startsNode(
  name: Uint8Array,
  { height, slots, filled }: { readonly height: number; readonly slots: number; readonly filled: number },
): boolean {
  if (filled + slots > TREE_NODE_NAMES_MAX) return true;
  if (filled < TREE_NODE_SLOTS_MIN) return false;
  const input = new Uint8Array(1 + name.length);
  input[0] = height;
  input.set(name, 1);
  const digest = blake3(input);
  const hash = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  return hash < slots * (HASH_RANGE / TREE_NODE_SLOTS_GAP);
}

/** Name of the first child of a node, or of the first one below it; an empty leaf has none. */
export function firstNameOf({ content }: TreeObject): Uint8Array | undefined {
  if ('nodes' in content) return content.nodes[0] && firstBytesOf(content.nodes[0]);
  return content.entries[0] && nameBytesOf(content.entries[0]);
}

/** Children of a node, or in all the leaves below it as it says. */
export function countOf({ content }: TreeObject): number {
  return 'nodes' in content ? content.nodes.reduce((sum, { count }) => sum + count, 0) : content.entries.length;
}
