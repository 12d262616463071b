/** `holdfast/shards`: shard sets, content as a value of which some parts may be lost or wrong. */

export type { Redundancy } from '../erasure/index.ts';
export type { Digest, DigestAlgorithm } from '../hash/index.ts';
export type { Clock } from '../runtime/clock.ts';
export type { RandomBytes } from '../runtime/random.ts';
export { type DecodedShardSet, decodeShardSet, type ShardSetOptions } from './decode-shard-set.ts';
export { type EncodeShardSetOptions, encodeShardSet } from './encode-shard-set.ts';
export { type RepairedShardSet, repairShardSet } from './repair-shard-set.ts';
export { checkShardSet, type SetShard, type ShardLocation, type ShardSet } from './shard-set.ts';
export { formatShardSet, parseShardSet } from './shard-set-json.ts';
export { shardSetRoot } from './shard-set-root.ts';
export { type ShardSetReport, verifyShardSet } from './verify-shard-set.ts';
