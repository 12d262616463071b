import { describe, expect, it } from 'vitest';
import type { Figure } from './figure.ts';
import { describeLimits, ingestLimits, type Measured } from './limits-of.ts';

function figure(id: string, median: number): Figure {
  return { id, what: id, unit: 'MB/s', median, min: median, max: median, samples: 1 };
}

const kernels = [
  figure('kernel.cut', 1000),
  figure('kernel.hash', 1000),
  figure('kernel.compress', 500),
  figure('kernel.seal', 100),
  figure('kernel.erasure', 50),
];
const plain: Measured = {
  figures: [...kernels, figure('store.write', 200)],
  cores: 2,
  sealed: false,
  redundancy: { k: 1, m: 0 },
  backendCount: 1,
  storedRatio: 0.25,
};

describe('ingestLimits', () => {
  it('adds up the times of the steps, and no step that is not taken', () => {
    const limits = ingestLimits(plain);
    expect(limits.core).toBeCloseTo(250);
    expect(limits).toMatchObject({ by: 'processor' });
    expect(limits.backends).toBeUndefined();
    expect(limits.share).toBeCloseTo(200 / 500);
  });

  it('counts what is sealed and coded as it is then: compressed', () => {
    const sealed = ingestLimits({ ...plain, sealed: true, redundancy: { k: 3, m: 2 } });
    // 1/1000 + 1/1000 + 1/500, a quarter of the bytes at 100, and at 50.
    expect(sealed.core).toBeCloseTo(1 / (0.004 + 0.0025 + 0.005));
  });

  it('waits for the slowest backend, which gets its share of data and parity', () => {
    const figures = [...plain.figures, figure('backend.a.write', 10), figure('backend.b.write', 90)];
    const limits = ingestLimits({ ...plain, figures, redundancy: { k: 1, m: 1 }, backendCount: 2 });
    // Each takes as many bytes as are stored once: a quarter of the plain ones.
    expect(limits.backends).toBeCloseTo(10 / 0.25);
    expect(limits.by).toBe('backends');
    expect(limits.share).toBeCloseTo(200 / 40);
  });
});

describe('describeLimits', () => {
  it('names the limit, and how many flushes a put takes where both were measured', () => {
    expect(describeLimits(plain)).toHaveLength(2);
    const figures = [...plain.figures, figure('disk.flush', 2), figure('store.put', 100)];
    expect(describeLimits({ ...plain, figures }).at(-1)).toMatch(/as long as 5\.0 flushes/);
  });
});
