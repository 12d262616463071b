/** Finds where the shards of packs lie of which the metadata does not know it: after a rebuild, or from older metadata. */
import { listAll } from '../backend/list-all.ts';
import { toHex } from '../bytes/bytes.ts';
import { JOURNAL_PREFIX, PACKS_PREFIX, parseShardKey } from '../format/index.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import { type BackendLink, isUnreachable } from '../placement/backend-link.ts';
import type { BackendSet } from '../placement/backend-set.ts';

/** Packs looked for with one listing of each backend: what is held in memory. */
export const PACKS_SEEN_AT_ONCE = 50_000;
const CHANGES_AT_ONCE = 1000;

/**
 * Lists the backends and tells the metadata what it finds. A pack of which a backend that cannot be asked may hold shards
 * stays unknown unless every shard is found elsewhere: asking goes on with each read.
 * @returns how many packs have their places now
 */
export async function findUnknownPlaces(
  metadata: Metadata,
  backends: BackendSet,
  signal?: AbortSignal,
): Promise<number> {
  let found = 0;
  for (let after: number | undefined; ; ) {
    const page = await metadata.packsOfUnknownPlace({
      limit: PACKS_SEEN_AT_ONCE,
      ...(after !== undefined && { after }),
    });
    after = page.at(-1)?.number;
    if (after === undefined) return found;
    found += await findPage(metadata, { backends, page }, signal);
  }
}

/** Where shards of some packs were seen. */
export interface SeenShards {
  /** By pack id in hex: for each shard the number of its backend, 0 where none was seen. */
  readonly places: ReadonlyMap<string, readonly number[]>;
  /** Whether every backend could be asked: what was not seen is nowhere then. */
  readonly areAllAsked: boolean;
}

/** Looks for the shards of packs with one listing of each backend. */
export async function seeShards(
  backends: BackendSet,
  packs: readonly Pick<PackRow, 'id' | 'stripe'>[],
  signal?: AbortSignal,
): Promise<SeenShards> {
  const places = new Map(packs.map(({ id, stripe }) => [toHex(id), new Array<number>(stripe.k + stripe.m).fill(0)]));
  let areAllAsked = true;
  for (const link of backends.links) areAllAsked = (await noteShards(link, places, signal)) && areAllAsked;
  return { places, areAllAsked };
}

async function findPage(
  metadata: Metadata,
  { backends, page }: { readonly backends: BackendSet; readonly page: readonly PackRow[] },
  signal: AbortSignal | undefined,
): Promise<number> {
  const { places, areAllAsked } = await seeShards(backends, page, signal);
  const known = page.filter(({ id }) => {
    const held = places.get(toHex(id)) ?? [];
    return areAllAsked || !held.includes(0);
  });
  for (let start = 0; start < known.length; start += CHANGES_AT_ONCE) {
    const changes = known.slice(start, start + CHANGES_AT_ONCE).flatMap(({ id, number, stripe }) =>
      (places.get(toHex(id)) ?? []).map((to, index) => ({
        ...{ packNumber: number, stripeId: stripe.id, index, to },
        from: index === 0 ? undefined : 0,
      })),
    );
    await metadata.placeShards(changes);
  }
  return known.length;
}

/** @returns whether the backend could be asked */
async function noteShards(
  link: BackendLink,
  places: ReadonlyMap<string, number[]>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX]) {
      await link.call('read', async (backend) => {
        for await (const { key } of listAll(backend, { prefix, durable: true, ...(signal && { signal }) })) {
          const name = parseShardKey(key);
          const held = name && places.get(toHex(name.pack.id));
          if (name && held && name.index < held.length) held[name.index] = link.facts.number;
        }
      });
    }
    return true;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return false;
  }
}
