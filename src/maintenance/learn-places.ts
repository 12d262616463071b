import type { PackRow } from '../metadata/contract.ts';
import { locateShards } from '../placement/find-shards.ts';
import type { Patience } from '../placement/patience.ts';
import { currentRow, type ShardStore } from './shard-store.ts';

const PAGE_PACKS = 100;

/** What else looking for shards takes. */
interface LearnOptions {
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
}

/** What asking all backends taught of a pack of unknown places. */
export interface LearntPack {
  /** The pack as it is known by now; `undefined` when it is gone. */
  readonly row: PackRow | undefined;
  /** Whether every backend said what it has. */
  readonly isComplete: boolean;
}

/**
 * Finds out where the shards of a pack of unknown places lie, and writes it down where the store is writable. It stays
 * unknown when none of them was found, or when a backend that may have the others could not be asked: they would count
 * as lost.
 */
export async function learnPlaces(
  store: ShardStore,
  row: PackRow,
  { patience, signal }: LearnOptions,
): Promise<LearntPack> {
  const { backends, metadata, writable } = store;
  const { places, isComplete } = await locateShards(backends, row, { depth: 'frame', patience, signal });
  const isFound = places.some((place) => place !== 0) && (isComplete || !places.includes(0));
  if (isFound && !writable) return { row: { ...row, places }, isComplete };
  if (isFound) {
    const shard = { packNumber: row.number, stripeId: row.stripe.id };
    const known = places.flatMap((to, index) => (to === 0 ? [] : [{ ...shard, index, to }]));
    // The first one makes all others known to lie nowhere.
    await metadata.placeShards(known.map((change, at) => ({ ...change, from: at === 0 ? undefined : 0 })));
  }
  return { row: await currentRow(metadata, row), isComplete };
}

/** Learns the places of all packs whose places are not known. @returns how many are still not known */
export async function learnAllPlaces(store: ShardStore, options: LearnOptions): Promise<number> {
  let left = 0;
  for (let after: number | undefined; ; ) {
    const page = await store.metadata.packsOfUnknownPlace({ limit: PAGE_PACKS, ...(after !== undefined && { after }) });
    for (const row of page) {
      options.signal?.throwIfAborted();
      const learnt = await learnPlaces(store, row, options);
      if (learnt.row && learnt.row.places === undefined) left += 1;
    }
    after = page.at(-1)?.number;
    if (after === undefined) return left;
  }
}
