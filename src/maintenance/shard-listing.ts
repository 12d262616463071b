/**
 * What backends say that they have, listed once and held against what should be there. A store of very many packs is
 * listed part by part, by the folders that packs lie in, so that memory stays bounded.
 */
import { listAll } from '../backend/list-all.ts';
import type { StoreError } from '../errors/store-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { hasJournalPlace, JOURNAL_PREFIX, PACKS_PREFIX, shardKey } from '../format/index.ts';
import { CHECK_PASS_PACKS } from '../limits.ts';
import type { PackRow } from '../metadata/contract.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import { settleAll } from '../runtime/settle-all.ts';
import { stillThere } from './garbage.ts';

const FOLDERS = 256;

/** A part of the packs: those of some folders. */
export interface ListingPass {
  readonly prefixes: readonly string[];
  has(pack: Pick<PackRow, 'id' | 'class'>): boolean;
}

/** Parts that so many packs are looked at in: one for all but the largest stores. */
export function listingPasses(packs: number): readonly ListingPass[] {
  const wanted = Math.ceil(packs / CHECK_PASS_PACKS);
  if (wanted <= 1) return [{ prefixes: [PACKS_PREFIX, JOURNAL_PREFIX], has: () => true }];
  const folders = Math.max(1, Math.floor(FOLDERS / wanted));
  return Array.from({ length: Math.ceil(FOLDERS / folders) }, (_, pass) => {
    const [start, end] = [pass * folders, Math.min(FOLDERS, (pass + 1) * folders)];
    const names = Array.from({ length: end - start }, (_, at) => (start + at).toString(16).padStart(2, '0'));
    return {
      prefixes: [...names.map((name) => `${PACKS_PREFIX}${name}/`), ...(pass === 0 ? [JOURNAL_PREFIX] : [])],
      has: ({ id, class: packClass }): boolean => {
        const folder = hasJournalPlace(packClass) ? 0 : (id.at(-1) ?? 0);
        return folder >= start && folder < end;
      },
    };
  });
}

/** What the backends list, less what was accounted for. */
export class ShardListing {
  /** Sizes by backend key, of every backend that could be asked. */
  readonly #left = new Map<BackendLink, Map<string, number>>();
  readonly #backends: BackendSet;
  /** Why others could not be asked. */
  readonly unreachable: StoreError[] = [];

  private constructor(backends: BackendSet) {
    this.#backends = backends;
  }

  /** @throws what a lone backend throws; of several, what none should throw; the signal's reason */
  static async read(
    backends: BackendSet,
    prefixes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ShardListing> {
    const listing = new ShardListing(backends);
    const { links } = backends;
    const lists = links.map(async (link) => {
      try {
        listing.#left.set(link, await list(link, prefixes, signal));
      } catch (error) {
        if (links.length === 1 || !isStoreError(error) || error.kind !== 'unavailable') throw error;
        listing.unreachable.push(error);
      }
    });
    await settleAll(lists);
    return listing;
  }

  /**
   * Accounts for a shard.
   * @param place where it should be; 0 for nowhere, `undefined` for anywhere
   * @returns the backend that should have it and did not list it
   */
  take(pack: PackRow, index: number, place: number | undefined): BackendLink | undefined {
    const key = shardKey(pack, index);
    if (place === undefined) for (const keys of this.#left.values()) keys.delete(key);
    const link = this.#backends.find(place ?? 0);
    const keys = link && this.#left.get(link);
    return keys && !keys.delete(key) ? link : undefined;
  }

  /** Accounts for whatever any backend has of a pack. */
  takeAll(pack: PackRow): void {
    for (let index = 0; index < pack.stripe.k + pack.stripe.m; index += 1) this.take(pack, index, undefined);
  }

  /** What is left, and still there when it is told. */
  async *left(): AsyncGenerator<{ readonly link: BackendLink; readonly key: string; readonly bytes: number }> {
    for (const [link, keys] of this.#left) {
      const head = (key: string) => link.call('read', (backend) => backend.head(key));
      for await (const one of stillThere({ head }, keys)) yield { link, ...one };
    }
  }
}

/** A page at a time, so that others may call the backend in between. */
async function list(
  link: BackendLink,
  prefixes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  const keys = new Map<string, number>();
  const paged = { list: (options: object) => link.call('read', (backend) => backend.list(options), signal) };
  for (const prefix of prefixes) {
    for await (const { key, bytes } of listAll(paged, { prefix, ...(signal && { signal }) })) keys.set(key, bytes);
  }
  return keys;
}
