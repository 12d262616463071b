/** Where the shards of a pack would go if it were written now, and which of them have to move for that. */
import type { PackRow } from '../metadata/contract.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import { choosePlaces } from '../placement/choose-places.ts';

/** One shard on its way. */
export interface ShardMove {
  readonly index: number;
  readonly from: BackendLink;
  readonly to: BackendLink;
}

/**
 * The fewest moves after which the shards of a pack lie as they would be placed now. Shards on backends that nothing may
 * be taken from stay; so do those that cannot be reached.
 * @param without number of a backend that is to hold none of them
 */
export function planMoves(pack: PackRow, backends: BackendSet, without?: number): readonly ShardMove[] {
  const { places } = pack;
  if (places === undefined) return [];
  const takers = backends.links.filter((link) => link.takesShards && link.facts.number !== without);
  const wanted = wantedPlaces(pack, backends, takers);
  const surplus: { readonly index: number; readonly from: BackendLink }[] = [];
  for (const [index, place] of places.entries()) {
    if (place === 0) continue;
    const at = wanted.indexOf(place);
    if (at >= 0) wanted.splice(at, 1);
    const from = backends.find(place);
    if (at < 0 && from && isFree(from)) surplus.push({ index, from });
  }
  const targets = wanted.flatMap((number) => backends.find(number) ?? []);
  return surplus.flatMap(({ index, from }, at): ShardMove[] => {
    const to = targets[at];
    return to ? [{ index, from, to }] : [];
  });
}

function isFree({ facts, backend }: BackendLink): boolean {
  return facts.mode !== 'read-only' && backend !== undefined;
}

/** Numbers of the backends that the shards of a pack should be on: what already is there counts for the missing ones. */
function wantedPlaces(pack: PackRow, { map }: BackendSet, takers: readonly BackendLink[]): number[] {
  const shards = pack.stripe.k + pack.stripe.m;
  const all = takers.map((link) => link.facts);
  const mapped = Array.from({ length: shards }, (_, index) => map[index % Math.max(1, map.length)]);
  const taken = mapped.flatMap((wanted) => all.find(({ number }) => number === wanted) ?? []);
  // What the map sends to a backend that takes nothing goes where it would without a map.
  const rest = choosePlaces(all, { packId: pack.id, shards, count: shards - taken.length, taken, all });
  return [...taken.map(({ number }) => number), ...rest];
}
