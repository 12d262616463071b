import { expect, it } from 'vitest';
import { ofCampaign } from '../support/campaign.ts';
import { SEED } from '../support/points.ts';
import { cutCampaign } from './cut-round.ts';

/** Few of many states rather than many of a few: what a recovery comes to is verified once in a round. */
const [ROUNDS, ROUND_STATES] = [ofCampaign(40), 250];

it(`a store survives power cuts at any call of what is done to it (seed ${SEED})`, { timeout: 1_800_000 }, async () => {
  const campaign = cutCampaign(SEED);
  for (let round = 0; round < ROUNDS; round += 1) await campaign.run(round, ROUND_STATES);
  expect(campaign.figures.states).toBeGreaterThan((ROUNDS * ROUND_STATES) / 2);
});
