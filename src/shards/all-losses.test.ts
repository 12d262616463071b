import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/bytes.ts';
import { REDUNDANCY_PRESETS } from '../erasure/index.ts';
import { isStoreError } from '../errors/store-error.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { decodeShardSet } from './decode-shard-set.ts';
import { encodeShardSet } from './encode-shard-set.ts';
import type { SetShard, ShardSet } from './shard-set.ts';

/** Damages the shards whose bits are set: some are missing, some have a flipped bit, some are too short. */
function damage(set: ShardSet, pattern: number, choice: () => number): ShardSet {
  const shards = set.shards.map((shard, index): SetShard => {
    if (((pattern >> index) & 1) === 0) return shard;
    const bytes = new Uint8Array(shard.bytes!);
    bytes[0]! ^= 1;
    return { ...shard, bytes: [undefined, bytes, bytes.subarray(1)][choice() % 3] };
  });
  return { ...set, shards };
}

describe('of all patterns of missing and corrupt shards', () => {
  it.each([
    ['minimal', 4, 4],
    ['personal', 16, 16],
    ['federation', 256, 256],
    ['paranoid', 22_819, 9949],
  ] as const)('%s survives %i and refuses %i', (preset, survivable, fatal) => {
    const random = seededRandom(7);
    const content = random.bytes(50);
    const whole = encodeShardSet(content, REDUNDANCY_PRESETS[preset]);
    const counts = { survived: 0, refused: 0, wrong: 0 };
    for (let pattern = 0; pattern < 2 ** whole.shards.length; pattern += 1) {
      try {
        const decoded = decodeShardSet(damage(whole, pattern, random.next));
        if (equalBytes(decoded.content, content)) counts.survived += 1;
        else counts.wrong += 1;
      } catch (error) {
        if (!isStoreError(error, 'SHARDS_INSUFFICIENT')) throw error;
        counts.refused += 1;
      }
    }
    expect(counts).toEqual({ survived: survivable, refused: fatal, wrong: 0 });
  });
});
