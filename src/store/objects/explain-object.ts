/** Why an object is kept: the refs, and the moves of refs, from which it is reached, each with one way down to it. */
import { isStoreError, type StoreError } from '../../errors/store-error.ts';
import { LIFELINES_LISTED_MAX, OBJECT_LOAD_BATCH } from '../../limits.ts';
import {
  type LoadObjects,
  type ObjectReference,
  referenceKey,
  referencesOf,
  type StructuredObject,
} from '../../objects/index.ts';
import { namedObjects } from './named-objects.ts';
import { ObjectReader } from './object-reader.ts';
import type { Explanation, Lifeline } from './object-types.ts';
import type { RefsOf } from './ref-rows.ts';

/** Loads each object that refs lead to at most once. */
export async function explainObject(of: RefsOf, target: ObjectReference): Promise<Omit<Explanation, 'object'>> {
  const { load } = new ObjectReader(of.engine, of.scope, of.signal);
  const search = new Search(target, load);
  const lifelines: Lifeline[] = [];
  let lifelineCount = 0;
  for await (const { reference, by } of namedObjects(of)) {
    of.signal?.throwIfAborted();
    if (reference === undefined || !(await search.leadsFrom(reference))) continue;
    lifelineCount += 1;
    if (lifelines.length < LIFELINES_LISTED_MAX)
      lifelines.push(Object.freeze({ root: Object.freeze(by), path: Object.freeze(search.pathFrom(reference)) }));
  }
  return { lifelines: Object.freeze(lifelines), lifelineCount, unreadable: search.unreadable };
}

/** An object on the way down, and its references that were not followed yet. */
interface Frame {
  readonly reference: ObjectReference;
  readonly children: readonly ObjectReference[];
  at: number;
  /** Loaded ahead, by key. */
  readonly loaded: Map<string, StructuredObject | StoreError | undefined>;
}

/** Depth first and without recursion, so that what was learned of an object serves everything that refers to it. */
class Search {
  readonly #target: ObjectReference;
  readonly #load: LoadObjects;
  /** Of objects that were looked at: where to go on from there, `null` where nothing leads to the target. */
  readonly #next = new Map<string, ObjectReference | null>();
  #unreadable = 0;

  constructor(target: ObjectReference, load: LoadObjects) {
    this.#target = target;
    this.#load = load;
  }

  /** Objects that are missing or corrupt: where they led cannot be told. */
  get unreadable(): number {
    return this.#unreadable;
  }

  async leadsFrom(root: ObjectReference): Promise<boolean> {
    if (this.#isTarget(root)) return true;
    if (!this.#mayLead(root)) return false;
    if (this.#next.get(referenceKey(root)) === undefined) {
      const [object] = await this.#load([root]);
      await this.#descend(this.#enter(root, object));
    }
    return this.#next.get(referenceKey(root)) !== null;
  }

  /** Of a root that leads there. */
  pathFrom(root: ObjectReference): ObjectReference[] {
    const path = [root];
    for (let at = root; !this.#isTarget(at); ) {
      const next = this.#next.get(referenceKey(at));
      if (!next) break;
      path.push(next);
      at = next;
    }
    return path.map((one) => Object.freeze({ ...one }));
  }

  async #descend(first: Frame): Promise<void> {
    const stack = [first];
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const key = referenceKey(frame.reference);
      const child = frame.children[frame.at];
      if (child === undefined || this.#next.get(key)) {
        stack.pop();
        continue;
      }
      const known = this.#isTarget(child) ? child : this.#next.get(referenceKey(child));
      if (known) this.#next.set(key, child);
      else if (known === null) frame.at += 1;
      else stack.push(this.#enter(child, await this.#loadChild(frame, child)));
    }
  }

  async #loadChild(frame: Frame, child: ObjectReference): Promise<StructuredObject | StoreError | undefined> {
    const { children, at, loaded } = frame;
    const key = referenceKey(child);
    if (!loaded.has(key)) {
      const fresh = children.slice(at).filter((one) => this.#next.get(referenceKey(one)) === undefined);
      const batch = fresh.slice(0, OBJECT_LOAD_BATCH);
      const objects = await this.#load(batch);
      for (const [index, one] of batch.entries()) loaded.set(referenceKey(one), objects[index]);
    }
    const object = loaded.get(key);
    loaded.delete(key);
    return object;
  }

  #enter(reference: ObjectReference, object: StructuredObject | StoreError | undefined): Frame {
    this.#next.set(referenceKey(reference), null);
    const isReadable = object !== undefined && !isStoreError(object);
    if (!isReadable) this.#unreadable += 1;
    const children = isReadable ? referencesOf(object).filter((one) => this.#mayLead(one)) : [];
    return { reference, children, at: 0, loaded: new Map() };
  }

  #isTarget(reference: ObjectReference): boolean {
    return referenceKey(reference) === referenceKey(this.#target);
  }

  /** Bytes and bundles refer to nothing, and a blob with metadata to nothing but bytes. */
  #mayLead(reference: ObjectReference): boolean {
    if (this.#isTarget(reference)) return true;
    if (reference.type === 'blob') return this.#target.type === 'raw';
    return reference.type === 'tree' || reference.type === 'snapshot';
  }
}
