/** Bundles in and out: a list of them becomes a snapshot, a snapshot grows by some, and gives back its own in order. */
import { argumentTypeError } from '../../errors/argument-error.ts';
import { OBJECT_LOAD_BATCH } from '../../limits.ts';
import {
  type BundleObject,
  createBundle,
  createSnapshot,
  type JsonObject,
  type JsonValue,
  type SnapshotObject,
} from '../../objects/index.ts';
import { wrongType } from '../objects/object-store.ts';
import { ObjectWriter, type WrittenObject } from '../objects/object-writer.ts';
import { findSnapshot, type GraphContext, loadObject, planMove, readerOf, refOrNowhere } from './graph-context.ts';
import type { BundleImport, BundleImportOptions, ExportedBundle, RefMoveOptions } from './graph-types.ts';

/**
 * Puts bundles and a snapshot of them, in their order: one commit while they are few, else the snapshot comes with the
 * last. A ref that is the parent's own address is moved from the parent or not at all, so that nobody's bundles are lost.
 * @throws `invalid/OBJECT_INVALID`, `not-found/OBJECT_NOT_FOUND`, `not-found/REF_NOT_FOUND`, `invalid/REF_INVALID`,
 *   `conflict/PRECONDITION_FAILED`; `denied/READ_ONLY`
 */
export async function importBundles(
  context: GraphContext,
  contents: readonly JsonObject[],
  options: BundleImportOptions = {},
): Promise<BundleImport> {
  const { parent: address, metadata, ref, message, expected } = options;
  const parent = address === undefined ? undefined : await findSnapshot(context, address);
  const from = expected === undefined && parent?.ref !== undefined && parent.ref === ref ? parent.id : expected;
  return await putBundles(context, contents, {
    move: { ref, message, expected: from },
    snapshot: (bundles) => createSnapshot({ bundles, parent: parent?.id, metadata }),
  });
}

/**
 * Puts further bundles and a snapshot that holds all that one holds, and these behind its own. That one is its parent.
 * @param options a ref is moved from the parent, or from nowhere, unless `expected` says otherwise
 * @throws as {@link importBundles}
 */
export async function extendSnapshot(
  context: GraphContext,
  address: string,
  contents: readonly JsonObject[],
  options: RefMoveOptions & { readonly metadata?: JsonObject | undefined } = {},
): Promise<BundleImport> {
  const parent = await findSnapshot(context, address);
  const { metadata, ref, message } = options;
  const expected = options.expected === undefined ? await refOrNowhere(context, ref, parent.id) : options.expected;
  const { parent: _before, merged: _others, bundles: own = [], ...rest } = parent.snapshot.content;
  return await putBundles(context, contents, {
    move: { ref, message, expected },
    snapshot: (bundles) => createSnapshot({ ...rest, bundles: [...own, ...bundles], parent: parent.id, metadata }),
  });
}

async function putBundles(
  context: GraphContext,
  contents: readonly JsonObject[],
  how: { readonly move: RefMoveOptions; readonly snapshot: (bundles: readonly string[]) => SnapshotObject },
): Promise<BundleImport> {
  if (!Array.isArray(contents)) throw argumentTypeError('contents', 'an array of JSON objects', contents);
  context.engine.assertWritable();
  const move = await planMove(context, how.move);
  const writer = new ObjectWriter(context.engine, context.scope);
  const put = async (object: BundleObject | SnapshotObject): Promise<WrittenObject['reference']> => {
    context.signal?.throwIfAborted();
    return (await writer.put(object, { verifyExisting: true })).reference;
  };
  try {
    const bundles: string[] = [];
    for (const content of contents) {
      await writer.commitIfFull();
      bundles.push((await put(createBundle(content))).id);
    }
    const reference = await put(how.snapshot(bundles));
    await writer.commit(move(reference));
    return Object.freeze({ id: reference.id, bundles: Object.freeze(bundles), ...writer.stored });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/**
 * The bundles that a snapshot itself holds, in order, not those of its parents. One that stands there twice comes twice.
 * @param address of the snapshot; one without bundles gives none
 * @throws `not-found/*`, `invalid/OBJECT_WRONG_TYPE`, `corrupt/*`
 */
export async function* exportBundles(
  context: GraphContext,
  address: string,
): AsyncGenerator<ExportedBundle, void, undefined> {
  const { snapshot } = await findSnapshot(context, address);
  const { bundles = [] } = snapshot.content;
  const reader = readerOf(context);
  for (let start = 0; start < bundles.length; start += OBJECT_LOAD_BATCH) {
    context.signal?.throwIfAborted();
    const ids = bundles.slice(start, start + OBJECT_LOAD_BATCH);
    // Read together; what is damaged is told one by one.
    await reader.load(ids.map((id) => ({ type: 'bundle', id })));
    for (const id of ids) yield Object.freeze({ id, bundle: await loadObject(reader, 'bundle', id) });
  }
}

/**
 * A snapshot of nothing but bundles as one JSON text: `{bundles, snapshot, snapshot_hash}`, indented by two, names
 * sorted. Each bundle is there once, under its id.
 * @throws as {@link exportBundles}; `invalid/OBJECT_WRONG_TYPE` for a snapshot of a folder or of entries, too
 */
export async function* exportSnapshotJson(
  context: GraphContext,
  address: string,
): AsyncGenerator<string, void, undefined> {
  const { id, snapshot } = await findSnapshot(context, address);
  const { tree, entries, bundles = [] } = snapshot.content;
  if (tree !== undefined || entries !== undefined)
    throw wrongType({ type: 'snapshot', id }, 'one of nothing but bundles, as this text holds');
  const reader = readerOf(context);
  const ids = [...new Set(bundles)].sort();
  yield '{\n  "bundles": {';
  for (const [index, bundle] of ids.entries()) {
    context.signal?.throwIfAborted();
    yield `${index === 0 ? '' : ','}\n    "${bundle}": ${indented(await loadObject(reader, 'bundle', bundle), 4)}`;
  }
  yield `${ids.length === 0 ? '' : '\n  '}},\n  "snapshot": ${indented(snapshot, 2)},\n  "snapshot_hash": "${id}"\n}\n`;
}

function indented(object: BundleObject | SnapshotObject, spaces: number): string {
  return JSON.stringify(sorted(object as unknown as JsonValue), null, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`);
}

/** With the names of every object in order, as far as JavaScript keeps one: whole numbers come first. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted((value as JsonObject)[name] as JsonValue)]));
}
