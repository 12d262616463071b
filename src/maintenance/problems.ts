import { isStoreError } from '../errors/store-error.ts';

/** One thing that is wrong with a store, as reports list it. */
export interface Problem {
  /** Code of the error a reader would get. */
  readonly code: string;
  readonly message: string;
  readonly key?: string;
  readonly digest?: string;
  readonly packId?: string;
}

/** Listed in full up to here: a store with a lost disk must not fill the memory with its problems. */
const LISTED_MAX = 1000;

const TOLD_KINDS: ReadonlySet<string> = new Set(['corrupt', 'unavailable']);
/** What damage looks like where a name is sealed: a pack claims an epoch or a namespace that the store has not. */
const UNKNOWN_KEYS = ['EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE'] as const;

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

  /**
   * Takes an error that says something about the store; every other one is thrown on. Damage is a problem; what could
   * not be reached is one too, and was not looked at.
   */
  addError(error: unknown, about: { readonly key?: string; readonly packId?: string } = {}): void {
    const isProblem = isStoreError(error, ...UNKNOWN_KEYS) || (isStoreError(error) && TOLD_KINDS.has(error.kind));
    if (!isProblem) throw error;
    if (error.kind === 'unavailable') this.#unseen += 1;
    const { key, digest, packId } = { ...error.details, ...about };
    this.add({
      code: error.code,
      message: error.message,
      ...(key !== undefined && { key }),
      ...(digest !== undefined && { digest }),
      ...(packId !== undefined && { packId }),
    });
  }
}
