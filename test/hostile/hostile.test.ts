/** A round of every kind of hostility at the same time; `npm run test:slow -- hostile` runs many, and longer ones. */
import { describe, expect, it } from 'vitest';
import { runHostileRound } from './hostile-round.ts';

/** The slow tier asks for it of 99 in a hundred, on a quiet machine: here other tests run beside the server. */
const DELAY_P90_MAX = 0.2;

describe('a server under attack', () => {
  // What the process takes is read from /proc.
  it.skipIf(process.platform !== 'linux')('serves others as if nothing was, and is as before afterwards', async () => {
    const figures = await runHostileRound({ seed: Number(process.env.HOLDFAST_SEED ?? 1), attacks: 3, steps: 10 });
    expect(figures.requests).toBeGreaterThan(50);
    expect(figures.delayP90).toBeLessThanOrEqual(DELAY_P90_MAX);
  });
});
