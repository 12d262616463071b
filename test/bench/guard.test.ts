import { describe, expect, it } from 'vitest';
import { compareRatios, complaints, MARGINS } from '../../bench/guard/compare.ts';

const before = { ingest: { processor: 2, seconds: 4 } };

describe('compareRatios', () => {
  it('holds up to the margin of each kind, and not beyond', () => {
    const at = (factor: number) => ({
      ingest: { processor: 2 * (1 + MARGINS.processor * factor), seconds: 4 * (1 + MARGINS.seconds * factor) },
    });
    expect(compareRatios(at(0.99), before).map(({ verdict }) => verdict)).toEqual(['held', 'held']);
    expect(compareRatios(at(1.01), before).map(({ verdict }) => verdict)).toEqual(['WORSE', 'WORSE']);
  });

  it('does not mind that something got better', () => {
    expect(complaints(compareRatios({ ingest: { processor: 0.1, seconds: 0.1 } }, before))).toEqual([]);
  });

  it('does not pass what nothing was written down for', () => {
    expect(complaints(compareRatios({ ingest: { seconds: 1 } }, undefined))).toEqual([
      'ingest, seconds: no baseline; `npm run bench -- --update guard` writes one',
    ]);
    expect(compareRatios({ other: { seconds: 1 } }, before)).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('compares elapsed time alone where the other cannot be had', () => {
    expect(compareRatios({ ingest: { seconds: 4 } }, before)).toHaveLength(1);
  });

  it('says by how much, and what is allowed', () => {
    expect(complaints(compareRatios({ ingest: { processor: 3, seconds: 4 } }, before))).toEqual([
      "ingest, processor: 3.00 times its yardstick, 50 % more than the baseline's 2.00; 25 % are allowed",
    ]);
  });
});
