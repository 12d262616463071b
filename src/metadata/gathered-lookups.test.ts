import { describe, expect, it } from 'vitest';
import { GatheredLookups } from './gathered-lookups.ts';

function idsOf(...numbers: readonly number[]): Uint8Array {
  return Buffer.concat(numbers.map((number) => Buffer.alloc(32, number)));
}

/** Finds the number of each id; fails where 13 is among them. */
function numbers(calls: number[]): GatheredLookups<number> {
  return new GatheredLookups(async (ids) => {
    calls.push(ids.length / 32);
    await Promise.resolve();
    if (ids.includes(13)) throw new Error('13');
    return Array.from({ length: ids.length / 32 }, (_, index) => ids[32 * index] as number);
  });
}

describe('lookups', () => {
  it('that are asked for while one is under way are one, and each gets its own', async () => {
    const calls: number[] = [];
    const lookups = numbers(calls);
    const asked = [[1], [2, 3], [], [4], [3, 2, 1]];
    expect(await Promise.all(asked.map((each) => lookups.find(idsOf(...each))))).toEqual(asked);
    expect(await lookups.find(idsOf(5))).toEqual([5]);
    expect(calls).toEqual([1, 6, 1]);
  });

  it('of more ids than one may have go by themselves', async () => {
    const calls: number[] = [];
    const lookups = numbers(calls);
    const many = new Array<number>(1000).fill(7);
    await Promise.all([[1], many, [2], many].map((each) => lookups.find(idsOf(...each))));
    expect(calls).toEqual([1, 1001, 1000]);
  });

  it('that fail do so for those who would have failed alone', async () => {
    const calls: number[] = [];
    const lookups = numbers(calls);
    const asked = [[1], [2], [3, 13], [4]].map((each) => lookups.find(idsOf(...each)));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual([
      ...(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'] as const),
    ]);
    expect(await lookups.find(idsOf(6))).toEqual([6]);
  });
});
