/** Shards that lie elsewhere than their places say: one that came late, or was moved with its folder. */
import { isStoreError } from '../errors/store-error.ts';
import type { BackendLink } from './backend-link.ts';
import { BackendSet } from './backend-set.ts';
import { findPlaces, type ShardPlace } from './find-stripe.ts';
import type { InspectOptions } from './inspect-shard.ts';
import { type GoodShard, tryShard } from './inspect-stripe.ts';
import type { ShardLoss } from './shard-loss.ts';
import type { PlacedStripe } from './stripe-reader.ts';
import type { PackKeyParts } from './stripe-writer.ts';

/** Where a shard was looked for, and what was there. */
export interface ShardSearch {
  readonly index: number;
  /** The shard itself, whole and good. */
  readonly found: GoodShard | undefined;
  /** Backends that hold something else under its name. */
  readonly impostors: readonly BackendLink[];
}

/**
 * Looks for lost shards on every backend but the one where each should be. Only what is proven by the roots of the
 * stripe, block by block, is found.
 * @throws what no backend should throw; the signal's reason
 */
export async function findShards(
  backends: BackendSet,
  lost: { readonly stripe: PlacedStripe; readonly losses: readonly ShardLoss[] },
  options: Omit<InspectOptions, 'depth'>,
): Promise<readonly ShardSearch[]> {
  const { stripe, losses } = lost;
  const searches = losses.map(async ({ index, place }): Promise<ShardSearch> => {
    const impostors: BackendLink[] = [];
    let found: GoodShard | undefined;
    for (const link of backends.links) {
      if (link.facts.number === place || options.patience.isOut(link) || found) continue;
      const shard = await tryShard({ stripe, index, link }, { ...options, depth: 'whole' });
      if ('frame' in shard) found = { index, link, frame: shard.frame };
      else if (shard.reason === 'corrupt') impostors.push(link);
    }
    return { index, found, impostors };
  });
  const results = await Promise.allSettled(searches);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** What asking all backends tells of a stripe whose places are not known. */
export interface FoundPlaces {
  /** Number of the backend of each shard, 0 where none has it. */
  readonly places: readonly number[];
  /** Whether every backend said what it has. */
  readonly isComplete: boolean;
}

/**
 * Asks every backend for the shards of a stripe: one listing each.
 * @throws what no backend should throw; the signal's reason
 */
export async function locateShards(
  backends: BackendSet,
  stripe: Omit<PlacedStripe, 'places'>,
  options: InspectOptions,
): Promise<FoundPlaces> {
  const { k, m } = stripe.stripe;
  const places = Array.from({ length: k + m }, () => 0);
  const listing = await listEverywhere(backends, stripe, options);
  let { isComplete } = listing;
  for (const { index, link } of listing.listed) {
    if (index >= k + m || places[index] !== 0) continue;
    const shard = await tryShard({ stripe: { ...stripe, places }, index, link }, options);
    if ('frame' in shard) places[index] = link.facts.number;
    else if (shard.reason === 'unreachable') isComplete = false;
  }
  return { places, isComplete };
}

async function listEverywhere(
  backends: BackendSet,
  pack: PackKeyParts,
  { patience, signal }: Pick<InspectOptions, 'patience' | 'signal'>,
): Promise<{ readonly listed: readonly ShardPlace[]; readonly isComplete: boolean }> {
  const lists = backends.links.map(async (link) => {
    try {
      const list = (stop: AbortSignal): ReturnType<typeof findPlaces> => findPlaces(new BackendSet([link]), pack, stop);
      return await patience.ask(link, list, { signal });
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'unavailable') throw error;
      return { places: [], unreachable: [error] };
    }
  });
  const answers = await Promise.all(lists);
  const isComplete = answers.every(({ unreachable }) => unreachable.length === 0);
  return { listed: answers.flatMap(({ places }) => places), isComplete };
}
