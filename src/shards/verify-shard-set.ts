import { isStoreError } from '../errors/store-error.ts';
import { equalDigests } from '../hash/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { findContent, type ShardSetOptions } from './decode-shard-set.ts';
import { type ShardStates, shardStates } from './good-shards.ts';
import { remakeShards } from './remake-shards.ts';
import { checkShardSet, type ShardSet } from './shard-set.ts';
import { namedRoot } from './shard-set-root.ts';

/** What became of a shard set. */
export interface ShardSetReport {
  /** Nothing is missing, nothing corrupt, and root and content are right. */
  readonly isWhole: boolean;
  /** The content can be restored, and has its digest. */
  readonly canDecode: boolean;
  /** k + m. */
  readonly shardCount: number;
  /** Indexes. Every shard is in one of the three. */
  readonly good: readonly number[];
  /** Bytes or digest are wrong: where the content can be decoded, judged by it; else by the shard's own digest alone. */
  readonly corrupt: readonly number[];
  readonly missing: readonly number[];
  /** Whether the root is that of the digests that the set names. */
  readonly rootMatches: boolean;
  /** Good shards that may still be lost, whichever they are; below 0 when so many are wanting. */
  readonly lossesLeft: number;
  /** When this was found out: ISO 8601, UTC. */
  readonly verifiedAt: string;
}

/**
 * Verifies a set: hashes every shard, decodes the content, makes all shards anew from it and compares. So a shard that
 * was forged together with its digest is found, and a parity that was never computed. Changes nothing.
 * @throws `invalid/SHARD_SET_INVALID` for what is no shard set; damage is reported, not thrown
 */
export function verifyShardSet(set: ShardSet, options: ShardSetOptions = {}): ShardSetReport {
  checkShardSet(set);
  const { clock = systemClock } = options;
  const own = shardStates(set);
  const content = contentOf(set, own);
  const { good, corrupt, missing } = content === undefined ? own : remakeShards(set, own, content).states;
  const rootMatches = equalDigests(namedRoot(set), set.root);
  return Object.freeze({
    isWhole: content !== undefined && rootMatches && good.length === set.shards.length,
    canDecode: content !== undefined,
    shardCount: set.shards.length,
    good,
    corrupt,
    missing,
    rootMatches,
    lossesLeft: good.length - set.redundancy.k,
    verifiedAt: new Date(clock.now()).toISOString(),
  });
}

function contentOf(set: ShardSet, states: ShardStates): Uint8Array | undefined {
  try {
    return findContent(set, states).content;
  } catch (error) {
    if (isStoreError(error, 'SHARDS_INSUFFICIENT', 'SHARD_SET_CORRUPT')) return undefined;
    throw error;
  }
}
