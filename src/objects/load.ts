import { invariant, isStoreError, type StoreError } from '../errors/store-error.ts';
import { objectCorrupt, objectMissing } from './object-error.ts';
import type { ObjectReference, ObjectType, StructuredObject } from './types.ts';

/** What there is for a reference: the object, nothing at all, or why it cannot be read. */
export type Loaded = StructuredObject | undefined | StoreError;

/**
 * Gives objects for references, in their order. Raw blobs are never asked for. What one of them lacks is told in its
 * place; the call rejects only for what concerns all of them, such as an aborted signal.
 */
export type LoadObjects = (references: readonly ObjectReference[]) => Promise<readonly Loaded[]>;

/**
 * Stores an object and gives its id, once for every object that is made.
 */
export type PutObject<T extends StructuredObject = StructuredObject> = (object: T) => Promise<string>;

/** {@link LoadObjects} with an answer for every reference: an object of the right type, or why there is none. */
export async function loadEach(
  references: readonly ObjectReference[],
  load: LoadObjects,
): Promise<readonly (StructuredObject | StoreError)[]> {
  if (references.length === 0) return [];
  const loaded = await load(references);
  invariant(loaded.length === references.length, 'a loader answers for every reference');
  return references.map((reference, index) => judged(reference, loaded[index]));
}

function judged({ type, id }: ObjectReference, loaded: Loaded): StructuredObject | StoreError {
  if (loaded === undefined) return objectMissing(id, type);
  if (isStoreError(loaded)) return loaded;
  return loaded.type === type ? loaded : objectCorrupt(id, `is a ${loaded.type} and not a ${type}`);
}

/**
 * Objects of one type.
 * @throws the first error, `corrupt/OBJECT_MISSING` and `corrupt/OBJECT_CORRUPT` among others
 */
export async function loadAll<T extends ObjectType>(
  type: T,
  ids: readonly string[],
  load: LoadObjects,
): Promise<readonly Extract<StructuredObject, { type: T }>[]> {
  const loaded = await loadEach(
    ids.map((id) => ({ type, id })),
    load,
  );
  for (const one of loaded) if (isStoreError(one)) throw one;
  return loaded as readonly Extract<StructuredObject, { type: T }>[];
}

/** One object of a type. @throws as {@link loadAll} */
export async function loadOne<T extends ObjectType>(
  type: T,
  id: string,
  load: LoadObjects,
): Promise<Extract<StructuredObject, { type: T }>> {
  const [object] = await loadAll(type, [id], load);
  invariant(object !== undefined, 'one object was asked for');
  return object;
}
