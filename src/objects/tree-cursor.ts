import { compareBytes, equalBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { TREE_LEVELS_MAX } from '../limits.ts';
import { countOf, firstNameOf } from './build-tree.ts';
import type { JsonObject } from './json-value.ts';
import { type LoadObjects, loadAll, loadOne } from './load.ts';
import { objectCorrupt } from './object-error.ts';
import { firstBytesOf, nameBytesOf } from './tree-name.ts';
import type { TreeChild, TreeNodeLink, TreeObject } from './types.ts';

/** What comes next in a folder: a child, or a node that holds the next children and need not be loaded to be skipped. */
export type TreeHead =
  | { readonly child: TreeChild; readonly node?: undefined; readonly name: Uint8Array }
  | { readonly node: TreeNodeLink; readonly child?: undefined; readonly name: Uint8Array };

interface Frame {
  readonly list: readonly TreeChild[] | readonly TreeNodeLink[];
  readonly isInner: boolean;
  /** All names in it come before this one. */
  readonly bound: Uint8Array | undefined;
  index: number;
}

/**
 * Goes through one folder in order, opening a node only when told to. Every node that is opened is held to what the node
 * above it promises: first name, count, and no name that belongs to the next one. So a crafted tree cannot show a name
 * twice, or out of order.
 */
export class TreeCursor {
  /** Metadata of the tree as a whole. */
  readonly metadata: JsonObject | undefined;
  readonly #load: LoadObjects;
  readonly #frames: Frame[] = [];
  readonly #ahead = new Map<string, TreeObject>();

  private constructor(root: TreeObject | undefined, load: LoadObjects) {
    this.#load = load;
    this.metadata = root?.metadata;
    if (root !== undefined) this.#push(root, undefined);
  }

  /**
   * @param id of a root; `undefined` is an empty folder
   * @throws what loading the root throws
   */
  static async open(id: string | undefined, load: LoadObjects): Promise<TreeCursor> {
    return TreeCursor.over(id === undefined ? undefined : await loadOne('tree', id, load), load);
  }

  /** Over a root that was loaded already. */
  static over(root: TreeObject | undefined, load: LoadObjects): TreeCursor {
    return new TreeCursor(root, load);
  }

  /** What comes next; `undefined` at the end. */
  head(): TreeHead | undefined {
    const frame = this.#top();
    const item = frame?.list[frame.index];
    if (frame === undefined || item === undefined) return undefined;
    if (frame.isInner) return { node: item as TreeNodeLink, name: firstBytesOf(item as TreeNodeLink) };
    return { child: item as TreeChild, name: nameBytesOf(item as TreeChild) };
  }

  /** Leaves the head behind, with all that is below it. */
  skip(): void {
    const frame = this.#top();
    invariant(frame !== undefined, 'there is a head to skip');
    frame.index += 1;
  }

  /**
   * Opens the node that is the head: what it holds comes next.
   * @param nodes how many neighbouring nodes are loaded in one call, for who will open those too
   * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING` and what the loader throws
   */
  async open(nodes = 1): Promise<void> {
    const frame = this.#top();
    invariant(frame?.isInner, 'the head is a node');
    const links = frame.list as readonly TreeNodeLink[];
    const link = links[frame.index];
    invariant(link !== undefined, 'there is a head to open');
    const object = this.#ahead.get(link.id) ?? (await this.#loadFrom(links, frame.index, nodes));
    this.#ahead.delete(link.id);
    const next = links[frame.index + 1];
    const bound = next === undefined ? frame.bound : firstBytesOf(next);
    checkNode(object, link, bound);
    if (this.#frames.length > TREE_LEVELS_MAX) throw objectCorrupt(link.id, 'lies below too many nodes of one tree');
    frame.index += 1;
    this.#push(object, bound);
  }

  async #loadFrom(links: readonly TreeNodeLink[], index: number, nodes: number): Promise<TreeObject> {
    // Nodes of one folder differ in their names, so that no id stands there twice; in a crafted one it may.
    const ids = [...new Set(links.slice(index, index + nodes).map(({ id }) => id))];
    const loaded = await loadAll('tree', ids, this.#load);
    for (const [at, object] of loaded.entries()) this.#ahead.set(ids[at] ?? '', object);
    const [first] = loaded;
    invariant(first !== undefined, 'the head was loaded');
    return first;
  }

  #push({ content }: TreeObject, bound: Uint8Array | undefined): void {
    const isInner = 'nodes' in content;
    this.#frames.push({ list: isInner ? content.nodes : content.entries, isInner, bound, index: 0 });
  }

  /** The innermost list that is not at its end. */
  #top(): Frame | undefined {
    for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
      if (frame.index < frame.list.length) return frame;
      this.#frames.pop();
    }
    return undefined;
  }
}

/**
 * Holds a node to what the node above it promises.
 * @param bound the first name of the node after it
 * @throws `corrupt/OBJECT_CORRUPT`
 */
export function checkNode(object: TreeObject, link: TreeNodeLink, bound: Uint8Array | undefined): void {
  const first = firstNameOf(object);
  if (first === undefined || !equalBytes(first, firstBytesOf(link))) {
    throw objectCorrupt(link.id, 'does not begin with the name that the node above it promises');
  }
  if (countOf(object) !== link.count) {
    throw objectCorrupt(link.id, 'does not hold as many children as the node above it promises');
  }
  const { content } = object;
  const last =
    'nodes' in content
      ? firstBytesOf(content.nodes.at(-1) as TreeNodeLink)
      : nameBytesOf(content.entries.at(-1) as TreeChild);
  if (bound !== undefined && compareBytes(last, bound) >= 0) {
    throw objectCorrupt(link.id, 'holds names that belong to the node after it');
  }
}
