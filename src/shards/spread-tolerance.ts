/** What may still be lost of a shard set that is spread over backends. */
export interface SpreadTolerance {
  /** Good shards that may still be lost, whichever they are; below 0 when so many are wanting. */
  readonly lossesLeft: number;
  /** Backends that may still be lost with all they hold, whichever they are; -1 when the content is lost already. */
  readonly backendLossesLeft: number;
}

/**
 * Computes what may still be lost. The worst loss of n backends is that of the n with the most shards, so nothing has
 * to be tried.
 * @param places the backend of each good shard
 * @param k shards that are needed
 */
export function spreadTolerance(places: readonly string[], k: number): SpreadTolerance {
  const lossesLeft = places.length - k;
  if (lossesLeft < 0) return { lossesLeft, backendLossesLeft: -1 };
  const counts = [...shardCounts(places).values()].sort((a, b) => b - a);
  let spare = lossesLeft;
  let backendLossesLeft = 0;
  for (const count of counts) {
    spare -= count;
    if (spare < 0) break;
    backendLossesLeft += 1;
  }
  return { lossesLeft, backendLossesLeft };
}

/** How many shards each backend has. */
export function shardCounts(places: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}
