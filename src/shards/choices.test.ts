import { describe, expect, it } from 'vitest';
import { choiceCount, scatteredChoices } from './choices.ts';

describe('choices', () => {
  it.each([
    [5, 3, 10n],
    [9, 5, 126n],
    [15, 7, 6435n],
    [4, 4, 1n],
    [4, 0, 1n],
    [3, 4, 0n],
    [255, 2, 32_385n],
  ])('of %i by %i are %i', (count, size, ways) => {
    expect(choiceCount(count, size)).toBe(ways);
  });

  it.each([
    [1, 1],
    [5, 3],
    [6, 6],
    [9, 5],
    [15, 7],
  ])('of %i by %i come each once, ascending, the first ones first', (count, size) => {
    const all = [...scatteredChoices(count, size, Number.POSITIVE_INFINITY)];
    expect(all[0]).toEqual([...Array(size).keys()]);
    expect(BigInt(new Set(all.map(String)).size)).toBe(choiceCount(count, size));
    expect(all).toHaveLength(Number(choiceCount(count, size)));
    for (const choice of all) {
      expect(choice).toHaveLength(size);
      expect(choice.every((item, at) => item < count && (at === 0 || item > choice[at - 1]!))).toBe(true);
    }
  });

  it('leave out a given item soon', () => {
    const choices = [...scatteredChoices(15, 7, 20)];
    for (let item = 0; item < 15; item += 1) {
      expect(choices.findIndex((choice) => !choice.includes(item))).toBeLessThan(12);
    }
  });

  it('are none of too few', () => {
    expect([...scatteredChoices(3, 4, 10)]).toEqual([]);
    expect([...scatteredChoices(4, 3, 0)]).toEqual([]);
  });

  it('are bounded, also where there are more than anybody can count', () => {
    expect([...scatteredChoices(255, 128, 50)]).toHaveLength(50);
  });
});
