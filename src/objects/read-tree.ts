import { compareBytes, utf8Encode } from '../bytes/bytes.ts';
import { argumentRangeError } from '../errors/argument-error.ts';
import { TREE_LEVELS_MAX, TREE_READ_AHEAD } from '../limits.ts';
import { type LoadObjects, loadOne } from './load.ts';
import { objectCorrupt } from './object-error.ts';
import { checkNode, TreeCursor } from './tree-cursor.ts';
import { firstBytesOf, nameBytesOf } from './tree-name.ts';
import type { TreeChild, TreeObject } from './types.ts';

/**
 * The children of one folder, in the order of the bytes of their names, however many nodes it has. A few nodes are held
 * at a time.
 * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING`, and what the loader throws
 */
export async function* readTree(id: string, load: LoadObjects): AsyncGenerator<TreeChild, void, undefined> {
  const cursor = await TreeCursor.open(id, load);
  for (let head = cursor.head(); head; head = cursor.head()) {
    if (head.node !== undefined) {
      await cursor.open(TREE_READ_AHEAD);
      continue;
    }
    cursor.skip();
    yield head.child;
  }
}

/**
 * The child of a name; loads one node of each level.
 * @param name text, or bytes where it is not UTF-8
 * @returns `undefined` when the folder has none of that name
 * @throws as {@link readTree}
 */
export async function findChild(
  id: string,
  name: string | Uint8Array,
  load: LoadObjects,
): Promise<TreeChild | undefined> {
  const wanted = typeof name === 'string' ? utf8Encode(name) : name;
  let node: TreeObject = await loadOne('tree', id, load);
  let bound: Uint8Array | undefined;
  for (let level = 0; 'nodes' in node.content; level += 1) {
    const { nodes } = node.content;
    const index = lastAtMost(nodes, wanted, firstBytesOf);
    const link = nodes[index];
    if (link === undefined) return undefined;
    if (level === TREE_LEVELS_MAX) throw objectCorrupt(link.id, 'lies below too many nodes of one tree');
    const next = nodes[index + 1];
    if (next !== undefined) bound = firstBytesOf(next);
    node = await loadOne('tree', link.id, load);
    checkNode(node, link, bound);
  }
  const { entries } = node.content;
  const found = entries[lastAtMost(entries, wanted, nameBytesOf)];
  return found !== undefined && compareBytes(nameBytesOf(found), wanted) === 0 ? found : undefined;
}

/** Index of the last item of a sorted list whose name is not after one; -1 when there is none. */
function lastAtMost<T>(items: readonly T[], name: Uint8Array, nameOf: (item: T) => Uint8Array): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(nameOf(items[middle] as T), name) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * What lies at a path: folders and named trees are gone through, links are not followed.
 * @param path names from the root on, at least one; text, or bytes where they are not UTF-8
 * @returns `undefined` when there is nothing, also where a name on the way is no folder
 * @throws as {@link readTree}; RangeError for an empty path
 */
export async function walkPath(
  id: string,
  path: readonly (string | Uint8Array)[],
  load: LoadObjects,
): Promise<TreeChild | undefined> {
  if (path.length === 0) throw argumentRangeError('path', 'at least one name', '');
  let folder: string | undefined = id;
  let found: TreeChild | undefined;
  for (const name of path) {
    if (folder === undefined) return undefined;
    found = await findChild(folder, name, load);
    folder = found?.type === 'folder' || found?.type === 'tree' ? found.id : undefined;
    if (found === undefined) return undefined;
  }
  return found;
}
