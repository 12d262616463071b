import { BACKEND_LIST_PAGE_MAX } from '../limits.ts';
import type { Backend, BlobInfo, ListOptions } from './contract.ts';

/** Every blob under a prefix in byte order, page by page: memory stays that of one page. */
export async function* listAll(
  backend: Pick<Backend, 'list'>,
  options: Omit<ListOptions, 'limit'> = {},
): AsyncGenerator<BlobInfo> {
  let after = options.after;
  for (;;) {
    const page = await backend.list({
      ...options,
      limit: BACKEND_LIST_PAGE_MAX,
      ...(after !== undefined && { after }),
    });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < BACKEND_LIST_PAGE_MAX) return;
    after = last.key;
  }
}
