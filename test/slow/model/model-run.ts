import { ALL_PAIRS, runSequences } from '../../model/sequences.ts';
import { type CampaignOptions, runCampaign } from '../resumable.ts';

const SAVED_AFTER = 500;

/**
 * The campaign of stores beside their model.
 * @throws when a store and its model differ; the shortest sequence that shows it is told
 */
export async function runModel(options: CampaignOptions): Promise<void> {
  const pairs = new Set<string>();
  await runCampaign(options, {
    name: 'sequences',
    savedAfter: SAVED_AFTER,
    run: (start, end) => runSequences({ seed: options.seed, start, end, onPair: (pair) => pairs.add(pair) }),
    figures: () => `${pairs.size} of ${ALL_PAIRS.size} pairs`,
  });
}
