import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { backendNotFound } from './named-backends.ts';

/**
 * Which backend takes which shard.
 * - `round-robin`: shard i the backend i, counted round and round in the order in which they were given
 * - `single`: all of them one backend, which is one to lose
 * - `map`: by the index of the shard; those that it does not name go round robin
 */
export type ShardPlaces =
  | { readonly strategy: 'round-robin' }
  | { readonly strategy: 'single'; readonly backend: string }
  | { readonly strategy: 'map'; readonly map: Readonly<Record<number, string>> };

/**
 * Names the backend of every shard.
 * @param names of the backends, at least one
 * @throws `not-found/BACKEND_NOT_FOUND` for a name that none has, RangeError for a shard that the set does not have,
 *   TypeError for what is no strategy
 */
export function shardPlaces(places: ShardPlaces, count: number, names: readonly string[]): readonly string[] {
  const chosen = placesByIndex(places, count);
  for (const name of Object.values(chosen)) if (!names.includes(name)) throw backendNotFound(String(name));
  return Array.from({ length: count }, (_, index) => chosen[index] ?? (names[index % names.length] as string));
}

function placesByIndex(places: ShardPlaces, count: number): Readonly<Record<number, string>> {
  switch (places?.strategy) {
    case 'round-robin':
      return {};
    case 'single':
      return Object.fromEntries(Array.from({ length: count }, (_, index) => [index, places.backend]));
    case 'map':
      if (typeof places.map !== 'object' || places.map === null) {
        throw argumentTypeError('places.map', 'an object', places.map);
      }
      for (const index of Object.keys(places.map)) {
        checkInteger('an index of places.map', Number(index), { min: 0, max: count - 1 });
      }
      return places.map;
    default:
      throw argumentTypeError('places', 'a strategy for shards', places);
  }
}
