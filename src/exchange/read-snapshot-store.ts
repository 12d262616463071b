import { utf8Decode } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { KIB, SNAPSHOT_STORE_OBJECT_BYTES_MAX } from '../limits.ts';
import type { CallOptions } from '../store/types.ts';
import { isObjectId, parseSnapshotObject, referencesOf, type SnapshotStoreObject } from './snapshot-store-object.ts';
import { SourceFolder } from './source-folder.ts';

/** What a folder of snapshot-store gives: objects, each after those it refers to, then names, and what is wrong. */
export type SnapshotStoreItem =
  | { readonly kind: 'object'; readonly object: SnapshotStoreObject }
  | { readonly kind: 'ref'; readonly name: string; readonly id: string }
  /** An object or name that cannot be had, with its id where it has one. */
  | { readonly kind: 'failure'; readonly id?: string; readonly path: string; readonly error: unknown };

const OBJECTS = 'objects';
const REFS = 'snapshots';
const TEMPORARY = /(?:^|\/)\.tmp_[^/]*\.json$/;

function nameOf(id: string): string {
  return `${OBJECTS}/${id.slice(0, 2)}/${id}`;
}

/** Goes through the objects so that each comes after those it refers to. Holds ids and open references only. */
class ObjectWalk {
  readonly #folder: SourceFolder;
  readonly #signal: AbortSignal | undefined;
  readonly #ids = new Set<string>();
  readonly #states = new Map<string, 'open' | 'done' | 'failed'>();

  constructor(folder: SourceFolder, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Takes in which objects there are; what lies in the place of one is a failure. */
  async *find(): AsyncGenerator<SnapshotStoreItem> {
    for await (const file of this.#folder.walk(OBJECTS, this.#signal)) {
      // Left by a write that was interrupted.
      if (TEMPORARY.test(file.name)) continue;
      const id = file.name.slice(3);
      const path = this.#folder.path(`${OBJECTS}/${file.name}`);
      if ('error' in file) yield { kind: 'failure', path, error: file.error };
      else if (isObjectId(id) && file.name === `${id.slice(0, 2)}/${id}`) this.#ids.add(id);
      else yield { kind: 'failure', path, error: notAnObject(path) };
    }
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  async *objects(): AsyncGenerator<SnapshotStoreItem> {
    for (const id of this.#ids) if (!this.#states.has(id)) yield* this.#below(id);
  }

  /** One object after everything beneath it, without recursion: chains may be long. */
  async *#below(root: string): AsyncGenerator<SnapshotStoreItem> {
    const stack: { readonly id: string; readonly references: readonly string[]; next: number }[] = [];
    const enter = async (id: string): Promise<SnapshotStoreItem | undefined> => {
      this.#signal?.throwIfAborted();
      const object = await this.#read(id);
      if ('error' in object) return this.#failed(id, object.error);
      const references = referencesOf(object);
      if (references.every((one) => this.#states.get(one) === 'done')) return this.#finished(object);
      this.#states.set(id, 'open');
      stack.push({ id, references, next: 0 });
      return undefined;
    };
    const first = await enter(root);
    if (first) yield first;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const reference = top.references[top.next];
      top.next += 1;
      if (reference === undefined) {
        stack.pop();
        yield await this.#leave(top.id, top.references);
      } else if (!this.#states.has(reference) && this.#ids.has(reference)) {
        const item = await enter(reference);
        if (item) yield item;
      }
    }
  }

  /** Reads an object again whose references are all through: it was not kept meanwhile. */
  async #leave(id: string, references: readonly string[]): Promise<SnapshotStoreItem> {
    for (const reference of references) {
      const state = this.#states.get(reference);
      if (state !== 'done') return this.#failed(id, unmet(this.#folder.path(nameOf(id)), reference, state));
    }
    const object = await this.#read(id);
    return 'error' in object ? this.#failed(id, object.error) : this.#finished(object);
  }

  #finished(object: SnapshotStoreObject): SnapshotStoreItem {
    this.#states.set(object.id, 'done');
    return { kind: 'object', object };
  }

  #failed(id: string, error: unknown): SnapshotStoreItem {
    this.#states.set(id, 'failed');
    return { kind: 'failure', id, path: this.#folder.path(nameOf(id)), error };
  }

  async #read(id: string): Promise<SnapshotStoreObject | { readonly error: unknown }> {
    const name = nameOf(id);
    try {
      const bytes = await this.#folder.bytes(name, SNAPSHOT_STORE_OBJECT_BYTES_MAX, this.#signal);
      return parseSnapshotObject(bytes, id, this.#folder.path(name));
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return { error };
    }
  }
}

function notAnObject(path: string): Error {
  return storeError('IMPORT_CORRUPT', `${path} is no object of snapshot-store: its name is no digest`, {
    details: { path },
  });
}

function unmet(path: string, reference: string, state: 'open' | 'failed' | undefined): Error {
  const options = { details: { path, digest: reference } };
  if (state === 'failed') {
    return storeError('IMPORT_UNSUPPORTED', `${path} refers to ${reference}, which cannot be imported`, options);
  }
  const reason = state === 'open' ? 'refers to itself by way of' : 'refers to what is not there:';
  return storeError('IMPORT_CORRUPT', `${path} ${reason} ${reference}`, options);
}

/** Reads the file of a name. @throws `corrupt/IMPORT_CORRUPT` for what is no digest, or one of no object */
async function readRef(folder: SourceFolder, file: string, walk: ObjectWalk): Promise<string> {
  const path = folder.path(file);
  const text = decoded(await folder.bytes(file, KIB, undefined));
  const id = text?.replace(/\r?\n$/, '');
  if (!isObjectId(id)) throw storeError('IMPORT_CORRUPT', `${path} holds no digest`, { details: { path } });
  if (walk.has(id)) return id;
  throw storeError('IMPORT_CORRUPT', `${path} names ${id}, which is not there`, { details: { path, digest: id } });
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * Reads a folder that snapshot-store wrote. Every object is hashed over its bytes, with BLAKE3 or SHA-256, whichever its
 * name is: that was never recorded. Objects come after those they refer to, then the names of snapshots. What is
 * damaged, missing or refers to such a thing comes as a failure, and the rest goes on. Temporary files are passed by,
 * links are not followed, nothing is written. Memory: the ids, and one object at a time.
 *
 * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/SOURCE_INVALID` when it is no folder of snapshot-store; the signal's
 *   reason
 */
export async function* readSnapshotStore(
  folder: string,
  options: CallOptions = {},
): AsyncGenerator<SnapshotStoreItem, void, undefined> {
  if (typeof folder !== 'string') throw argumentTypeError('folder', 'a path', folder);
  const { signal } = options;
  signal?.throwIfAborted();
  const source = await SourceFolder.open(folder);
  if (!(await source.hasFolder(OBJECTS))) {
    throw storeError('SOURCE_INVALID', `${folder} is no snapshot-store: it has no folder ${OBJECTS}`, {
      details: { path: folder },
    });
  }
  const walk = new ObjectWalk(source, signal);
  yield* walk.find();
  yield* walk.objects();
  for await (const file of (await source.hasFolder(REFS)) ? source.walk(REFS, signal) : []) {
    const path = source.path(`${REFS}/${file.name}`);
    if ('error' in file) {
      yield { kind: 'failure', path, error: file.error };
      continue;
    }
    try {
      yield { kind: 'ref', name: file.name, id: await readRef(source, `${REFS}/${file.name}`, walk) };
    } catch (error) {
      if (!isStoreError(error)) throw error;
      yield { kind: 'failure', path, error };
    }
  }
}
