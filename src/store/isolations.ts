import { isStoreError } from '../errors/store-error.ts';
import { isDefinite } from './health.ts';
import type { IsolatedPut } from './scopes.ts';

/**
 * The keys that one change makes for isolated entries, until it is known what became of it. A key is destroyed only
 * when nothing can refer to it: while that is in doubt it stays, if perhaps for nobody.
 */
export class Isolations {
  readonly #drop: (namespace: number) => Promise<void>;
  #puts: IsolatedPut[] = [];
  #submitted = false;

  /** @param drop destroys the content and the key of a namespace of one */
  constructor(drop: (namespace: number) => Promise<void>) {
    this.#drop = drop;
  }

  add(put: IsolatedPut): void {
    this.#puts.push(put);
  }

  /** The change is about to be committed. */
  submit(): void {
    this.#submitted = true;
  }

  /** The change is committed. */
  settle(): void {
    this.#take();
  }

  /** The change has failed. @param error with which */
  async fail(error: unknown): Promise<void> {
    if (this.#submitted && !isRefusal(error)) return;
    for (const put of this.#take()) await this.#giveUp(put);
  }

  async #giveUp({ namespace }: IsolatedPut): Promise<void> {
    try {
      await this.#drop(namespace);
    } catch (error) {
      // Then it is garbage: nothing refers to it, and the caller is to learn why the change failed.
      if (!isStoreError(error)) throw error;
    }
  }

  #take(): readonly IsolatedPut[] {
    const taken = this.#puts;
    this.#puts = [];
    return taken;
  }
}

/** Whether an error of a commit says that nothing was committed. */
function isRefusal(error: unknown): boolean {
  return isDefinite(error) && !isStoreError(error, 'COMMIT_PENDING', 'CONFIG_PENDING');
}
