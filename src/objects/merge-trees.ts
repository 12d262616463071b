import { compareBytes } from '../bytes/bytes.ts';
import { buildTree } from './build-tree.ts';
import type { JsonObject } from './json-value.ts';
import type { LoadObjects, PutObject } from './load.ts';
import { type ConflictReason, choose, mergeChild, mergeFolder, type Sides } from './merge-children.ts';
import { TreeCursor } from './tree-cursor.ts';
import { nameOf } from './tree-name.ts';
import type { FolderChild, TreeChild, TreeName, TreeObject } from './types.ts';

/** One name that could not be merged, with what each side has there. */
export interface TreeConflict {
  /** Names from the root on; empty for the metadata of the root. */
  readonly path: readonly TreeName[];
  readonly reason: ConflictReason;
  readonly base?: TreeChild;
  readonly ours?: TreeChild;
  readonly theirs?: TreeChild;
}

/** Ids of the trees to merge; `undefined` is an empty folder. */
export interface TreesToMerge {
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

interface Merge {
  readonly load: LoadObjects;
  readonly put: PutObject<TreeObject>;
  readonly conflicts: TreeConflict[];
}

/**
 * Three-way merge of two trees that come from a common one. Folders that one side left alone are taken from the other
 * without being loaded. Names are merged as {@link mergeChild} says: every conflict is listed, and what is kept meanwhile is
 * that of `ours`, or the changed one where the other side removed it, so that nothing is lost that only one side has. A
 * folder that both sides have is entered; one that a side removed and the other changed is one conflict, and kept whole. A
 * folder that both sides emptied stays, empty.
 * @param put stores nodes of merged folders, from the leaves up
 * @returns the id of the merged tree, and the conflicts in the order of paths
 * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING`, and what `load` and `put` throw
 */
export async function mergeTrees(
  trees: TreesToMerge,
  load: LoadObjects,
  put: PutObject<TreeObject>,
): Promise<{ readonly id: string; readonly conflicts: readonly TreeConflict[] }> {
  const conflicts: TreeConflict[] = [];
  const id = await mergeIds([], trees, { load, put, conflicts });
  return { id, conflicts };
}

async function mergeIds(path: readonly TreeName[], trees: TreesToMerge, merge: Merge): Promise<string> {
  const { base, ours, theirs } = trees;
  const taken = choose(base, ours, theirs);
  const id = taken.theirs ? theirs : ours;
  if (!taken.isConflict && id !== undefined) return id;
  const [b, o, t] = await Promise.all([base, ours, theirs].map((one) => TreeCursor.open(one, merge.load)));
  const cursors = [b, o, t] as readonly [TreeCursor, TreeCursor, TreeCursor];
  const metadata = mergeMetadata(path, cursors, merge);
  return buildTree(mergedChildren(path, cursors, merge), merge.put, { metadata });
}

function mergeMetadata(
  path: readonly TreeName[],
  [base, ours, theirs]: readonly TreeCursor[],
  merge: Merge,
): JsonObject | undefined {
  const chosen = choose(base?.metadata, ours?.metadata, theirs?.metadata);
  if (chosen.isConflict) merge.conflicts.push({ path, reason: 'metadata' });
  return chosen.theirs ? theirs?.metadata : ours?.metadata;
}

/** The children of the merged folder, in order. */
async function* mergedChildren(
  path: readonly TreeName[],
  cursors: readonly [TreeCursor, TreeCursor, TreeCursor],
  merge: Merge,
): AsyncGenerator<TreeChild, void, undefined> {
  for (let sides = await nextSides(cursors); sides; sides = await nextSides(cursors)) {
    const here = [...path, nameOf((sides.ours ?? sides.theirs ?? sides.base) as TreeChild)];
    const child = await mergeSides(here, sides, merge);
    if (child !== undefined) yield child;
  }
}

async function mergeSides(path: readonly TreeName[], sides: Sides, merge: Merge): Promise<TreeChild | undefined> {
  const { base, ours, theirs } = sides;
  if (ours?.type !== 'folder' || theirs?.type !== 'folder') {
    const { child, reasons } = mergeChild(sides);
    report(path, sides, { reasons, merge });
    return child;
  }
  const known = base?.type === 'folder' ? base : undefined;
  const { child, reasons } = mergeFolder(known, ours, theirs);
  report(path, sides, { reasons, merge });
  const id = await mergeIds(path, { base: known?.id, ours: ours.id, theirs: theirs.id }, merge);
  return { ...(child as FolderChild), id };
}

function report(
  path: readonly TreeName[],
  { base, ours, theirs }: Sides,
  { reasons, merge }: { readonly reasons: readonly ConflictReason[]; readonly merge: Merge },
): void {
  for (const reason of reasons) {
    merge.conflicts.push({ path, reason, ...(base && { base }), ...(ours && { ours }), ...(theirs && { theirs }) });
  }
}

/** What the three sides have under the next name. */
async function nextSides(cursors: readonly [TreeCursor, TreeCursor, TreeCursor]): Promise<Sides | undefined> {
  await Promise.all(cursors.map(openNodes));
  const heads = cursors.map((cursor) => cursor.head());
  const first = heads.reduce((least, one) => {
    if (least === undefined || one === undefined) return least ?? one;
    return compareBytes(one.name, least.name) < 0 ? one : least;
  }, undefined);
  if (first === undefined) return undefined;
  const [base, ours, theirs] = heads.map((head, index) => {
    if (head === undefined || compareBytes(head.name, first.name) !== 0) return undefined;
    cursors[index]?.skip();
    return head.child;
  });
  return { base, ours, theirs };
}

async function openNodes(cursor: TreeCursor): Promise<void> {
  while (cursor.head()?.node !== undefined) await cursor.open();
}
