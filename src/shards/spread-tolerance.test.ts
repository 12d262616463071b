import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadTolerance } from './spread-tolerance.ts';

/** The same by trying: the largest n of which no n backends take too much with them. */
function tried(places: readonly string[], k: number): number {
  const names = [...new Set(places)];
  const survives = (lost: number): boolean =>
    places.filter((place) => ((lost >> names.indexOf(place)) & 1) === 0).length >= k;
  const patterns = Array.from({ length: 2 ** names.length }, (_, lost) => lost);
  const sizeOf = (lost: number): number => names.filter((_, at) => (lost >> at) & 1).length;
  for (let size = 0; size <= names.length; size += 1) {
    if (patterns.some((lost) => sizeOf(lost) === size && !survives(lost))) return size - 1;
  }
  return names.length;
}

describe('the tolerance of a spread set', () => {
  it.each([
    ['abcde', 3, 2, 2],
    ['ababa', 3, 2, 0],
    ['abcab', 3, 2, 1],
    ['aaa', 2, 1, 0],
    ['abc', 3, 0, 0],
    ['ab', 3, -1, -1],
    ['', 1, -1, -1],
  ])('of shards on %j that need %i', (places, k, lossesLeft, backendLossesLeft) => {
    expect(spreadTolerance([...places], k)).toEqual({ lossesLeft, backendLossesLeft });
  });

  it('is what trying every set of backends gives', () => {
    const spreads = fc.record({
      places: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 12 }),
      k: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(spreads, ({ places, k }) => {
        expect(spreadTolerance(places, k).backendLossesLeft).toBe(tried(places, k));
      }),
    );
  });
});
