import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlacePattern, tolerate } from './tolerance.ts';

const HOLDERS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** By trying every set of holders there is. */
function bruteForce(patterns: readonly PlacePattern[]): { lossesMax: number; smallest: ReadonlySet<string> } {
  const deadly: string[][] = [];
  for (let bits = 0; bits < 2 ** HOLDERS.length; bits += 1) {
    const lost = HOLDERS.filter((_, at) => (bits >> at) % 2 === 1);
    const kills = patterns.some(({ k, holders }) => holders.filter((one) => !lost.includes(one)).length < k);
    if (kills) deadly.push(lost);
  }
  const size = Math.min(HOLDERS.length + 1, ...deadly.map((lost) => lost.length));
  return { lossesMax: size - 1, smallest: new Set(deadly.filter(({ length }) => length === size).map(String)) };
}

const pattern = fc
  .tuple(fc.array(fc.constantFrom(...HOLDERS), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 8 }))
  .map(([holders, k]): PlacePattern => ({ holders, k: Math.min(k, holders.length + 1), packs: 1 }));

describe('tolerate', () => {
  it('tells what trying every set of losses tells', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), (patterns) => {
        const { lossesMax, fatal } = tolerate(patterns, HOLDERS.length);
        const expected = bruteForce(patterns);
        expect(lossesMax).toBe(expected.lossesMax);
        if (lossesMax < 0 || lossesMax === HOLDERS.length) return;
        for (const { lost } of fatal) expect(expected.smallest).toContain(String(lost));
        expect(fatal).toHaveLength(Math.min(10, expected.smallest.size));
      }),
      { numRuns: 500 },
    );
  });

  it('counts two shards in one place as one loss', () => {
    const patterns = [{ k: 3, holders: ['a', 'a', 'b', 'c', 'd'], packs: 7 }];
    expect(tolerate(patterns, 4)).toEqual({
      lossesMax: 1,
      fatal: [
        { lost: ['a', 'b'], packs: 7 },
        { lost: ['a', 'c'], packs: 7 },
        { lost: ['a', 'd'], packs: 7 },
      ],
    });
  });

  it('says how many packs a loss would hit, and names the worst first', () => {
    const patterns = [
      { k: 1, holders: ['a', 'b'], packs: 5 },
      { k: 1, holders: ['b', 'c'], packs: 9 },
    ];
    expect(tolerate(patterns, 3).fatal).toEqual([
      { lost: ['b', 'c'], packs: 9 },
      { lost: ['a', 'b'], packs: 5 },
    ]);
  });

  it('bears any loss where nothing is stored, and none where packs are lost already', () => {
    expect(tolerate([], 3)).toEqual({ lossesMax: 3, fatal: [] });
    expect(tolerate([{ k: 2, holders: ['a'], packs: 1 }], 3)).toEqual({ lossesMax: -1, fatal: [] });
  });
});
