import { describe, expect, it } from 'vitest';
import { KILL_KINDS } from '../slow/kill/aims.ts';
import { runKillSeries } from '../slow/kill/kill-rounds.ts';
import { testFolder } from '../support/stores.ts';

const SEED = 1;
/** Of each kind of store. `npm run test:slow -- kill` kills five thousand. */
const KILLS = 20;
/** Four processes at once on one store, none of which lives long: what a round costs is starting and verifying. */
const ROUND = { workers: 4, large: false, patienceMs: 400 };
/** Far more than it takes: a busy machine is no failure. */
const TEST_MS_MAX = 900_000;

describe('a process that is killed', () => {
  it.each(KILL_KINDS)(`has lost nothing that it acknowledged to a $name store, wherever it was (seed ${SEED})`, {
    timeout: TEST_MS_MAX,
  }, async (kind) => {
    const figures = await runKillSeries({ kind, kills: KILLS, seed: SEED, folder: await testFolder(), ...ROUND });
    expect(figures.kills).toBeGreaterThanOrEqual(KILLS);
    expect(figures.rebuilds).toBe(1);
    expect(figures.acknowledged + figures.inFlight).toBeGreaterThan(0);
  });
});
