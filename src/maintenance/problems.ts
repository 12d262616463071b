import { isStoreError, type StoreError } from '../errors/store-error.ts';
import type { CheckedStore } from './checked-store.ts';

/** One thing that is wrong with a store, as reports list it. */
export interface Problem {
  /** Code of the error a reader would get; `LEAKED` for what takes space and harms nobody. */
  readonly code: string;
  readonly message: string;
  /** Where the entry, object or pack is; absent: in the default namespace, or in none in particular. */
  readonly namespace?: string;
  readonly key?: string;
  /** Id of the object that is missing, or cannot be read whole. */
  readonly object?: string;
  readonly digest?: string;
  readonly packId?: string;
}

/** What a problem is about. */
export type ProblemPlace = Pick<Problem, 'namespace' | 'key' | 'object' | 'packId'>;

/** Listed in full up to here: a store with a lost disk must not fill the memory with its problems. */
const LISTED_MAX = 1000;

const TOLD_KINDS: ReadonlySet<string> = new Set(['corrupt', 'unavailable']);
/** What damage looks like where a name is sealed: a pack claims an epoch or a namespace that the store has not. */
const UNKNOWN_KEYS = ['EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE'] as const;

/** Whether an error says something about the store. */
export function isProblem(error: unknown): error is StoreError {
  return isStoreError(error, ...UNKNOWN_KEYS) || (isStoreError(error) && TOLD_KINDS.has(error.kind));
}

/** Gathers problems; counts those it no longer lists. */
export class ProblemList {
  readonly #listed: Problem[] = [];
  #count = 0;
  #unseen = 0;

  get count(): number {
    return this.#count;
  }

  /** How many things could not be looked at. */
  get unseen(): number {
    return this.#unseen;
  }

  get listed(): readonly Problem[] {
    return this.#listed;
  }

  add(problem: Problem): void {
    this.#count += 1;
    if (this.#listed.length < LISTED_MAX) this.#listed.push(Object.freeze(problem));
  }

  /** Takes over what another list has. */
  addAll(other: ProblemList): void {
    this.#count += other.#count;
    this.#unseen += other.#unseen;
    this.#listed.push(...other.#listed.slice(0, Math.max(0, LISTED_MAX - this.#listed.length)));
  }

  /**
   * Takes an error that says something about the store; every other one is thrown on. Damage is a problem; what could
   * not be reached is one too, and was not looked at.
   */
  addError(error: unknown, about: ProblemPlace = {}): void {
    if (!isProblem(error)) throw error;
    if (error.kind === 'unavailable') this.#unseen += 1;
    const { key, object, digest, packId } = { ...error.details, ...about };
    const { namespace } = about;
    this.add({
      code: error.code,
      message: error.message,
      ...(namespace !== undefined && { namespace }),
      ...(key !== undefined && { key }),
      ...(object !== undefined && { object }),
      ...(digest !== undefined && { digest }),
      ...(packId !== undefined && { packId }),
    });
  }
}

/** How problems name a namespace. An isolated entry is a namespace of one, which has no name. */
export function placeIn(store: Pick<CheckedStore, 'namespaces'>, namespace = 0): Pick<Problem, 'namespace'> {
  const name = namespace === 0 ? undefined : store.namespaces.get(namespace);
  return name === undefined ? {} : { namespace: name };
}
