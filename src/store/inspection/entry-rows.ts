import { LIST_PAGE_DEFAULT } from '../../limits.ts';
import type { EntryRow, Metadata } from '../../metadata/contract.ts';

/** Rows of entries in order of their keys, page by page: a later page may be a newer state. */
export async function* entryRows(
  metadata: Metadata,
  page: { readonly prefix: Uint8Array; readonly after?: Uint8Array | undefined; readonly signal?: AbortSignal },
): AsyncGenerator<EntryRow> {
  const { prefix, signal } = page;
  const query = { limit: LIST_PAGE_DEFAULT, ...(prefix.length > 0 && { prefix }) };
  let { after } = page;
  for (;;) {
    signal?.throwIfAborted();
    const options = signal && { signal };
    const rows = await metadata.listEntries({ ...query, ...(after && { after: { key: after } }) }, options);
    yield* rows;
    after = rows.at(-1)?.key;
    if (after === undefined || rows.length < LIST_PAGE_DEFAULT) return;
  }
}
