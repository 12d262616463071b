/** `holdfast/erasure`: Reed-Solomon codes over GF(2^8) on the caller's arrays, redundancies, and streams of shards. */

export { GF_POLYNOMIAL, gfDivide, gfMultiply, gfPower } from './gf.ts';
export {
  checkRedundancy,
  formatRedundancy,
  parseRedundancy,
  REDUNDANCY_PRESETS,
  type Redundancy,
  type RedundancyFigures,
  type RedundancyPreset,
  redundancyFigures,
} from './redundancy.ts';
export { type ColumnRange, createReedSolomon, type ReedSolomon } from './reed-solomon.ts';
export type { ShardArrays } from './shard-arrays.ts';
export { createShardDecoder, type ShardDecoder, type ShardDecoderOptions } from './shard-decoder.ts';
export { createShardEncoder, type ShardBlock, type ShardEncoder } from './shard-encoder.ts';
export { joinShards, splitIntoShards } from './split-join.ts';
export { type StreamOptions, shardBytesOf, streamShardBytes } from './stripe-layout.ts';
