/**
 * Changes a tree by a batch of items at a time: one way down for all of them, each node read and written once.
 *
 * A node that becomes too full is split into equal parts; one that becomes empty goes; one that becomes nearly empty
 * joins its neighbour, so that a listing after many deletions does not read a node for every item. All leaves are at
 * one depth.
 */
import { compareBytes, EMPTY_BYTES } from '../../bytes/bytes.ts';
import { invariant, storeError } from '../../errors/store-error.ts';
import { NAMES_NODE_BYTES } from '../../limits.ts';
import type { Transaction } from '../database.ts';
import type { RowSet } from '../row-set.ts';
import { NAMES_NODES, type NodeRow } from './names-tables.ts';
import { boundBetween, joinNodes, nodeWeight, positionOf, splitNode, type TreeNode } from './tree-node.ts';

/** An item that a tree shall hold, or not. */
export interface ItemChange {
  readonly item: Uint8Array;
  readonly present: boolean;
}

export interface TreeWriterParts {
  readonly transaction: Transaction;
  readonly nodes: RowSet<NodeRow>;
  /** A number that no node had before. */
  readonly nextNode: () => number;
}

interface Child {
  readonly bound: Uint8Array;
  readonly number: number;
}

/** Below it, a node that lost items joins its neighbour when both together are not above the other. */
const SMALL_BYTES = NAMES_NODE_BYTES / 4;
const JOINED_BYTES_MAX = NAMES_NODE_BYTES / 2;

function mergeItems(items: readonly Uint8Array[], changes: readonly ItemChange[]): readonly Uint8Array[] {
  const merged: Uint8Array[] = [];
  let next = 0;
  for (const { item, present } of changes) {
    while (next < items.length && compareBytes(items[next] as Uint8Array, item) < 0)
      merged.push(items[next++] as Uint8Array);
    if (next < items.length && compareBytes(items[next] as Uint8Array, item) === 0) next += 1;
    if (present) merged.push(item);
  }
  for (; next < items.length; next += 1) merged.push(items[next] as Uint8Array);
  return merged;
}

/** The changes that concern each child: an item belongs to the last child whose bound is not above it. */
function portionsOf(node: TreeNode, changes: readonly ItemChange[]): readonly (readonly ItemChange[])[] {
  const items = changes.map(({ item }) => item);
  let start = 0;
  return node.items.map((_, index) => {
    const bound = node.items[index + 1];
    const end = bound ? positionOf(items, bound) : changes.length;
    const portion = changes.slice(start, end);
    start = end;
    return portion;
  });
}

function branchOf(children: readonly Child[]): TreeNode {
  return { items: children.map(({ bound }) => bound), children: children.map(({ number }) => number) };
}

export class TreeWriter {
  readonly #transaction: Transaction;
  readonly #nodes: RowSet<NodeRow>;
  readonly #nextNode: () => number;

  constructor(parts: TreeWriterParts) {
    this.#transaction = parts.transaction;
    this.#nodes = parts.nodes;
    this.#nextNode = parts.nextNode;
  }

  /**
   * @param root number of the root node, 0 for an empty tree
   * @param changes ascending, each item once
   * @returns the number of the root afterwards
   * @throws `corrupt/METADATA_CORRUPT`
   */
  async apply(root: number, changes: readonly ItemChange[]): Promise<number> {
    if (changes.length === 0) return root;
    let parts: readonly Child[];
    if (root === 0) parts = this.#write(EMPTY_BYTES, { items: mergeItems([], changes) });
    else {
      await this.#load([root]);
      parts = await this.#change({ bound: EMPTY_BYTES, number: root }, changes);
    }
    while (parts.length > 1) parts = this.#write(EMPTY_BYTES, branchOf(parts));
    return parts[0] ? this.#dropSingleBranches(parts[0].number) : 0;
  }

  async #dropSingleBranches(root: number): Promise<number> {
    const [only, ...more] = this.#node(root).children ?? [];
    if (only === undefined || more.length > 0) return root;
    this.#nodes.remove([root]);
    await this.#load([only]);
    return this.#dropSingleBranches(only);
  }

  async #load(numbers: readonly number[]): Promise<void> {
    await this.#nodes.load(
      this.#transaction,
      numbers.map((number) => [number]),
    );
  }

  #node(number: number): TreeNode {
    const node = this.#nodes.get([number]);
    if (node) return node;
    const details = { table: NAMES_NODES, key: String(number) };
    throw storeError('METADATA_CORRUPT', `metadata table ${NAMES_NODES}, row ${number}: is gone`, { details });
  }

  /** Writes a node, in parts if it is too full; the first part keeps `number` and `bound`. */
  #write(bound: Uint8Array, node: TreeNode, number?: number): readonly Child[] {
    const parts = splitNode(node);
    if (parts.length === 0 && number !== undefined) this.#nodes.remove([number]);
    return parts.map((part, index) => {
      if (index === 0 && number !== undefined) {
        this.#nodes.put({ ...part, number });
        return { bound, number };
      }
      const row = { ...part, number: this.#nextNode() };
      this.#nodes.add(row);
      return { bound: index === 0 ? bound : this.#boundOf(parts[index - 1] as TreeNode, part), number: row.number };
    });
  }

  #boundOf(before: TreeNode, part: TreeNode): Uint8Array {
    const [last, first] = [before.items.at(-1), part.items[0]];
    invariant(last && first, 'parts of a node are not empty');
    return part.children ? first : boundBetween(last, first);
  }

  /** Applies changes below a loaded node. @returns what takes its place in the parent: none, itself, or its parts */
  async #change({ bound, number }: Child, changes: readonly ItemChange[]): Promise<readonly Child[]> {
    const node = this.#node(number);
    const changed = node.children
      ? await this.#changeBranch(node, changes)
      : { items: mergeItems(node.items, changes) };
    return this.#write(bound, changed, number);
  }

  async #changeBranch(node: TreeNode, changes: readonly ItemChange[]): Promise<TreeNode> {
    const portions = portionsOf(node, changes);
    const children = (node.children ?? []).map((number, index) => ({ number, bound: node.items[index] as Uint8Array }));
    await this.#load(children.flatMap(({ number }, index) => (portions[index]?.length ? [number] : [])));
    const after: Child[] = [];
    const changed = new Set<number>();
    for (const [index, child] of children.entries()) {
      const portion = portions[index] ?? [];
      const parts = portion.length > 0 ? await this.#change(child, portion) : [child];
      if (portion.length > 0) for (const { number } of parts) changed.add(number);
      after.push(...parts);
    }
    return branchOf(await this.#joinSmall(after, changed));
  }

  async #joinSmall(children: readonly Child[], changed: Set<number>): Promise<readonly Child[]> {
    const isSmall = ({ number }: Child) => changed.has(number) && nodeWeight(this.#node(number)) < SMALL_BYTES;
    const joined: Child[] = [];
    for (const child of children) {
      const last = joined.at(-1);
      if (!last || !(isSmall(last) || isSmall(child)) || !(await this.#join(last, child))) joined.push(child);
      else changed.add(last.number);
    }
    return joined;
  }

  /** Moves all of a node into the one before it, unless together they are too much. */
  async #join(left: Child, right: Child): Promise<boolean> {
    await this.#load([left.number, right.number]);
    const [a, b] = [this.#node(left.number), this.#node(right.number)];
    // The first bound of a branch means nothing inside of it, but in the middle of another it does.
    const moved = b.children ? { ...b, items: [right.bound, ...b.items.slice(1)] } : b;
    const together = joinNodes(a, moved);
    if (nodeWeight(together) > JOINED_BYTES_MAX) return false;
    this.#nodes.put({ ...together, number: left.number });
    this.#nodes.remove([right.number]);
    return true;
  }
}
