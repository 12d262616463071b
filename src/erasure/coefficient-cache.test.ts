import { describe, expect, it } from 'vitest';
import { CoefficientCache } from './coefficient-cache.ts';
import { coefficientsOf } from './interpolation.ts';

describe('a cache of coefficients', () => {
  it('gives what would be computed, and the same array again', () => {
    const cache = new CoefficientCache();
    const first = cache.get([0, 2, 4], [1, 3]);
    expect(first).toEqual(coefficientsOf([0, 2, 4], [1, 3]));
    expect(cache.get([0, 2, 4], [1, 3])).toBe(first);
  });

  it('tells sources from targets', () => {
    const cache = new CoefficientCache();
    expect(cache.get([1, 2], [3]).length).toBe(2);
    expect(cache.get([1], [2, 3]).length).toBe(2);
    expect(cache.size).toBe(2);
  });

  it('lets go of what was used longest ago', () => {
    const cache = new CoefficientCache(3 * (256 + 2));
    const kept = cache.get([0, 1], [2]);
    const gone = cache.get([0, 1], [3]);
    cache.get([0, 1], [4]);
    expect(cache.get([0, 1], [2])).toBe(kept);
    cache.get([0, 1], [5]);
    expect(cache.size).toBe(3);
    expect(cache.get([0, 1], [2])).toBe(kept);
    expect(cache.get([0, 1], [3])).not.toBe(gone);
    expect(cache.get([0, 1], [3])).toEqual(gone);
  });

  it('counts every coefficient of an entry', () => {
    const [sources, targets] = [
      Array.from({ length: 20 }, (_, index) => index),
      Array.from({ length: 20 }, (_, at) => 20 + at),
    ];
    const two = new CoefficientCache(2 * (256 + 400));
    const short = new CoefficientCache(2 * (256 + 400) - 1);
    for (const cache of [two, short]) {
      cache.get(sources, targets);
      cache.get(targets, sources);
    }
    expect([two.size, short.size]).toEqual([2, 1]);
  });

  it('holds the last one however large it is', () => {
    const cache = new CoefficientCache(1);
    const only = cache.get([0, 1], [2]);
    expect(cache.get([0, 1], [2])).toBe(only);
    cache.get([0, 1], [3]);
    expect(cache.size).toBe(1);
  });
});
