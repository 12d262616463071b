import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import {
  checkRedundancy,
  formatRedundancy,
  parseRedundancy,
  REDUNDANCY_PRESETS,
  redundancyFigures,
} from './redundancy.ts';

function refusal(run: () => unknown): StoreError {
  try {
    run();
  } catch (error) {
    if (isStoreError(error, 'REDUNDANCY_INVALID')) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const possible = fc
  .integer({ min: 1, max: 255 })
  .chain((k) => fc.record({ k: fc.constant(k), m: fc.integer({ min: 0, max: 255 - k }) }));

describe('a redundancy', () => {
  it('is read from its own text', () => {
    fc.assert(
      fc.property(possible, (redundancy) => {
        expect(parseRedundancy(formatRedundancy(redundancy))).toEqual(redundancy);
      }),
    );
  });

  it.each([
    ['none', 1, 0],
    ['minimal', 2, 1],
    ['PERSONAL', 3, 2],
    ['Federation', 5, 4],
    ['paranoid', 7, 8],
    ['1+254', 1, 254],
    ['255+0', 255, 0],
  ])('is read from %s', (text, k, m) => {
    expect(parseRedundancy(text)).toEqual({ k, m });
  });

  it.each([
    '',
    '3',
    '3+',
    '+2',
    '0+2',
    '03+2',
    '3+02',
    '3 + 2',
    '-1+2',
    '3+2+1',
    '3.5+2',
    '1000+1',
    'toString',
    '３+2',
  ])('is not read from %j, and the error lists what is legal', (text) => {
    const error = refusal(() => parseRedundancy(text));
    expect(error.code).toBe('REDUNDANCY_INVALID');
    expect(error.message).toMatch(/4\+2.*none, minimal, personal, federation, paranoid/);
  });

  it.each([
    [{ k: 0, m: 2 }, 'redundancy.k'],
    [{ k: 256, m: 0 }, 'redundancy.k'],
    [{ k: 2.5, m: 1 }, 'redundancy.k'],
    [{ k: 3, m: -1 }, 'redundancy.m'],
    [{ k: 3, m: 253 }, 'redundancy.m'],
    [{ k: 3, m: Number.NaN }, 'redundancy.m'],
    [{ k: 3 }, 'redundancy.m'],
  ])('of %j is impossible', (redundancy, setting) => {
    expect(refusal(() => checkRedundancy(redundancy as never)).details).toEqual({ setting });
  });

  it('is an object, its text a text', () => {
    for (const other of ['3+2', null, undefined, 5])
      expect(() => checkRedundancy(other as never)).toThrow(/^redundancy must be an object with k and m/);
    expect(() => parseRedundancy(3 as never)).toThrow(TypeError);
  });
});

describe('the figures', () => {
  // The levels of our-storage, by the figures it publishes.
  it.each([
    ['none', 1, 0, 0],
    ['minimal', 3, 1, 50],
    ['personal', 5, 2, 66.67],
    ['federation', 9, 4, 80],
    ['paranoid', 15, 8, 114.29],
  ] as const)('of %s', (preset, shards, lossesMax, overhead) => {
    const figures = redundancyFigures(REDUNDANCY_PRESETS[preset]);
    expect(figures).toMatchObject({ preset, shards, lossesMax });
    expect(figures.overheadPercent).toBeCloseTo(overhead, 2);
  });

  it('of a redundancy that has k or m in common with a preset name none', () => {
    for (const { k, m } of Object.values(REDUNDANCY_PRESETS))
      for (const near of [
        { k, m: m + 1 },
        { k: k + 20, m },
      ])
        expect(redundancyFigures(near).preset).toBeUndefined();
  });

  it('of another redundancy name no preset', () => {
    expect(redundancyFigures({ k: 10, m: 4 })).toEqual({
      preset: undefined,
      k: 10,
      m: 4,
      shards: 14,
      lossesMax: 4,
      overheadPercent: 40,
    });
  });
});
