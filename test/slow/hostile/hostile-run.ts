/** Rounds of hostility beside clients of good faith, each of a seed of its own. */
import { type RoundFigures, runHostileRound } from '../../hostile/hostile-round.ts';
import { type CampaignOptions, runCampaign } from '../resumable.ts';

/** Of each kind, in a round: some 600 attacks. */
const ATTACKS = 30;
const STEPS = 100;
const DELAY_P99_MAX = 0.2;
const SEEDS_OF_ROUND = 1_000_000;

/** @throws when a round went wrong; the message names its seed */
export async function runHostile(options: CampaignOptions): Promise<void> {
  const rounds: RoundFigures[] = [];
  const sum = (count: (round: RoundFigures) => number): number => rounds.reduce((all, one) => all + count(one), 0);
  const most = (count: (round: RoundFigures) => number): number => Math.max(0, ...rounds.map(count));
  await runCampaign(options, {
    name: 'rounds',
    savedAfter: 1,
    async run(start) {
      const seed = options.seed * SEEDS_OF_ROUND + start;
      const round = await runHostileRound({ seed, attacks: ATTACKS, steps: STEPS });
      if (round.delayP99 > DELAY_P99_MAX)
        throw new Error(`round ${start}: one in a hundred delays of the event loop is above ${DELAY_P99_MAX} s`);
      rounds.push(round);
    },
    figures: () =>
      `${sum(({ attacks }) => attacks)} attacks, ${sum(({ requests }) => requests)} requests answered rightly, ` +
      `${sum(({ retries }) => retries)} of them told to come again, memory grown by ` +
      `${(most(({ grownBytes }) => grownBytes) / 1024 ** 2).toFixed(0)} MiB at most, ` +
      `99 of 100 delays within ${most(({ delayP99 }) => delayP99)} s`,
  });
}
