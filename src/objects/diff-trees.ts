import { compareBytes } from '../bytes/bytes.ts';
import { sameJson } from './canonical-json.ts';
import type { JsonObject } from './json-value.ts';
import { type LoadObjects, loadAll } from './load.ts';
import { TreeCursor, type TreeHead } from './tree-cursor.ts';
import { nameOf } from './tree-name.ts';
import type { TreeChild, TreeName } from './types.ts';

/**
 * What differs at one path between two trees.
 * - `added`, `removed`: one side has nothing there; what is below a folder follows, one by one
 * - `type`: both have something there, of two types; what is below a folder on either side follows
 * - `changed`: the same type; `fields` names what differs
 */
export interface TreeChange {
  /** Names from the root on; empty for the root itself, of which only `metadata` can differ. */
  readonly path: readonly TreeName[];
  readonly kind: 'added' | 'removed' | 'changed' | 'type';
  readonly before?: TreeChild;
  readonly after?: TreeChild;
  /** Of `changed`: names of the fields of the child, and `metadata` where that of its tree differs. */
  readonly fields: readonly string[];
  /** True when nothing of what is kept there differs, only what is known about it: mode, times, attributes and such. */
  readonly metadataOnly: boolean;
}

/** Fields that are the thing itself. Of a folder that is what it holds, which has changes of its own. */
const CONTENT_FIELDS: readonly string[] = ['id', 'size', 'target', 'targetBytes'];

interface Frame {
  readonly path: readonly TreeName[];
  readonly before: TreeCursor;
  readonly after: TreeCursor;
}

/**
 * What differs between two trees, in the order of the bytes of names, a folder before what is in it. What both have in
 * common is not loaded: folders of one id, and nodes of one id within large folders. Named references to trees and
 * snapshots are compared by id and not entered. What is held is one path of open folders.
 * @param before id of a tree; `undefined` for nothing, so that everything is added
 * @param after likewise
 * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING`, and what the loader throws
 */
export async function* diffTrees(
  before: string | undefined,
  after: string | undefined,
  load: LoadObjects,
): AsyncGenerator<TreeChange, void, undefined> {
  if (before === after) return;
  const root = await openFrame([], { before, after }, load);
  if (before !== undefined && after !== undefined && metadataDiffers(root)) {
    yield { path: [], kind: 'changed', fields: ['metadata'], metadataOnly: true };
  }
  const open: Frame[] = [root];
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const pair = await nextPair(frame);
    if (pair === undefined) {
      open.pop();
      continue;
    }
    const below = await enter(frame, pair, load);
    const change = changeOf(frame.path, pair, below);
    if (change !== undefined) yield change;
    if (below !== undefined) open.push(below);
  }
}

/** Children of one name. */
interface Pair {
  readonly before: TreeChild | undefined;
  readonly after: TreeChild | undefined;
}

async function openFrame(
  path: readonly TreeName[],
  ids: { readonly before: string | undefined; readonly after: string | undefined },
  load: LoadObjects,
): Promise<Frame> {
  const wanted = [ids.before, ids.after].filter((id) => id !== undefined);
  const roots = new Map((await loadAll('tree', wanted, load)).map((tree, index) => [wanted[index], tree]));
  const [before, after] = [ids.before, ids.after].map((id) => TreeCursor.over(roots.get(id), load));
  return { path, before: before as TreeCursor, after: after as TreeCursor };
}

/** The folders of a pair, where there are any and they are not the same. */
async function enter(frame: Frame, { before, after }: Pair, load: LoadObjects): Promise<Frame | undefined> {
  const ids = { before: folderId(before), after: folderId(after) };
  if (ids.before === ids.after) return undefined;
  return openFrame([...frame.path, nameOf((after ?? before) as TreeChild)], ids, load);
}

function folderId(child: TreeChild | undefined): string | undefined {
  return child?.type === 'folder' ? child.id : undefined;
}

/** The next children of one name, those of nodes that both sides have left out. */
async function nextPair({ before, after }: Frame): Promise<Pair | undefined> {
  for (;;) {
    const [a, b] = [before.head(), after.head()];
    if (a === undefined && b === undefined) return undefined;
    if (a?.node !== undefined && a.node.id === b?.node?.id) {
      before.skip();
      after.skip();
      continue;
    }
    const toOpen = nodesToOpen(a, b);
    if (toOpen.before || toOpen.after) {
      await Promise.all([toOpen.before && before.open(), toOpen.after && after.open()]);
      continue;
    }
    const order = orderOf(a, b);
    if (order <= 0) before.skip();
    if (order >= 0) after.skip();
    return { before: order <= 0 ? a?.child : undefined, after: order >= 0 ? b?.child : undefined };
  }
}

/**
 * Which heads must be opened before children can be compared. Of two nodes that begin with one name the larger is opened,
 * since the smaller may be one of those in it.
 */
function nodesToOpen(a: TreeHead | undefined, b: TreeHead | undefined): { before: boolean; after: boolean } {
  const order = orderOf(a, b);
  if (order !== 0) return { before: order < 0 && a?.node !== undefined, after: order > 0 && b?.node !== undefined };
  if (a?.node === undefined || b?.node === undefined)
    return { before: a?.node !== undefined, after: b?.node !== undefined };
  return { before: a.node.count >= b.node.count, after: b.node.count >= a.node.count };
}

/** Order of two heads by name; what is at its end comes last. */
function orderOf(a: TreeHead | undefined, b: TreeHead | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return compareBytes(a.name, b.name);
}

function changeOf(
  folder: readonly TreeName[],
  { before, after }: Pair,
  below: Frame | undefined,
): TreeChange | undefined {
  const path = [...folder, nameOf((after ?? before) as TreeChild)];
  if (before === undefined || after === undefined) {
    const kind = before === undefined ? 'added' : 'removed';
    return { path, kind, ...(before && { before }), ...(after && { after }), fields: [], metadataOnly: false };
  }
  if (before.type !== after.type) return { path, kind: 'type', before, after, fields: ['type'], metadataOnly: false };
  const isFolder = before.type === 'folder';
  const fields = differingFields(before, after).filter((field) => !isFolder || field !== 'id');
  if (isFolder && below !== undefined && metadataDiffers(below)) fields.push('metadata');
  if (fields.length === 0) return undefined;
  const metadataOnly = !fields.some((field) => CONTENT_FIELDS.includes(field));
  return { path, kind: 'changed', before, after, fields, metadataOnly };
}

function metadataDiffers({ before, after }: Frame): boolean {
  return !sameJson(before.metadata, after.metadata);
}

/** Names of the fields in which two children differ, in order. */
export function differingFields(a: TreeChild, b: TreeChild): string[] {
  const [left, right] = [a, b] as unknown as readonly [JsonObject, JsonObject];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].filter((name) => !sameJson(left[name], right[name])).sort();
}
