/** Has every key page an entry? An isolated put that was interrupted leaves one that nobody needs. */
import { listAll } from '../backend/list-all.ts';
import { decodeEntryRow, KEY_PAGES_PREFIX, keyPageKey } from '../format/index.ts';
import type { EntryRow } from '../metadata/contract.ts';
import type { CheckedStore } from './checked-store.ts';
import { type Garbage, stillThere } from './garbage.ts';

/** The key pages of a store, less those of the entries that were seen. */
export class KeyPageCheck {
  readonly #store: CheckedStore;
  /** Sizes by backend key. */
  readonly #left: Map<string, number>;

  private constructor(store: CheckedStore, left: Map<string, number>) {
    this.#store = store;
    this.#left = left;
  }

  /** To be begun before entries are listed: what is put from then on has no part in it. */
  static async begin(store: CheckedStore, signal?: AbortSignal): Promise<KeyPageCheck> {
    const left = new Map<string, number>();
    if (store.config.keys === 'none') return new KeyPageCheck(store, left);
    for await (const { key, bytes } of listAll(store.backend, { prefix: KEY_PAGES_PREFIX, ...(signal && { signal }) }))
      left.set(key, bytes);
    return new KeyPageCheck(store, left);
  }

  saw({ entry }: EntryRow): void {
    const decoded = decodeEntryRow(entry);
    if ('isolated' in decoded) this.#left.delete(keyPageKey(decoded.isolated.namespace));
  }

  /** Pages that nothing refers to, unless they were destroyed since, or are to be. */
  async garbage(): Promise<Garbage> {
    const { metadata, backend } = this.#store;
    for (let after = -1; ; ) {
      const page = await metadata.pendingShreds({ after });
      const last = page.at(-1);
      if (last === undefined) break;
      for (const namespace of page) this.#left.delete(keyPageKey(namespace));
      after = last;
    }
    const garbage = { blobs: 0, bytes: 0 };
    for await (const { bytes } of stillThere(backend, this.#left)) {
      garbage.blobs += 1;
      garbage.bytes += bytes;
    }
    return garbage;
  }
}
