import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { REDUNDANCY_PRESETS } from './redundancy.ts';
import { createReedSolomon } from './reed-solomon.ts';

const BYTES = 8;

/** Loses the shards whose bits are set, and tells whether they came back; throws what reconstructing throws. */
function survives(whole: readonly Uint8Array[], code: ReturnType<typeof createReedSolomon>, pattern: number): boolean {
  const lost = whole.flatMap((_, index) => ((pattern >> index) & 1 ? [index] : []));
  const shards = whole.map((shard, index) => (lost.includes(index) ? new Uint8Array(BYTES) : shard));
  code.reconstruct(shards, lost);
  return shards.every((shard, index) => equalBytes(shard, whole[index]!));
}

describe('of all loss patterns', () => {
  // Survivable are those of at most m of k+m shards: sums of binomials, 23,095 of 33,320 together.
  it.each([
    ['minimal', 4, 4],
    ['personal', 16, 16],
    ['federation', 256, 256],
    ['paranoid', 22_819, 9949],
  ] as const)('%s survives %i and refuses %i', (preset, survivable, fatal) => {
    const { k, m } = REDUNDANCY_PRESETS[preset];
    const code = createReedSolomon({ k, m });
    const random = seededRandom(k);
    const whole = Array.from({ length: k + m }, () => random.bytes(BYTES));
    code.encode(whole);
    const counts = { survived: 0, refused: 0, wrong: 0 };
    for (let pattern = 0; pattern < 2 ** (k + m); pattern += 1) {
      try {
        if (survives(whole, code, pattern)) counts.survived += 1;
        else counts.wrong += 1;
      } catch (error) {
        if (!isStoreError(error, 'SHARDS_INSUFFICIENT')) throw error;
        counts.refused += 1;
      }
    }
    expect(counts).toEqual({ survived: survivable, refused: fatal, wrong: 0 });
  });
});
