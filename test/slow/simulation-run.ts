/** What happens to simulated stores, round after round. */
import { cutCampaign } from '../simulation/cut-round.ts';
import { faultCampaign } from '../simulation/fault-round.ts';
import { type CampaignOptions, runCampaign } from './resumable.ts';

/** What one round tries, about. */
const ROUND_SIZES = { cuts: 500, faults: 250 } as const;

/**
 * @param count states or faults in all
 * @throws when a store lost something, which the message says how to see again
 */
export async function runSimulation(what: 'cuts' | 'faults', options: CampaignOptions): Promise<void> {
  const campaign = what === 'cuts' ? cutCampaign(options.seed) : faultCampaign(options.seed);
  const size = ROUND_SIZES[what];
  await runCampaign(
    { ...options, count: Math.ceil(options.count / size) },
    {
      name: 'rounds',
      savedAfter: 1,
      run: (round) => campaign.run(round, size),
      figures: () =>
        Object.entries(campaign.figures)
          .map(([name, value]) => `${name} ${value}`)
          .join(', '),
    },
  );
}
