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
 */
export function planMoves(pack: PackRow, backends: BackendSet): readonly ShardMove[] {
  const { places } = pack;
  if (places === undefined) return [];
  const takers = backends.links.filter((link) => link.takesShards);
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
  const count = pack.stripe.k + pack.stripe.m;
  const facts = takers.map((link) => link.facts);
  if (map.length > 0) return Array.from({ length: count }, (_, index) => map[index % map.length] ?? 0);
  return [...choosePlaces(facts, { packId: pack.id, shards: count, count, taken: [], all: facts })];
}
