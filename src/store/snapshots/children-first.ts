import { isStoreError } from '../../errors/store-error.ts';
import { OBJECT_LOAD_BATCH } from '../../limits.ts';
import {
  type LoadObjects,
  type ObjectReference,
  objectMissing,
  parentsOf,
  referenceKey,
  referencesOf,
  type StructuredObject,
} from '../../objects/index.ts';

/** Raw blobs, or one object all of whose references came before. */
export type ChildrenFirstStep =
  | { readonly blobs: readonly ObjectReference[] }
  | { readonly reference: ObjectReference; readonly object: StructuredObject };

/** What waits on the way. Parents of a snapshot come before the rest of it, which is looked at again then. */
type Waiting =
  | { readonly kind: 'enter' | 'rest'; readonly reference: ObjectReference }
  | { readonly kind: 'leave'; readonly reference: ObjectReference; readonly object: StructuredObject };

/**
 * Everything reachable from a snapshot, each once, what is referred to before what refers to it. Without recursion: chains
 * of any length are fine, and of a chain of snapshots only ids are held while it is followed. What is held are the ids that
 * were seen, and the trees of one path.
 * @param options `history`: the parents of the snapshot itself, too
 * @throws `corrupt/OBJECT_MISSING`, `corrupt/OBJECT_CORRUPT`, and what the loader throws
 */
export async function* childrenFirst(
  id: string,
  load: LoadObjects,
  { history }: { readonly history: boolean },
): AsyncGenerator<ChildrenFirstStep, void, undefined> {
  const root: ObjectReference = { type: 'snapshot', id };
  const seen = new Set<string>();
  const stack: Waiting[] = [{ kind: 'enter', reference: root }];
  for (let waiting = stack.pop(); waiting; waiting = stack.pop()) {
    const { kind, reference } = waiting;
    if (kind === 'leave') {
      yield { reference, object: waiting.object };
      continue;
    }
    if (kind === 'enter') {
      if (seen.has(referenceKey(reference))) continue;
      seen.add(referenceKey(reference));
    }
    const next = stack
      .slice(1 - OBJECT_LOAD_BATCH)
      .filter((one) => one.kind === 'rest' || !seen.has(referenceKey(one.reference)));
    const object = await loadWithNext(
      reference,
      next.map((one) => one.reference),
      load,
    );
    const parents = object.type === 'snapshot' && (history || reference.id !== id) ? parentsOf(object) : [];
    if (kind === 'enter' && parents.length > 0) {
      stack.push({ kind: 'rest', reference });
      for (const parent of parents) stack.push({ kind: 'enter', reference: { type: 'snapshot', id: parent } });
      continue;
    }
    const blobs: ObjectReference[] = [];
    stack.push({ kind: 'leave', reference, object });
    for (const one of referencesOf(object)
      .filter((other) => !isParent(object, other))
      .reverse()) {
      if (seen.has(referenceKey(one))) continue;
      if (one.type !== 'raw') stack.push({ kind: 'enter', reference: one });
      else {
        seen.add(referenceKey(one));
        blobs.push(one);
      }
    }
    if (blobs.length > 0) yield { blobs: blobs.reverse() };
  }
}

function isParent(object: StructuredObject, { type, id }: ObjectReference): boolean {
  return object.type === 'snapshot' && type === 'snapshot' && parentsOf(object).includes(id);
}

/** Loads an object, and with it those that come next, which the loader remembers. */
async function loadWithNext(
  reference: ObjectReference,
  next: readonly ObjectReference[],
  load: LoadObjects,
): Promise<StructuredObject> {
  const [object] = await load([reference, ...next]);
  if (object === undefined) throw objectMissing(reference.id, reference.type);
  if (isStoreError(object)) throw object;
  return object;
}
