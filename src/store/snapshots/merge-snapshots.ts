/** Three-way merges of snapshots: of their folders, their entries and their bundles. */
import { argumentRangeError } from '../../errors/argument-error.ts';
import type { Change } from '../../metadata/contract.ts';
import {
  createSnapshot,
  formatTreePath,
  type JsonObject,
  type LoadObjects,
  mergeBase,
  mergeBundles,
  mergeTrees,
  type ObjectReference,
  objectId,
  type PutObject,
  type SnapshotContent,
  type SnapshotObject,
  type TreeConflict,
  type TreeObject,
} from '../../objects/index.ts';
import { ObjectWriter } from '../objects/object-writer.ts';
import { findSnapshot, type GraphContext, loadObject, planMove, readerOf, refOrNowhere } from './graph-context.ts';
import type { MergeOptions, MergeReport, SnapshotConflict } from './graph-types.ts';

/**
 * The best common ancestors of two snapshots, over all parents; one of the two when the other descends from it.
 * @param a address, as `b`
 * @returns ids in ascending order; empty when they have nothing in common, several after criss-cross merges
 * @throws `not-found/*`, `invalid/OBJECT_WRONG_TYPE`, `corrupt/*`
 */
export async function mergeBaseOf(context: GraphContext, a: string, b: string): Promise<readonly string[]> {
  const [one, other] = [await findSnapshot(context, a), await findSnapshot(context, b)];
  return await mergeBase(one.id, other.id, readerOf(context).load);
}

/**
 * Merges what two snapshots made of the one that both come from. With conflicts nothing is stored, and all are listed,
 * unless `favour` decides them. The merged snapshot has ours for its parent and theirs as a further one. A ref is moved
 * from ours or not at all, and made where there is none.
 * @param sides addresses
 * @throws `not-found/*`, `invalid/OBJECT_WRONG_TYPE`, `invalid/REF_INVALID`, `conflict/PRECONDITION_FAILED`,
 *   `denied/READ_ONLY`, `corrupt/*`; RangeError
 */
export async function mergeSnapshots(
  context: GraphContext,
  sides: { readonly ours: string; readonly theirs: string },
  options: MergeOptions = {},
): Promise<MergeReport> {
  const { favour, dryRun = false, ref, message } = options;
  if (favour !== undefined && favour !== 'ours' && favour !== 'theirs')
    throw argumentRangeError('favour', "'ours' or 'theirs'", favour);
  if (!dryRun) context.engine.assertWritable();
  const ours = await findSnapshot(context, sides.ours);
  const theirs = await findSnapshot(context, sides.theirs);
  const { load } = readerOf(context);
  const isPlain = options.base === undefined;
  const bases =
    options.base !== undefined
      ? [(await findSnapshot(context, options.base)).id]
      : await mergeBase(ours.id, theirs.id, load);
  const report = { ours: ours.id, theirs: theirs.id, bases, conflicts: [], dryRun };
  const expected = await refOrNowhere(context, ref, ours.id);
  const move = await planMove(context, { ref, message, expected });
  if (ours.id === theirs.id || (isPlain && bases.includes(theirs.id)))
    return Object.freeze({ ...report, outcome: 'same', id: ours.id });
  if (isPlain && bases.includes(ours.id)) {
    const changes = move({ type: 'snapshot', id: theirs.id });
    if (!dryRun) await new ObjectWriter(context.engine, context.scope).commit(changes);
    return Object.freeze({ ...report, outcome: 'forward', id: theirs.id });
  }
  const [base] = bases;
  const contents: Contents = {
    base: base === undefined ? {} : (await loadObject(readerOf(context), 'snapshot', base)).content,
    ours: ours.snapshot.content,
    theirs: theirs.snapshot.content,
  };
  const result: Result = { ours: ours.id, theirs: theirs.id, metadata: options.metadata };
  // Nothing is stored before it is known that the whole can be.
  const planned = await mergeContents(contents, { load, put: idOf });
  if (planned.conflicts.length > 0 && favour === undefined)
    return Object.freeze({ ...report, outcome: 'conflicts', conflicts: planned.conflicts });
  const { conflicts } = planned;
  if (dryRun) {
    const { content } = favour === 'theirs' ? await mergeContents(swapped(contents), { load, put: idOf }) : planned;
    return Object.freeze({ ...report, outcome: 'merged', id: objectId(snapshotOf(content, result)), conflicts });
  }
  const id = await store(context, { contents: favour === 'theirs' ? swapped(contents) : contents, result, move });
  return Object.freeze({ ...report, outcome: 'merged', id, conflicts });
}

interface Contents {
  readonly base: Partial<SnapshotContent>;
  readonly ours: SnapshotContent;
  readonly theirs: SnapshotContent;
}

/** What the merged snapshot has beside its content. */
interface Result {
  readonly ours: string;
  readonly theirs: string;
  readonly metadata: JsonObject | undefined;
}

interface Access {
  readonly load: LoadObjects;
  readonly put: PutObject<TreeObject>;
}

interface MergedContent {
  readonly content: SnapshotContent;
  readonly conflicts: readonly SnapshotConflict[];
}

async function idOf(node: TreeObject): Promise<string> {
  return objectId(node);
}

/** What is kept in a conflict is that of ours. */
function swapped({ base, ours, theirs }: Contents): Contents {
  return { base, ours: theirs, theirs: ours };
}

function snapshotOf(content: SnapshotContent, { ours, theirs, metadata }: Result): SnapshotObject {
  return createSnapshot({ ...content, parent: ours, merged: [theirs], metadata });
}

async function store(
  context: GraphContext,
  what: {
    readonly contents: Contents;
    readonly result: Result;
    readonly move: (to: ObjectReference) => readonly Change[];
  },
): Promise<string> {
  const writer = new ObjectWriter(context.engine, context.scope);
  const put = async (object: TreeObject | SnapshotObject): Promise<string> => {
    context.signal?.throwIfAborted();
    // Nodes are put one by one: nothing else is on its way.
    await writer.commitIfFull();
    return (await writer.put(object)).reference.id;
  };
  try {
    const { content } = await mergeContents(what.contents, { load: readerOf(context).load, put });
    const id = await put(snapshotOf(content, what.result));
    await writer.commit(what.move({ type: 'snapshot', id }));
    return id;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function mergeContents(contents: Contents, access: Access): Promise<MergedContent> {
  const tree = await mergePart('tree', contents, access);
  const entries = await mergePart('entries', contents, access);
  const root = tree.id === undefined ? { fields: {}, conflicts: [] } : mergeRoot(contents);
  const { base, ours, theirs } = contents;
  const lists = [base.bundles, ours.bundles, theirs.bundles] as const;
  const merged = mergeBundles(lists[0] ?? [], lists[1] ?? [], lists[2] ?? []);
  const isNothing = tree.id === undefined && entries.id === undefined;
  const hasBundles = isNothing || lists.slice(1).some((list) => list !== undefined);
  const order: readonly SnapshotConflict[] =
    merged.conflicts.length > 0 ? [{ part: 'bundles', path: '', reason: 'order' }] : [];
  return {
    content: {
      ...(tree.id !== undefined && { tree: tree.id }),
      ...root.fields,
      ...(entries.id !== undefined && { entries: entries.id }),
      ...(hasBundles && { bundles: merged.bundles }),
    },
    conflicts: [...root.conflicts, ...tree.conflicts, ...entries.conflicts, ...order],
  };
}

async function mergePart(
  part: 'tree' | 'entries',
  contents: Contents,
  { load, put }: Access,
): Promise<{ readonly id: string | undefined; readonly conflicts: readonly SnapshotConflict[] }> {
  const [base, ours, theirs] = [contents.base[part], contents.ours[part], contents.theirs[part]];
  if (ours === theirs || theirs === base) return { id: ours, conflicts: [] };
  if (ours === base) return { id: theirs, conflicts: [] };
  const { id, conflicts } = await mergeTrees({ base, ours, theirs }, load, put);
  return { id, conflicts: conflicts.map((one) => toConflict(part, one)) };
}

function toConflict(part: 'tree' | 'entries', { path, ...others }: TreeConflict): SnapshotConflict {
  return Object.freeze({ part, path: formatTreePath(path), ...others });
}

/** Mode and time of the folder itself; a later time wins. */
function mergeRoot({ base, ours, theirs }: Contents): {
  readonly fields: Pick<SnapshotContent, 'rootMode' | 'rootMtime'>;
  readonly conflicts: readonly SnapshotConflict[];
} {
  const [oursChanged, theirsChanged] = [ours.rootMode !== base.rootMode, theirs.rootMode !== base.rootMode];
  const rootMode = theirsChanged && !oursChanged ? theirs.rootMode : ours.rootMode;
  const isConflict = oursChanged && theirsChanged && ours.rootMode !== theirs.rootMode;
  // Text of one length: the later one sorts behind.
  const [, rootMtime] = [ours.rootMtime ?? '', theirs.rootMtime ?? ''].sort();
  return {
    fields: { ...(rootMode !== undefined && { rootMode }), ...(rootMtime && { rootMtime }) },
    conflicts: isConflict ? [{ part: 'tree', path: '', reason: 'mode' }] : [],
  };
}
