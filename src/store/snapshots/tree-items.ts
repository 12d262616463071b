/** The trees of a snapshot as streams: of names, and of what a folder or an archive is made of. */

import {
  formatTreePath,
  type LoadObjects,
  nameBytesOf,
  readTree,
  type TreeChild,
  type TreeName,
} from '../../objects/index.ts';
import { bytesOfText } from '../../objects/tree-name.ts';

/** Children that are looked at together. */
const WINDOW_CHILDREN = 128;

/** Something in a tree, and how it was come to. */
export interface TreeItem {
  /** Components from the root of what was asked for. */
  readonly path: readonly TreeName[];
  readonly child: TreeChild;
}

/** What is in a tree and in all below it, a folder before what is in it. Links are not followed. */
export async function* walkTree(
  tree: string,
  load: LoadObjects,
  options: { readonly recursive: boolean; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<TreeItem, void, undefined> {
  // One open listing for each folder on the way: no recursion, which deep trees would overflow.
  const begin = (id: string) => (options.recursive ? loadingAhead(readTree(id, load), load) : readTree(id, load));
  const open = [{ path: [] as readonly TreeName[], children: begin(tree) }];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    options.signal?.throwIfAborted();
    const next = await top.children.next();
    if (next.done) {
      open.pop();
      continue;
    }
    const child = next.value;
    const path = [...top.path, child];
    yield { path, child };
    if (options.recursive && child.type === 'folder') open.push({ path, children: begin(child.id) });
  }
}

/** Trees of neighbours lie together: loaded at once they are opened once, and wait in the memory of the loader. */
async function* loadingAhead(
  children: AsyncIterable<TreeChild>,
  load: LoadObjects,
): AsyncGenerator<TreeChild, void, undefined> {
  let window: TreeChild[] = [];
  const flush = async (): Promise<readonly TreeChild[]> => {
    const folders = window.flatMap((child) =>
      child.type === 'folder' ? [{ type: 'tree' as const, id: child.id }] : [],
    );
    if (folders.length > 1) await load(folders);
    const ready = window;
    window = [];
    return ready;
  };
  for await (const child of children) {
    window.push(child);
    if (window.length >= WINDOW_CHILDREN) yield* await flush();
  }
  yield* await flush();
}

/** Bytes of the components of a path. */
export function pathBytes(path: readonly TreeName[]): readonly Buffer[] {
  return path.map((name) => Buffer.from(nameBytesOf(name)));
}

/** A path for people. */
export function pathText(path: readonly TreeName[]): string {
  return formatTreePath(path);
}

/** Bytes of where a link points, or of the first name of a file that has several; split where asked. */
export function textBytes(text: string, base64: string | undefined): Buffer {
  return Buffer.from(bytesOfText(text, base64));
}
