/**
 * Nodes of a B+-tree whose items are byte strings, and how they lie in a row. Layout, integers little-endian:
 * u8 0 for a leaf, 1 for a branch · u16 count · per place: u16 length, bytes, and in a branch u64 number of the child.
 *
 * In a leaf `items` are the items themselves. In a branch each child has the lower bound of its items; that of the
 * first child is not looked at, since everything below the second bound belongs to it.
 */
import { BinaryReader } from '../../bytes/binary-reader.ts';
import { BinaryWriter } from '../../bytes/binary-writer.ts';
import { compareBytes } from '../../bytes/bytes.ts';
import { invariant, storeError } from '../../errors/store-error.ts';
import { NAMES_ITEM_BYTES_LEAST, NAMES_NODE_BYTES } from '../../limits.ts';

export interface TreeNode {
  /** Ascending. */
  readonly items: readonly Uint8Array[];
  /** Numbers of nodes, one per item; absent in a leaf. */
  readonly children?: readonly number[];
}

const HEAD_BYTES = 3;
const LENGTH_BYTES = 2;
const CHILD_BYTES = 8;
const LEAF = 0;
const BRANCH = 1;

/** Parts of a split node are no fuller than this, so that the next change does not split them again. */
const SPLIT_BYTES_MAX = (NAMES_NODE_BYTES * 3) / 4;

function placeBytes(node: TreeNode, item: Uint8Array): number {
  return LENGTH_BYTES + item.length + (node.children ? CHILD_BYTES : 0);
}

function weightOf(node: TreeNode, item: Uint8Array): number {
  return Math.max(NAMES_ITEM_BYTES_LEAST, placeBytes(node, item));
}

/** How full a node is: one fits up to `NAMES_NODE_BYTES`. */
export function nodeWeight(node: TreeNode): number {
  let weight = 0;
  for (const item of node.items) weight += weightOf(node, item);
  return weight;
}

export function sliceNode(node: TreeNode, start: number, end: number): TreeNode {
  const items = node.items.slice(start, end);
  return node.children ? { items, children: node.children.slice(start, end) } : { items };
}

export function joinNodes(left: TreeNode, right: TreeNode): TreeNode {
  const items = [...left.items, ...right.items];
  if (!left.children || !right.children) return { items };
  return { items, children: [...left.children, ...right.children] };
}

/** A node that is too full as several of about the same weight; one that fits as itself, an empty one as none. */
export function splitNode(node: TreeNode): readonly TreeNode[] {
  if (node.items.length === 0) return [];
  const total = nodeWeight(node);
  if (total <= NAMES_NODE_BYTES) return [node];
  const target = total / Math.ceil(total / SPLIT_BYTES_MAX);
  const parts: TreeNode[] = [];
  let [start, weight] = [0, 0];
  for (const [index, item] of node.items.entries()) {
    if (weight >= target * (parts.length + 1)) {
      parts.push(sliceNode(node, start, index));
      start = index;
    }
    weight += weightOf(node, item);
  }
  parts.push(sliceNode(node, start, node.items.length));
  return parts;
}

/** The shortest byte string that is above `below` and not above `above`: bounds need not repeat long keys. */
export function boundBetween(below: Uint8Array, above: Uint8Array): Uint8Array {
  let length = 0;
  while (length < below.length && below[length] === above[length]) length += 1;
  return above.slice(0, length + 1);
}

/** Number of items below `item`: where it is or would be. */
export function positionOf(items: readonly Uint8Array[], item: Uint8Array): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(items[middle] as Uint8Array, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function encodeNode(node: TreeNode): Uint8Array {
  const { items, children } = node;
  invariant(!children || children.length === items.length, 'every bound of a branch has a child');
  let length = HEAD_BYTES;
  for (const item of items) length += placeBytes(node, item);
  const writer = new BinaryWriter(length).u8(children ? BRANCH : LEAF).u16(items.length);
  for (const [index, item] of items.entries()) {
    writer.u16(item.length).put(item);
    const child = children?.[index];
    if (child !== undefined) writer.u64(child);
  }
  return writer.bytes;
}

function corrupt(what: string): never {
  throw storeError('METADATA_CORRUPT', `metadata table names_nodes: a node ${what}`, {
    details: { table: 'names_nodes' },
  });
}

/** @throws `corrupt/METADATA_CORRUPT` */
export function decodeNode(bytes: Uint8Array): TreeNode {
  const reader = new BinaryReader(bytes, corrupt);
  const kind = reader.u8();
  if (kind !== LEAF && kind !== BRANCH) corrupt(`is of the unknown kind ${kind}`);
  const count = reader.u16();
  const items: Uint8Array[] = [];
  const children: number[] = [];
  for (let index = 0; index < count; index += 1) {
    items.push(reader.bytes(reader.u16()));
    if (kind === BRANCH) children.push(reader.u64());
  }
  if (reader.remaining > 0) corrupt(`has ${reader.remaining} bytes too many`);
  return kind === BRANCH ? { items, children } : { items };
}
