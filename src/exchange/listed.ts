import { FINDINGS_LISTED_MAX } from '../limits.ts';

/** Counts what was found, and keeps the first of it: a folder full of damage must not fill the memory. */
export class Listed<T> {
  readonly #items: T[] = [];
  #count = 0;

  get items(): readonly T[] {
    return this.#items;
  }

  get count(): number {
    return this.#count;
  }

  add(item: T): void {
    this.#count += 1;
    if (this.#items.length < FINDINGS_LISTED_MAX) this.#items.push(item);
  }
}
