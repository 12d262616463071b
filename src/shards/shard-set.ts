import { checkRedundancy, type Redundancy } from '../erasure/index.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { DIGEST_ALGORITHMS, type Digest, type DigestAlgorithm, isDigestAlgorithm } from '../hash/index.ts';
import { CONTENT_TYPE_BYTES_MAX, SHARD_SET_BYTES_MAX, SHARD_SET_TEXT_BYTES_MAX } from '../limits.ts';

/** Where a copy of a shard lies. */
export interface ShardLocation {
  /** Whatever the holder is called by whoever placed the shard. */
  readonly backend: string;
  /** The key of the shard there. */
  readonly key: string;
}

/** One shard of a set. */
export interface SetShard {
  /** Digest that its bytes must have. */
  readonly digest: Digest;
  /** `undefined` when the shard is missing. */
  readonly bytes: Uint8Array | undefined;
  /** Absent when nobody placed it. */
  readonly location?: ShardLocation;
}

/**
 * Content as shards, any k of which restore it, with all that is needed to tell good shards from wrong ones: a value, of
 * which every function here gives a new one. Data shards come first; the place of a shard is its index.
 */
export interface ShardSet {
  /** 16 random bytes in lower-case hex; the same after a repair. */
  readonly id: string;
  readonly redundancy: Redundancy;
  /** Of all digests of the set. */
  readonly algorithm: DigestAlgorithm;
  /** Bytes of the content, up to `SHARD_SET_BYTES_MAX` with the parity. */
  readonly size: number;
  /** Digest of the content. */
  readonly digest: Digest;
  /** Merkle root over the digests of all shards: `shardSetRoot`. */
  readonly root: Digest;
  readonly contentType: string;
  /** What the caller ties the set to; up to 256 bytes of UTF-8. */
  readonly subject?: string;
  /** When it was made: ISO 8601, UTC. */
  readonly created: string;
  /** When all of it was last known to be good. */
  readonly verified?: string;
  /** k + m of them. */
  readonly shards: readonly SetShard[];
}

const ID = /^[0-9a-f]{32}$/;
/** What `Date.toISOString` gives for the years 0 to 9999. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The error of a value or text that is no shard set; `field` is a path into it. */
export function shardSetInvalid(field: string, expected: string): Error {
  return storeError('SHARD_SET_INVALID', `a shard set has ${expected} as its ${field}`, {
    details: { setting: field },
  });
}

/**
 * Checks the shape of a set: what every function here assumes. Not whether its shards are good.
 * @throws `invalid/SHARD_SET_INVALID` with the path of the first wrong field in `details.setting`
 */
export function checkShardSet(set: ShardSet): void {
  if (typeof set !== 'object' || set === null) throw shardSetInvalid('value', 'an object');
  checkTexts(set);
  checkShape(set);
  const { digestBytes } = DIGEST_ALGORITHMS[set.algorithm];
  checkDigest('digest', set.digest, digestBytes);
  checkDigest('root', set.root, digestBytes);
  for (const [index, shard] of set.shards.entries()) {
    checkShard(`shards.${index}`, shard, digestBytes);
  }
}

function checkShard(field: string, shard: SetShard, digestBytes: number): void {
  if (typeof shard !== 'object' || shard === null) throw shardSetInvalid(field, 'an object');
  const { digest, bytes, location } = shard;
  checkDigest(`${field}.digest`, digest, digestBytes);
  if (bytes !== undefined && !(bytes instanceof Uint8Array && bytes.length <= SHARD_SET_BYTES_MAX)) {
    throw shardSetInvalid(`${field}.bytes`, 'a Uint8Array or undefined');
  }
  if (location === undefined) return;
  checkText(`${field}.location.backend`, location?.backend, SHARD_SET_TEXT_BYTES_MAX);
  checkText(`${field}.location.key`, location?.key, SHARD_SET_TEXT_BYTES_MAX);
}

function checkTexts({ id, created, verified, contentType, subject }: ShardSet): void {
  if (typeof id !== 'string' || !ID.test(id)) throw shardSetInvalid('id', '32 lower-case hex digits');
  for (const [field, time] of Object.entries({ created, verified: verified ?? created })) {
    if (typeof time !== 'string' || !TIME.test(time))
      throw shardSetInvalid(field, 'a time like 2026-01-02T03:04:05.678Z');
  }
  checkText('contentType', contentType, CONTENT_TYPE_BYTES_MAX);
  checkText('subject', subject ?? '', SHARD_SET_TEXT_BYTES_MAX);
}

function checkText(field: string, text: unknown, bytesMax: number): void {
  if (typeof text === 'string' && text.isWellFormed() && Buffer.byteLength(text) <= bytesMax) return;
  throw shardSetInvalid(field, `text of at most ${bytesMax} bytes of UTF-8`);
}

function checkShape({ redundancy, algorithm, size, shards }: ShardSet): void {
  try {
    checkRedundancy(redundancy);
  } catch (error) {
    if (!(error instanceof TypeError) && !isStoreError(error, 'REDUNDANCY_INVALID')) throw error;
    throw shardSetInvalid('redundancy', 'k and m that are possible');
  }
  if (!isDigestAlgorithm(algorithm)) throw shardSetInvalid('algorithm', 'a digest algorithm');
  const count = redundancy.k + redundancy.m;
  if (!Number.isSafeInteger(size) || size < 0 || Math.ceil(size / redundancy.k) * count > SHARD_SET_BYTES_MAX) {
    throw shardSetInvalid('size', `a size of which the shards together have at most ${SHARD_SET_BYTES_MAX} bytes`);
  }
  if (!Array.isArray(shards) || shards.length !== count) throw shardSetInvalid('shards', `${count} shards`);
}

function checkDigest(field: string, digest: unknown, digestBytes: number): void {
  if (digest instanceof Uint8Array && digest.length === digestBytes) return;
  throw shardSetInvalid(field, `a digest of ${digestBytes} bytes`);
}
