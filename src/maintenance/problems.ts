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
    if (!isStoreError(error) || (error.kind !== 'corrupt' && error.kind !== 'unavailable')) throw error;
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
