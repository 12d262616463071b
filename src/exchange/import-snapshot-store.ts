import { rename, unlink, writeFile } from 'node:fs/promises';
import { isStoreError, storeError } from '../errors/store-error.ts';
import type { JsonObject, ObjectType } from '../objects/index.ts';
import { systemCode } from '../runtime/file-system.ts';
import { randomId } from '../runtime/random.ts';
import type { Entries, ProgressOptions } from '../store/types.ts';
import { type ConvertContext, convertFields, type NumberChange } from './convert-json.ts';
import { sinkOf } from './entries-sink.ts';
import { Listed } from './listed.ts';
import { type NamingChange, nameChildren } from './name-children.ts';
import type { ObjectSink, SinkChild } from './object-sink.ts';
import { readSnapshotStore, type SnapshotStoreItem } from './read-snapshot-store.ts';
import { referencesOf, type SnapshotStoreObject } from './snapshot-store-object.ts';

/** How to import a folder of snapshot-store. */
export interface SnapshotStoreImportOptions extends ProgressOptions {
  /**
   * Integers beyond 2^53 - 1, which no number here holds: `exact` refuses the object that has one, `text` keeps them as
   * text. Default `exact`.
   */
  readonly numbers?: 'exact' | 'text';
  /** Where to write which id became which: a line of JSON `{"old","new","type"}` for each object. Replaced if there. */
  readonly mapFile?: string;
}

/** Something that is not as it was. */
export type SnapshotStoreDifference =
  | ({ readonly kind: 'number'; readonly id: string } & NumberChange)
  | { readonly kind: NamingChange; readonly id: string; readonly child: string };

/** An object or name that was not imported. */
export interface SnapshotStoreFailure {
  readonly id?: string;
  readonly path?: string;
  readonly name?: string;
  readonly error: unknown;
}

/** What was imported; failures and differences are counted all and listed up to 1,000. */
export interface SnapshotStoreImportReport {
  readonly objects: Readonly<Record<ObjectType, number>>;
  /** By which digest the old ids were. */
  readonly blake3: number;
  readonly sha256: number;
  readonly refs: number;
  readonly failed: number;
  readonly failures: readonly SnapshotStoreFailure[];
  readonly differences: readonly SnapshotStoreDifference[];
  readonly differenceCount: number;
  /** Every imported object: old id to new. */
  readonly ids: ReadonlyMap<string, { readonly id: string; readonly type: ObjectType }>;
}

/** Of one import: which object became which. */
class SnapshotStoreImport {
  readonly ids = new Map<string, { readonly id: string; readonly type: ObjectType }>();
  readonly differences = new Listed<SnapshotStoreDifference>();
  readonly #sink: ObjectSink;
  readonly #numbers: 'exact' | 'text';

  constructor(sink: ObjectSink, numbers: 'exact' | 'text') {
    this.#sink = sink;
    this.#numbers = numbers;
  }

  async put(object: SnapshotStoreObject): Promise<void> {
    for (const reference of referencesOf(object)) this.#idOf(reference, object);
    const differences: SnapshotStoreDifference[] = [];
    const context: ConvertContext = {
      numbers: this.#numbers,
      onChange: (change) => differences.push({ kind: 'number', id: object.id, ...change }),
    };
    const id = await this.#putContent(object, context, (kind, child) =>
      differences.push({ kind, id: object.id, child }),
    );
    this.ids.set(object.id, { id, type: object.content.type });
    for (const difference of differences) this.differences.add(difference);
  }

  async #putContent(
    object: SnapshotStoreObject,
    context: ConvertContext,
    onNaming: (change: NamingChange, child: string) => void,
  ): Promise<string> {
    const { content } = object;
    const { names, ...others } = object.metadata;
    const metadata = convertFields(content.type === 'tree' ? others : object.metadata, context);
    const kept: [] | [JsonObject] = Object.keys(metadata).length === 0 ? [] : [metadata];
    switch (content.type) {
      case 'blob':
        return this.#sink.putBlob(content.bytes, ...kept);
      case 'bundle':
        return this.#sink.putBundle(convertFields(content.value, context), ...kept);
      case 'tree': {
        const children: SinkChild[] = nameChildren(content.children, names, onNaming).map(({ name, oldId }) => ({
          name,
          ...this.#idOf(oldId, object),
        }));
        return this.#sink.putTree(children, ...kept);
      }
      case 'snapshot': {
        const bundles = content.bundles.map((bundle) => this.#idOf(bundle, object).id);
        const parent = content.parent === undefined ? {} : { parent: this.#idOf(content.parent, object).id };
        return this.#sink.putSnapshot({ bundles, ...parent }, ...kept);
      }
    }
  }

  #idOf(oldId: string, object: SnapshotStoreObject): { readonly id: string; readonly type: ObjectType } {
    const found = this.ids.get(oldId);
    if (found) return found;
    throw storeError('IMPORT_UNSUPPORTED', `${object.id} refers to ${oldId}, which could not be imported`, {
      details: { digest: oldId },
    });
  }

  async setRef(name: string, oldId: string): Promise<void> {
    const target = this.ids.get(oldId);
    if (target) return this.#sink.setRef(name, target);
    const message = `the snapshot ${JSON.stringify(name)} names ${oldId}, which could not be imported`;
    throw storeError('IMPORT_UNSUPPORTED', message, { details: { digest: oldId } });
  }
}

/** Whether an error concerns one object or name alone. */
function isOfOne(error: unknown): boolean {
  return isStoreError(error) && (error.kind === 'invalid' || error.code === 'IMPORT_UNSUPPORTED');
}

function named(item: SnapshotStoreItem): Omit<SnapshotStoreFailure, 'error'> {
  if (item.kind === 'object') return { id: item.object.id };
  return item.kind === 'ref' ? { id: item.id, name: item.name } : {};
}

function* linesOf(ids: SnapshotStoreImportReport['ids']): Generator<string> {
  for (const [old, { id, type }] of ids) yield `${JSON.stringify({ old, new: id, type })}\n`;
}

async function writeMap(file: string, ids: SnapshotStoreImportReport['ids']): Promise<void> {
  const temporary = `${file}.${randomId()}.tmp`;
  try {
    await writeFile(temporary, linesOf(ids), { flag: 'wx', flush: true });
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    const system = systemCode(error);
    if (system === undefined) throw error;
    throw storeError('LOCATION_INVALID', `${file} cannot be written (${system})`, {
      details: { path: file, system },
      cause: error,
    });
  }
}

/**
 * Imports a folder that snapshot-store wrote, through `readSnapshotStore`: blobs, bundles, trees and snapshots become
 * objects here, with other ids, and the names of snapshots become refs. What fails of one object is reported, together
 * with everything that refers to it; the others go on. Importing again puts the same objects and changes nothing.
 *
 * What cannot be kept as it was is listed: numbers whose text changes (`1.0` is `1`), children of trees that had no
 * usable name, their order. Memory: both ids of every object.
 *
 * @throws as `readSnapshotStore`; what the sink throws, unless it concerns one object; `invalid/LOCATION_INVALID` when
 *   the map cannot be written, everything else being done then
 */
export async function importObjects(
  folder: string,
  sink: ObjectSink,
  options: SnapshotStoreImportOptions = {},
): Promise<SnapshotStoreImportReport> {
  const work = new SnapshotStoreImport(sink, options.numbers ?? 'exact');
  const failures = new Listed<SnapshotStoreFailure>();
  const objects = { blob: 0, bundle: 0, tree: 0, snapshot: 0 };
  const algorithms = { blake3: 0, sha256: 0 };
  let refs = 0;
  let [done, bytes] = [0, 0];
  for await (const item of readSnapshotStore(folder, { ...(options.signal && { signal: options.signal }) })) {
    try {
      if (item.kind === 'failure') {
        const { kind: _, ...failure } = item;
        failures.add(failure);
      } else if (item.kind === 'ref') {
        await work.setRef(item.name, item.id);
        refs += 1;
      } else {
        await work.put(item.object);
        const { content, algorithm } = item.object;
        objects[content.type] += 1;
        algorithms[algorithm] += 1;
        if (content.type === 'blob') bytes += content.bytes.length;
      }
    } catch (error) {
      if (!isOfOne(error)) throw error;
      failures.add({ ...named(item), error });
    }
    done += 1;
    options.onProgress?.({ phase: 'import', done, bytes });
  }
  if (options.mapFile !== undefined) await writeMap(options.mapFile, work.ids);
  return {
    objects,
    ...algorithms,
    refs,
    failed: failures.count,
    failures: failures.items,
    differences: work.differences.items,
    differenceCount: work.differences.count,
    ids: work.ids,
  };
}

/**
 * Imports a folder of snapshot-store into the objects and refs of a store, or of a namespace; see `docs/exchange.md`. What
 * is there already stays as it is, so an import that was stopped is begun again.
 * @throws `not-found/SOURCE_NOT_FOUND`, and what putting objects throws but for what concerns one of them
 */
export function importSnapshotStore(
  entries: Pick<Entries, 'objects' | 'refs'>,
  folder: string,
  options: SnapshotStoreImportOptions = {},
): Promise<SnapshotStoreImportReport> {
  return importObjects(folder, sinkOf(entries), options);
}
