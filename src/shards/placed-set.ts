import { isBackendKey } from '../backend/backend-key.ts';
import { checkShardSet, type ShardSet, shardSetInvalid } from './shard-set.ts';
import { parseShardSet } from './shard-set-json.ts';

/**
 * The set without the bytes of its shards: what to keep of a set that is spread, some 200 bytes a shard as JSON. It
 * tells where the shards lie and what they must be, and holds nothing of the content.
 * @throws `invalid/SHARD_SET_INVALID` for what is no shard set
 */
export function withoutBytes(set: ShardSet): ShardSet {
  checkShardSet(set);
  return { ...set, shards: set.shards.map((shard) => ({ ...shard, bytes: undefined })) };
}

/** The set with the bytes of some shards, by index. */
export function withBytes(set: ShardSet, bytes: ReadonlyMap<number, Uint8Array>): ShardSet {
  const shards = set.shards.map((shard, index) => ({ ...shard, bytes: bytes.get(index) ?? shard.bytes }));
  return { ...set, shards };
}

/**
 * Takes a set, or its JSON, whoever wrote it, and checks that what it says of places can be asked for.
 * @throws `invalid/SHARD_SET_INVALID`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function readPlacedSet(placed: ShardSet | string): ShardSet {
  const set = typeof placed === 'string' ? parseShardSet(placed) : placed;
  checkShardSet(set);
  for (const [index, { location }] of set.shards.entries()) {
    if (location && !isBackendKey(location.key)) throw shardSetInvalid(`shards.${index}.location.key`, 'a backend key');
  }
  return set;
}
