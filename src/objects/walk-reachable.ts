import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { OBJECT_LOAD_BATCH } from '../limits.ts';
import { type LoadObjects, loadEach } from './load.ts';
import { referencesOf, typedKey } from './references.ts';
import type { ObjectReference, StructuredObject } from './types.ts';

/** An object that a walk came to for the first time. */
export interface Reached {
  readonly reference: ObjectReference;
  /** What it is; raw blobs are not loaded. */
  readonly object?: StructuredObject;
  /** The object that led here; a root has none. */
  readonly referrer?: ObjectReference;
}

/** A reference that leads nowhere, or to something else than it says. */
export interface Unreachable {
  readonly reference: ObjectReference;
  readonly referrer?: ObjectReference;
  readonly error: StoreError;
}

/** Is told what a walk finds; the walk waits for promises. */
export interface ReachVisitor {
  /** Objects and raw blobs, each once; those of one call were found together. */
  reached?(found: readonly Reached[]): void | Promise<void>;
  /** What is missing or corrupt: once for every object that refers to it. The walk goes on elsewhere. */
  failed?(failure: Unreachable): void | Promise<void>;
}

interface Waiting {
  readonly reference: ObjectReference;
  /** All that refer to it, as far as they were seen. */
  readonly referrers: (ObjectReference | undefined)[];
}

/**
 * Goes through all that is reachable from some objects, without recursion and each object once: chains of any length and
 * objects with many referrers are fine; a cycle cannot be made, and would be gone through once. What is held are the ids
 * that were seen, the references of the path that is being walked, and a few loaded objects.
 * @throws what the loader throws as a whole, and what the visitor throws
 */
export async function walkReachable(
  roots: readonly ObjectReference[],
  load: LoadObjects,
  visitor: ReachVisitor,
): Promise<void> {
  const walk = new Walk(visitor);
  await walk.meet(roots, undefined);
  for (let batch = walk.take(); batch.length > 0; batch = walk.take()) {
    const loaded = await loadEach(
      batch.map(({ reference }) => reference),
      load,
    );
    for (const [index, waiting] of batch.entries()) {
      const object = loaded[index] as StructuredObject | StoreError;
      if (isStoreError(object)) await walk.fail(waiting, object);
      else await walk.enter(waiting, object);
    }
  }
}

/** Was gone through, or needs not to be. */
const DONE = 'done';

class Walk {
  readonly #visitor: ReachVisitor;
  /**
   * What was seen, by type and id: one that two objects say two things of is loaded for each, and fails for the wrong one.
   */
  readonly #seen = new Map<string, Waiting | StoreError | typeof DONE>();
  readonly #stack: Waiting[] = [];

  constructor(visitor: ReachVisitor) {
    this.#visitor = visitor;
  }

  /** The next to load: the newest first, so that what waits stays as short as paths are. */
  take(): readonly Waiting[] {
    return this.#stack.splice(-OBJECT_LOAD_BATCH).reverse();
  }

  async enter(waiting: Waiting, object: StructuredObject): Promise<void> {
    const { reference, referrers } = waiting;
    this.#seen.set(typedKey(reference), DONE);
    const [referrer] = referrers;
    await this.#visitor.reached?.([{ reference, object, ...(referrer && { referrer }) }]);
    await this.meet(referencesOf(object), reference);
  }

  async fail({ reference, referrers }: Waiting, error: StoreError): Promise<void> {
    this.#seen.set(typedKey(reference), error);
    for (const referrer of referrers) await this.#tell({ reference, referrer }, error);
  }

  /** References that were found in one object. */
  async meet(references: readonly ObjectReference[], referrer: ObjectReference | undefined): Promise<void> {
    const raw: Reached[] = [];
    const waiting: Waiting[] = [];
    for (const reference of references) {
      const key = typedKey(reference);
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        if (reference.type === 'raw') {
          this.#seen.set(key, DONE);
          raw.push({ reference, ...(referrer && { referrer }) });
          continue;
        }
        const one: Waiting = { reference, referrers: [referrer] };
        this.#seen.set(key, one);
        waiting.push(one);
      } else if (isStoreError(seen)) await this.#tell({ reference, referrer }, seen);
      else if (seen !== DONE) seen.referrers.push(referrer);
    }
    if (raw.length > 0) await this.#visitor.reached?.(raw);
    // In their own order, the first on top.
    this.#stack.push(...waiting.reverse());
  }

  async #tell(
    { reference, referrer }: { reference: ObjectReference; referrer: ObjectReference | undefined },
    error: StoreError,
  ): Promise<void> {
    await this.#visitor.failed?.({ reference, error, ...(referrer && { referrer }) });
  }
}
