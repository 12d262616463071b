/** What ouroboros-kv promises of its shards (OU-16), and what it gets wrong there. */
import { describe, expect, it } from 'vitest';
import { createReedSolomon, joinShards, parseRedundancy, splitIntoShards } from '../../src/erasure/index.ts';
import { outcomeOf } from '../support/caught.ts';
import { noise } from '../support/contents.ts';

describe('the shards of ouroboros-kv', () => {
  it.each(['2+1', '3+2', '4+4', '8+4'])('OU-16 are Reed-Solomon with %s; no data shards are refused', (counts) => {
    const code = createReedSolomon(parseRedundancy(counts));
    expect(code.verify(splitIntoShards(code, noise(1000)))).toBe(true);
    expect(outcomeOf(() => createReedSolomon({ k: 0, m: 3 }))).toBe('invalid/REDUNDANCY_INVALID');
  });
});

describe('what ouroboros-kv gets wrong about shards', () => {
  it('never computes parity: here every single data shard may be lost', () => {
    const code = createReedSolomon({ k: 4, m: 4 });
    const shards = splitIntoShards(code, noise(1001));
    for (let lost = 0; lost < 4; lost += 1) {
      expect(joinShards(code, shards.with(lost, undefined as never), 1001)).toEqual(noise(1001));
    }
    const zeros = shards.map((shard, index) => (index < 4 ? shard : new Uint8Array(shard.length)));
    expect(code.verify(zeros)).toBe(false);
  });
});
