import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { createReedSolomon } from './reed-solomon.ts';
import { joinShards, splitIntoShards } from './split-join.ts';

describe('split content', () => {
  const code = createReedSolomon({ k: 3, m: 2 });

  it('is cut into equal parts, the last one filled up with zeros', () => {
    const shards = splitIntoShards(code, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    expect(shards.slice(0, 3)).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6), Uint8Array.of(7, 0, 0)]);
    expect(code.verify(shards)).toBe(true);
  });

  it('joins again from any k shards, and shares no memory with what it came from', () => {
    const contents = fc.uint8Array({ maxLength: 50 });
    fc.assert(
      fc.property(contents, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 3 }), (content, kept) => {
        const shards = splitIntoShards(code, content);
        const left = shards.map((shard, index) => (kept.includes(index) ? shard : undefined));
        const joined = joinShards(code, left, content.length);
        for (const shard of shards) shard.fill(0);
        expect(joined).toEqual(content);
      }),
    );
  });

  it.each([0, 1, 2, 4])('of %i bytes fits into three data shards', (length) => {
    const content = new Uint8Array(length).fill(5);
    const shards = splitIntoShards(code, content);
    expect(joinShards(code, [undefined, undefined, ...shards.slice(2)], length)).toEqual(content);
  });

  it('does not join when it cannot be right', () => {
    const shards = splitIntoShards(code, new Uint8Array(30));
    expect(outcomeOf(() => joinShards(code, shards, 31))).toBe('invalid/SHARDS_INVALID');
    expect(outcomeOf(() => joinShards(code, shards, 27))).toBe('invalid/SHARDS_INVALID');
    expect(outcomeOf(() => joinShards(code, shards.slice(1), 30))).toBe('invalid/SHARDS_INVALID');
    expect(outcomeOf(() => joinShards(code, Array(5).fill(undefined), 30))).toBe('corrupt/SHARDS_INSUFFICIENT');
    expect(() => joinShards(code, shards, -1)).toThrow(RangeError);
    expect(() => splitIntoShards(code, 'text' as never)).toThrow(TypeError);
  });
});
