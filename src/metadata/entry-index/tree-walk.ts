/**
 * Reads the items of a tree in order, a leaf at a time. What is read is checked against where it was found: a node that
 * is gone, or an older copy of one, shows as damage and never as a gap in a listing.
 */
import { compareBytes, EMPTY_BYTES } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import type { Reader } from '../database.ts';
import type { Table } from '../table.ts';
import { NAMES_NODES, type NodeRow } from './names-tables.ts';
import type { ItemRange } from './order-items.ts';
import { positionOf, type TreeNode } from './tree-node.ts';

export interface TreeWalk {
  /** Number of the root node, 0 for an empty tree. */
  readonly root: number;
  readonly range: ItemRange;
  readonly descending: boolean;
  /** Called for every node that is read. */
  readonly onNode?: () => void;
}

interface Place {
  readonly number: number;
  /** What the items of the node lie in, as its parents say. */
  readonly bounds: ItemRange;
}

/** @throws `corrupt/METADATA_CORRUPT`, naming the node and what is wrong with it */
function corrupt(number: number, problem: string): never {
  const details = { table: NAMES_NODES, key: String(number) };
  throw storeError('METADATA_CORRUPT', `metadata table ${NAMES_NODES}, row ${number}: ${problem}`, { details });
}

function isBelow(item: Uint8Array, bound: Uint8Array | undefined): boolean {
  return bound === undefined || compareBytes(item, bound) < 0;
}

/** Items rise and lie in the bounds; the first bound of a branch is not looked at by anyone. */
function checkItems(node: TreeNode, { number, bounds }: Place): void {
  const { items, children } = node;
  if (items.length === 0) corrupt(number, 'holds nothing');
  let last = bounds.from;
  for (let index = children ? 1 : 0; index < items.length; index += 1) {
    const item = items[index] as Uint8Array;
    const rise = compareBytes(item, last);
    if (rise < 0 || (rise === 0 && index > 0) || !isBelow(item, bounds.before))
      corrupt(number, 'holds items that belong elsewhere');
    last = item;
  }
}

function childrenOf(node: TreeNode, bounds: ItemRange): readonly Place[] {
  const { items, children = [] } = node;
  return children.map((number, index) => ({
    number,
    bounds: {
      from: index === 0 ? bounds.from : (items[index] as Uint8Array),
      before: items[index + 1] ?? bounds.before,
    },
  }));
}

function overlaps(a: ItemRange, b: ItemRange): boolean {
  return isBelow(a.from, b.before) && isBelow(b.from, a.before);
}

function itemsWithin(node: TreeNode, { from, before }: ItemRange): readonly Uint8Array[] {
  const { items } = node;
  return items.slice(positionOf(items, from), before ? positionOf(items, before) : items.length);
}

async function* walkNode(
  source: { readonly reader: Reader; readonly nodes: Table<NodeRow> },
  place: Place,
  walk: TreeWalk,
): AsyncGenerator<readonly Uint8Array[]> {
  const [found] = await source.nodes.load(source.reader, [[place.number]]);
  if (!found) corrupt(place.number, 'is gone');
  walk.onNode?.();
  const { row } = found;
  checkItems(row, place);
  if (!row.children) {
    const items = itemsWithin(row, walk.range);
    yield walk.descending ? items.toReversed() : items;
    return;
  }
  const wanted = childrenOf(row, place.bounds).filter(({ bounds }) => overlaps(bounds, walk.range));
  for (const child of walk.descending ? wanted.toReversed() : wanted) yield* walkNode(source, child, walk);
}

/**
 * The items of a tree within a range, each part in the direction asked for.
 * @throws `corrupt/METADATA_CORRUPT`
 */
export async function* walkTree(
  reader: Reader,
  nodes: Table<NodeRow>,
  walk: TreeWalk,
): AsyncGenerator<readonly Uint8Array[]> {
  const whole = { from: EMPTY_BYTES, before: undefined };
  if (walk.root !== 0) yield* walkNode({ reader, nodes }, { number: walk.root, bounds: whole }, walk);
}
