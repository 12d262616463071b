import { describe, expect, it } from 'vitest';
import { runKillRounds } from '../slow/kill/kill-rounds.ts';
import { testFolder } from '../support/stores.ts';

const SEED = 7;

describe('a process that is killed', () => {
  // The long run is `npm run test:slow -- kill`; its figures are in docs/durability.md.
  it(`has lost nothing that it acknowledged, wherever it was (seed ${SEED})`, async () => {
    const figures = await runKillRounds({ rounds: 6, seed: SEED, folder: await testFolder() });
    expect(figures.rounds).toBe(6);
    expect(figures.rebuilds).toBe(1);
    expect(figures.acknowledged).toBeGreaterThan(10);
  });
});
