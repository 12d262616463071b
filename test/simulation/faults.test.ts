import { expect, it } from 'vitest';
import { ofCampaign } from '../support/campaign.ts';
import { SEED } from '../support/points.ts';
import { faultCampaign } from './fault-round.ts';

const [ROUNDS, ROUND_FAULTS] = [ofCampaign(60), 84];

it(`a store survives faults at any call of its files (seed ${SEED})`, { timeout: 1_800_000 }, async () => {
  const campaign = faultCampaign(SEED);
  for (let round = 0; round < ROUNDS; round += 1) await campaign.run(round, ROUND_FAULTS);
  expect(campaign.figures.failed).toBeGreaterThan((ROUNDS * ROUND_FAULTS) / 10);
});
