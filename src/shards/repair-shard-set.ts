import { systemClock } from '../runtime/clock.ts';
import { findContent, type ShardSetOptions } from './decode-shard-set.ts';
import { shardStates } from './good-shards.ts';
import { remakeShards } from './remake-shards.ts';
import { checkShardSet, type SetShard, type ShardSet } from './shard-set.ts';
import { namedRoot } from './shard-set-root.ts';

/** A set that is whole again. */
export interface RepairedShardSet {
  /** Good shards are the very ones of the set before, with bytes and location. */
  readonly set: ShardSet;
  /** Indexes of the shards that were made anew and have to be placed again. */
  readonly repaired: readonly number[];
}

/**
 * Makes every missing, corrupt and forged shard of a set anew, and its root; what was right stays as it is: id, time,
 * content type, subject, and the location of each shard, which is where it should lie.
 * @throws `corrupt/SHARDS_INSUFFICIENT` or `corrupt/SHARD_SET_CORRUPT` when the content is lost,
 *   `invalid/SHARD_SET_INVALID` for what is no shard set
 */
export function repairShardSet(set: ShardSet, options: ShardSetOptions = {}): RepairedShardSet {
  checkShardSet(set);
  const { clock = systemClock } = options;
  const own = shardStates(set);
  const { shards: made, states } = remakeShards(set, own, findContent(set, own).content);
  const repaired = [...states.corrupt, ...states.missing].sort((a, b) => a - b);
  const shards = set.shards.map((shard, index) => (repaired.includes(index) ? renew(shard, made[index]!) : shard));
  const root = namedRoot({ ...set, shards });
  return { set: { ...set, root, shards, verified: new Date(clock.now()).toISOString() }, repaired };
}

function renew({ location }: SetShard, made: SetShard): SetShard {
  return location === undefined ? made : { ...made, location };
}
