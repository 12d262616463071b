/** Key pages on backends that lack them. */
import { listAll } from '../../backend/list-all.ts';
import { KEY_PAGES_PREFIX, keyPageKey } from '../../format/index.ts';
import type { Metadata } from '../../metadata/contract.ts';
import { type BackendLink, isUnreachable } from '../../placement/backend-link.ts';
import type { BackendSet } from '../../placement/backend-set.ts';

const SHREDS_PAGE = 1000;

/**
 * Gives backends the key pages that they lack: they joined, or were away, when those were written. No page comes back
 * whose entry was shredded: it is pending until its page is gone everywhere, and a copy of it is taken away again.
 * @returns how many copies were made
 */
export async function spreadKeyPages(backends: BackendSet, metadata: Metadata): Promise<number> {
  const holders = new Map<string, BackendLink>();
  const held = new Map<BackendLink, ReadonlySet<string>>();
  for (const link of backends.links) {
    const keys = await pagesOn(link);
    if (keys === undefined) continue;
    held.set(link, keys);
    for (const key of keys) if (!holders.has(key)) holders.set(key, link);
  }
  let copies = 0;
  for (const [key, from] of holders) {
    for (const [to, keys] of held) {
      if (keys.has(key) || !to.writable) continue;
      if (await copyPage(metadata, key, { from, to })) copies += 1;
    }
  }
  return copies;
}

/** @returns `undefined` for a backend that cannot be asked */
async function pagesOn(link: BackendLink): Promise<ReadonlySet<string> | undefined> {
  const keys = new Set<string>();
  try {
    await link.call('read', async (backend) => {
      for await (const { key } of listAll(backend, { prefix: KEY_PAGES_PREFIX })) keys.add(key);
    });
    return keys;
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

async function copyPage(
  metadata: Metadata,
  key: string,
  { from, to }: { readonly from: BackendLink; readonly to: BackendLink },
): Promise<boolean> {
  if (await isShredded(metadata, key)) return false;
  const page = await from.call('read', (backend) => backend.get(key));
  if (page === undefined) return false;
  await to.call('write', (backend) => backend.put(key, page));
  // Shredded meanwhile: who deletes it may have been here before us. Later than this he finds our copy.
  const isGone = (await from.call('read', (backend) => backend.head(key))) === undefined;
  if (!isGone && !(await isShredded(metadata, key))) return true;
  await to.call('write', (backend) => backend.delete(key));
  return false;
}

async function isShredded(metadata: Metadata, key: string): Promise<boolean> {
  for (let after: number | undefined; ; ) {
    const page = await metadata.pendingShreds({ limit: SHREDS_PAGE, ...(after !== undefined && { after }) });
    if (page.some((namespace) => keyPageKey(namespace) === key)) return true;
    after = page.at(-1);
    if (after === undefined) return false;
  }
}
