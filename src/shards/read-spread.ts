import { fetchShard } from './fetch-shard.ts';
import type { NamedBackends, SpreadCallOptions } from './named-backends.ts';
import { withBytes, withoutBytes } from './placed-set.ts';
import { isLoss, type ShardLoss } from './shard-loss.ts';
import type { ShardSet } from './shard-set.ts';
import { progressOf } from './spread-progress.ts';

/** All of a spread set that can be had. */
export interface ReadSpread {
  /** With the bytes of every shard that was read, and no others. */
  readonly set: ShardSet;
  /** By index. */
  readonly losses: readonly ShardLoss[];
}

/** Reads every shard from where it lies: bytes that the set has already prove nothing about its backends. */
export async function readSpread(
  placed: ShardSet,
  backends: NamedBackends,
  options: SpreadCallOptions & { readonly phase: string },
): Promise<ReadSpread> {
  const set = withoutBytes(placed);
  const settled = progressOf(options.phase, set.shards.length, options);
  const found = new Map<number, Uint8Array>();
  const losses: ShardLoss[] = [];
  await Promise.all(
    set.shards.map(async (_, index) => {
      const fetched = await fetchShard(backends, { set, index, isExact: true }, options.signal);
      if (isLoss(fetched)) losses.push(fetched);
      else found.set(index, fetched);
      settled(isLoss(fetched) ? 0 : fetched.length);
    }),
  );
  return { set: withBytes(set, found), losses: losses.sort((a, b) => a.index - b.index) };
}
