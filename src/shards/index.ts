/**
 * `holdfast/shards`: shard sets, content as a value of which some parts may be lost or wrong; spread over bare
 * backends, gathered from them, inspected and repaired there; proofs of single shards.
 */

export type { Backend, BackendSpace } from '../backend/contract.ts';
export type { Redundancy } from '../erasure/index.ts';
export type { ErrorCode } from '../errors/codes.ts';
export type { Digest, DigestAlgorithm } from '../hash/index.ts';
export type { RangeProof } from '../merkle/index.ts';
export type { Clock } from '../runtime/clock.ts';
export type { RandomBytes } from '../runtime/random.ts';
export { type DecodedShardSet, decodeShardSet, type ShardSetOptions } from './decode-shard-set.ts';
export { type EncodeShardSetOptions, encodeShardSet } from './encode-shard-set.ts';
export { type GatheredShardSet, type GatherOptions, gatherShardSet } from './gather-shard-set.ts';
export { inspectBackends, type NamedBackendState } from './inspect-backends.ts';
export { type InspectOptions, inspectSpread, type SpreadBackend, type SpreadReport } from './inspect-spread.ts';
export type { NamedBackend, SpreadCallOptions, SpreadProgress } from './named-backends.ts';
export { withoutBytes } from './placed-set.ts';
export { type RemovedSpread, removeSpread } from './remove-spread.ts';
export { type RepairedShardSet, repairShardSet } from './repair-shard-set.ts';
export {
  type RepairedShard,
  type RepairedSpread,
  type RepairSpreadOptions,
  repairSpread,
} from './repair-spread.ts';
export { shardBlobKey } from './shard-blob-key.ts';
export type { ShardFailure } from './shard-failure.ts';
export type { ShardLoss, ShardLossReason } from './shard-loss.ts';
export type { ShardPlaces } from './shard-places.ts';
export { formatShardSetRoot, type ProvenShard, proveShard, verifyShardProof } from './shard-proof.ts';
export { checkShardSet, type SetShard, type ShardLocation, type ShardSet } from './shard-set.ts';
export { formatShardSet, parseShardSet } from './shard-set-json.ts';
export { shardSetRoot } from './shard-set-root.ts';
export { type SpreadOptions, type SpreadShardSet, spreadShardSet } from './spread-shard-set.ts';
export type { SpreadTolerance } from './spread-tolerance.ts';
export type { ShardConfirmation } from './store-shard.ts';
export { type ShardSetReport, verifyShardSet } from './verify-shard-set.ts';
