import { describe, expect, it } from 'vitest';
import { runKillRounds } from '../slow/kill/kill-rounds.ts';
import { KINDS } from '../support/living-store.ts';
import { testFolder } from '../support/stores.ts';

/** All of its kills are aimed at a step: what they find does not hang on how quick the machine is. */
const SEED = 1;
const ROUNDS = 1;
const FILE_ROUNDS = 1;

describe('a process that is killed', () => {
  // The long run is `npm run test:slow -- kill`; its figures are in docs/durability.md.
  it.each(KINDS)(`has lost nothing that it acknowledged to a $kind store, wherever it was (seed ${SEED})`, async ({
    kind,
  }) => {
    const sealed = kind === 'sealed';
    const figures = await runKillRounds({ rounds: ROUNDS, seed: SEED, sealed, folder: await testFolder() });
    expect(figures.rounds).toBe(ROUNDS);
    expect(figures.rebuilds).toBe(1);
    expect(figures.acknowledged).toBeGreaterThan(3);
  });

  it(`has lost nothing that it acknowledged to a sealed store in one file (seed ${SEED})`, async () => {
    const folder = await testFolder();
    const figures = await runKillRounds({ rounds: FILE_ROUNDS, seed: SEED, sealed: true, file: true, folder });
    expect(figures).toMatchObject({ rounds: FILE_ROUNDS, rebuilds: 1 });
    expect(figures.acknowledged).toBeGreaterThan(0);
  });
});
