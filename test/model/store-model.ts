/** What a store is meant to do, over a plain map: small enough to be read as the meaning of its methods. */
import type { Content } from '../support/operations.ts';

/** A change of entries, with what it asks of the state it meets. */
export type ModelChange =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly content: Content;
      /** Only where there is none, only the version that is there, or only one that is not. */
      readonly only?: 'absent' | 'present' | 'stale' | undefined;
    }
  | { readonly type: 'delete'; readonly key: string; readonly only?: 'present' | 'stale' | undefined }
  | { readonly type: 'rename' | 'copy'; readonly from: string; readonly to: string; readonly replace: boolean };

/** How a change ends: `ok`, or the code of the error that a caller gets. */
export type Outcome = 'ok' | 'ENTRY_NOT_FOUND' | 'ENTRY_EXISTS' | 'PRECONDITION_FAILED';

export class StoreModel {
  #entries = new Map<string, Content>();

  get entries(): ReadonlyMap<string, Content> {
    return this.#entries;
  }

  /** Makes one change, or tells why not and leaves everything as it is. */
  change(change: ModelChange): Outcome {
    switch (change.type) {
      case 'put': {
        const outcome = this.#meets(change.key, change.only);
        if (outcome === 'ok') this.#entries.set(change.key, change.content);
        return outcome;
      }
      case 'delete': {
        const outcome = this.#meets(change.key, change.only);
        if (outcome === 'ok') this.#entries.delete(change.key);
        return outcome;
      }
      default:
        return this.#move(change);
    }
  }

  /** Makes all changes in their order, or none. */
  batch(changes: readonly ModelChange[]): Outcome {
    const before = new Map(this.#entries);
    for (const change of changes) {
      const outcome = this.change(change);
      if (outcome === 'ok') continue;
      this.#entries = before;
      return outcome;
    }
    return 'ok';
  }

  #meets(key: string, only: 'absent' | 'present' | 'stale' | undefined): Outcome {
    if (only === undefined) return 'ok';
    const isThere = this.#entries.has(key);
    if (only === 'absent') return isThere ? 'ENTRY_EXISTS' : 'ok';
    return only === 'present' && isThere ? 'ok' : 'PRECONDITION_FAILED';
  }

  #move({ type, from, to, replace }: Extract<ModelChange, { readonly replace: boolean }>): Outcome {
    const content = this.#entries.get(from);
    if (content === undefined) return 'ENTRY_NOT_FOUND';
    if (this.#entries.has(to) && !replace) return 'ENTRY_EXISTS';
    if (from === to) return 'ok';
    if (type === 'rename') this.#entries.delete(from);
    this.#entries.set(to, content);
    return 'ok';
  }
}
