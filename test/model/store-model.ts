/** What a store is meant to do, over plain maps: small enough to be read as the meaning of its methods. */
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

/** How a call ends: `ok`, or the code of the error that a caller gets. */
export const OUTCOMES = [
  'ENTRY_NOT_FOUND',
  'ENTRY_EXISTS',
  'PRECONDITION_FAILED',
  'ENTRY_ISOLATED',
  'QUOTA_EXCEEDED',
  'NAMESPACE_NOT_FOUND',
  'NAMESPACE_EXISTS',
] as const;
export type Outcome = 'ok' | (typeof OUTCOMES)[number];

/** The entries of one namespace. */
export class EntriesModel {
  #entries = new Map<string, Content>();
  /** Most bytes that entries may have together. */
  quotaBytes: number | undefined;

  get entries(): ReadonlyMap<string, Content> {
    return this.#entries;
  }

  get logicalBytes(): number {
    return [...this.#entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Makes all changes in their order, or tells why not and leaves everything as it is. */
  change(...changes: readonly ModelChange[]): Outcome {
    const [before, bytesBefore] = [new Map(this.#entries), this.logicalBytes];
    for (const change of changes) {
      const outcome = this.#change(change);
      if (outcome === 'ok') continue;
      this.#entries = before;
      return outcome;
    }
    const bytes = this.logicalBytes;
    if (bytes <= bytesBefore || bytes <= (this.quotaBytes ?? bytes)) return 'ok';
    this.#entries = before;
    return 'QUOTA_EXCEEDED';
  }

  #change(change: ModelChange): Outcome {
    if ('from' in change) return this.#move(change);
    const outcome = this.#meets(change.key, change.only);
    if (outcome !== 'ok') return outcome;
    if (change.type === 'put') this.#entries.set(change.key, change.content);
    else this.#entries.delete(change.key);
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
    if (type === 'copy' && content.isolated) return 'ENTRY_ISOLATED';
    if (from === to) return 'ok';
    if (type === 'rename') this.#entries.delete(from);
    this.#entries.set(to, content);
    return 'ok';
  }
}

/** A change of namespaces. */
export type NamespaceChange =
  | { readonly type: 'create' | 'quota'; readonly name: string; readonly quotaBytes: number | undefined }
  | { readonly type: 'drop'; readonly name: string };

/** A store: its namespaces, of which a plain one has only the default. */
export class StoreModel {
  readonly #namespaces = new Map([[DEFAULT_NAMESPACE, new EntriesModel()]]);

  get namespaces(): ReadonlyMap<string, EntriesModel> {
    return this.#namespaces;
  }

  change(namespace: string, ...changes: readonly ModelChange[]): Outcome {
    return this.#namespaces.get(namespace)?.change(...changes) ?? 'NAMESPACE_NOT_FOUND';
  }

  changeNamespace(change: NamespaceChange): Outcome {
    const found = this.#namespaces.get(change.name);
    if (change.type === 'create') {
      if (found) return 'NAMESPACE_EXISTS';
      const made = new EntriesModel();
      made.quotaBytes = change.quotaBytes;
      this.#namespaces.set(change.name, made);
      return 'ok';
    }
    if (found === undefined) return 'NAMESPACE_NOT_FOUND';
    if (change.type === 'quota') found.quotaBytes = change.quotaBytes;
    else this.#namespaces.delete(change.name);
    return 'ok';
  }
}

export const DEFAULT_NAMESPACE = 'default';
