/**
 * How content of any length becomes shards.
 *
 * A *stripe* is content in one piece. It is split into k equal parts of `ceil(length / k)` bytes, one behind the other, the
 * last one filled up with zeros (short content may leave whole parts of zeros); part i is data shard i. So data shards laid
 * end to end are the content and its padding, and content of no bytes has shards of none.
 *
 * A *stream* is content of unknown length, cut into blocks of `k * columnBytes` bytes, the last one shorter. Each block is
 * split like a stripe, and what a shard holds is its parts of all blocks end to end. The length of the content has to be
 * kept beside the shards: it tells the padding.
 *
 *     k = 2, columnBytes = 4, content of 11 bytes     block 0          block 1
 *     shard 0                                         c0 c1 c2 c3      c8 c9
 *     shard 1                                         c4 c5 c6 c7      c10 0
 */
import { checkInteger } from '../errors/argument-error.ts';
import { ERASURE_COLUMN_BYTES, ERASURE_COLUMN_BYTES_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';

/**
 * Bytes of each shard of a stripe.
 * @param length bytes of the content
 * @param k data shards
 * @throws TypeError or RangeError for what is no length or count
 */
export function shardBytesOf(length: number, k: number): number {
  checkInteger('length', length, { min: 0 });
  return Math.ceil(length / checkInteger('k', k, { min: 1, max: STRIPE_SHARDS_MAX }));
}

/** Settings of a stream; encoder and decoder must have the same. */
export interface StreamOptions {
  /** Bytes of each shard in one block, 1 to 16 MiB; default 64 KiB. Encoder and decoder hold one block in memory. */
  readonly columnBytes?: number;
}

/** @throws TypeError or RangeError for a size out of its range */
export function columnBytesOf({ columnBytes = ERASURE_COLUMN_BYTES }: StreamOptions): number {
  return checkInteger('columnBytes', columnBytes, { min: 1, max: ERASURE_COLUMN_BYTES_MAX });
}

/**
 * Bytes of each shard of a stream, all blocks together.
 * @param length bytes of the content
 * @param k data shards
 * @throws TypeError or RangeError for what is no length, count or size of columns
 */
export function streamShardBytes(length: number, k: number, options: StreamOptions = {}): number {
  const columnBytes = columnBytesOf(options);
  const inLastBlock = shardBytesOf(length % (k * columnBytes), k);
  return Math.floor(length / (k * columnBytes)) * columnBytes + inLastBlock;
}
