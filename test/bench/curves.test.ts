import { describe, expect, it } from 'vitest';
import { type Curve, costOf, verdictReport } from '../../bench/curves/curve.ts';
import { plotCurve } from '../../bench/curves/plot.ts';
import { flatnessOf } from '../../bench/curves/verdict.ts';

const curve: Curve = {
  name: 'some',
  title: 'Cost by some',
  along: 'some',
  unit: 'entry',
  points: [10, 1000].map((x) => ({
    x,
    label: `${x} of them`,
    costs: { put: { processorUs: x, elapsedUs: 2 * x }, get: { processorUs: 5, elapsedUs: 5 } },
  })),
};

describe('flatnessOf', () => {
  it.each([
    [[1], 'flat'],
    [[1, 2], 'flat'],
    [[2, 1], 'flat'],
    [[1, 2.1], 'GROWS'],
    [[100, 10, 1], 'falls'],
    // Falling first does not hide that it grows in the end.
    [[100, 1, 3], 'GROWS'],
    [[1, 9, 1.5], 'flat'],
  ] as const)('%j is %s', (costs, verdict) => expect(flatnessOf(costs)).toBe(verdict));
});

describe('a curve', () => {
  it('is judged operation by operation, by processor time', () => {
    expect(verdictReport([curve]).rows).toMatchObject([
      { operation: 'put', first: 10, last: 1000, verdict: 'GROWS', range: '10 of them to 1000 of them' },
      { operation: 'get', first: 5, last: 5, verdict: 'flat' },
    ]);
  });

  it('is drawn as an SVG with its points and names', () => {
    const svg = plotCurve(curve);
    expect(svg).toMatch(/^<svg [^>]*width="640"/);
    for (const text of ['Cost by some', '10 of them', 'put', 'get']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
    expect(svg.length).toBeLessThan(20_000);
  });

  it('tells what a unit costs', async () => {
    const { processorUs, elapsedUs } = await costOf(10, async () => {
      for (let nth = 0; nth < 1e6; nth += 1);
    });
    expect(processorUs).toBeGreaterThan(0);
    expect(elapsedUs).toBeGreaterThan(0);
  });
});
