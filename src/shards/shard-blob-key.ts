import { checkInteger } from '../errors/argument-error.ts';
import { STRIPE_SHARDS_MAX } from '../limits.ts';

const FOLDER_DIGITS = 2;

/**
 * The key under which a shard is stored on any backend: `shards/9f/9f31c2aa0b6e4d7f8a1c5e3b7d902468.3`. The blob is the
 * bytes of the shard and nothing else. The key follows from set and index alone, so that spreading or repairing twice
 * stores nothing twice.
 * @param setId `ShardSet.id`
 * @param index from 0
 */
export function shardBlobKey(setId: string, index: number): string {
  checkInteger('index', index, { min: 0, max: STRIPE_SHARDS_MAX - 1 });
  return `shards/${setId.slice(0, FOLDER_DIGITS)}/${setId}.${index}`;
}
