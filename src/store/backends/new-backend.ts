import type { Backend } from '../../backend/contract.ts';
import { listAll } from '../../backend/list-all.ts';
import { storeError } from '../../errors/store-error.ts';
import {
  type ConfigBackend,
  INBOX_PREFIX,
  JOURNAL_PREFIX,
  KEY_PAGES_PREFIX,
  PACKS_PREFIX,
  STORE_CONFIG_KEY,
} from '../../format/index.ts';
import { SOLE_NAME } from '../../placement/backend-set.ts';
import { type Place, surroundingsOf } from '../location.ts';
import { checkNew } from './backend-arguments.ts';
import type { NewBackend } from './backend-types.ts';
import { backendUrl, openBackendUrl, territoryOf } from './backend-url.ts';
import { readMarker, urlOf } from './connect.ts';

/**
 * Refuses a backend that would have the name or the place of another, or lie inside of it.
 * @throws `conflict/BACKEND_EXISTS`
 */
export function checkNewBackend(
  { url, name }: { readonly url: string; readonly name?: string | undefined },
  others: readonly Pick<ConfigBackend, 'name' | 'url'>[],
): void {
  for (const other of others) {
    const details = { backend: other.name };
    if (name !== undefined && other.name === name)
      throw storeError('BACKEND_EXISTS', `there is a backend ${name} already`, { details });
    if (url === '' || other.url === '') continue;
    const [a, b] = [territoryOf(url), territoryOf(other.url)];
    if (a === b) throw storeError('BACKEND_EXISTS', `${a.slice(0, -1)} is backend ${other.name} already`, { details });
    if (a.startsWith(b) || b.startsWith(a)) {
      throw storeError('BACKEND_EXISTS', `${a.slice(0, -1)} and backend ${other.name} would lie inside each other`, {
        details,
      });
    }
  }
}

/**
 * A new backend needs a place of its own: nothing of any store is overwritten. What an addition left that was interrupted
 * is no more than a mark, and may be marked again.
 * @param others of the store: one of them may be reached by another path
 * @throws `conflict/BACKEND_MISMATCH`, `conflict/BACKEND_EXISTS`
 */
export async function checkEmptyBackend(
  backend: Backend,
  storeId: string,
  others: readonly Pick<ConfigBackend, 'id' | 'name'>[] = [],
): Promise<void> {
  const marker = await readMarker(backend);
  const same = others.find(({ id }) => id === marker?.backendId);
  if (same) {
    const details = { backend: same.name };
    throw storeError('BACKEND_EXISTS', `the place of the new backend is that of backend ${same.name}`, { details });
  }
  const hasConfig = (await backend.head(STORE_CONFIG_KEY)) !== undefined;
  if (marker && marker.storeId !== storeId) throw mismatch('is a backend of another store');
  if (hasConfig && marker === undefined) throw mismatch('holds a store');
  // Key pages and messages as well: those of a backend that left would bring back what was shredded or adopted since.
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX, KEY_PAGES_PREFIX, INBOX_PREFIX]) {
    for await (const _ of listAll(backend, { prefix })) {
      throw mismatch('holds blobs of a store already; `backend set --location` tells where a backend has moved to');
    }
  }
}

function mismatch(why: string): Error {
  return storeError('BACKEND_MISMATCH', `the place of the new backend ${why}: nothing was changed there`);
}

/**
 * Looks at backends that a store which is yet to be made is to have: each name and place once, and nothing in it.
 * @throws `conflict/BACKEND_EXISTS`, `conflict/BACKEND_MISMATCH`, `invalid/BACKEND_INVALID`,
 *   `unsupported/BACKEND_UNSUPPORTED`, and what opening them throws
 */
export async function checkNewBackends(place: Place, backends: readonly NewBackend[]): Promise<void> {
  const { fileSystem, backendModules: modules } = surroundingsOf(place);
  const others = [{ name: SOLE_NAME, url: urlOf(place) }];
  for (const backend of backends) {
    const { name } = checkNew(backend);
    if (typeof backend.location !== 'string') continue;
    const url = backendUrl(backend.location);
    checkNewBackend({ url, name }, others);
    others.push({ name: name ?? '', url });
    const opened = await openBackendUrl(url, { readOnly: false, create: true, fileSystem, modules });
    try {
      await checkEmptyBackend(opened, '');
    } finally {
      await opened.close();
    }
  }
}
