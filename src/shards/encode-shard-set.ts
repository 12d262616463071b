import { toHex } from '../bytes/bytes.ts';
import { createReedSolomon, type Redundancy, shardBytesOf, splitIntoShards } from '../erasure/index.ts';
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { type DigestAlgorithm, digestOf } from '../hash/index.ts';
import { SHARD_SET_BYTES_MAX } from '../limits.ts';
import { createTreeHashing } from '../merkle/index.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type RandomBytes, systemRandom } from '../runtime/random.ts';
import { checkShardSet, type ShardSet } from './shard-set.ts';
import { shardSetRoot } from './shard-set-root.ts';

/** What a new set says of itself, and where id and time come from. */
export interface EncodeShardSetOptions {
  /** Of all digests of the set; default `blake3`. */
  readonly algorithm?: DigestAlgorithm;
  /** Default `application/octet-stream`. */
  readonly contentType?: string;
  /** What the caller ties the set to; up to 256 bytes of UTF-8. */
  readonly subject?: string;
  /** Source of the id; default the system's. */
  readonly random?: RandomBytes;
  /** Source of the time; default the system's. */
  readonly clock?: Clock;
}

const ID_BYTES = 16;

/**
 * Makes a shard set of content.
 * @param content copied; empty content has empty shards. With its parity at most 256 MiB: `createShardEncoder` is for more
 * @throws `invalid/REDUNDANCY_INVALID`; `invalid/SHARD_SET_INVALID` for texts that are too long; TypeError or RangeError
 *   for other arguments, content that is too large among them
 * @example encodeShardSet(content, REDUNDANCY_PRESETS.personal, { contentType: 'image/png' })
 */
export function encodeShardSet(
  content: Uint8Array,
  redundancy: Redundancy,
  options: EncodeShardSetOptions = {},
): ShardSet {
  if (!(content instanceof Uint8Array)) throw argumentTypeError('content', 'a Uint8Array', content);
  const { algorithm } = createTreeHashing(options.algorithm);
  const code = createReedSolomon(redundancy);
  const shardBytes = shardBytesOf(content.length, code.k);
  if (shardBytes * (code.k + code.m) > SHARD_SET_BYTES_MAX) {
    throw argumentRangeError('content', `of ${SHARD_SET_BYTES_MAX} bytes with its parity`, content);
  }
  const shards = splitIntoShards(code, content).map((bytes) => ({ digest: digestOf(algorithm, bytes), bytes }));
  const digests = shards.map(({ digest }) => digest);
  const { random = systemRandom, clock = systemClock, contentType = 'application/octet-stream', subject } = options;
  const now = new Date(clock.now()).toISOString();
  const set: ShardSet = {
    id: toHex(random(ID_BYTES)),
    redundancy: { k: code.k, m: code.m },
    algorithm,
    size: content.length,
    digest: digestOf(algorithm, content),
    root: shardSetRoot(digests, shardBytes, algorithm),
    contentType,
    ...(subject !== undefined && { subject }),
    created: now,
    verified: now,
    shards,
  };
  checkShardSet(set);
  return set;
}
