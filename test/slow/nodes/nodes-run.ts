/** Rounds of several processes on one shared store, sealed ones by turns, over services that are started for them. */
import { withServices } from '../../services/start-services.ts';
import { type CampaignOptions, runCampaign } from '../resumable.ts';

/** Of each of the four processes of a round. */
const OPERATIONS = 1000;
const KILLS = 5;

/** @throws when a round lost something; the message names the seed of the round */
export async function runNodes(options: CampaignOptions): Promise<void> {
  await withServices(async (settings) => {
    Object.assign(process.env, settings);
    // They look for the services when they are loaded.
    const { noNodesFigures, runNodesRound } = await import('./nodes-round.ts');
    const { emptyBucket, makeBucket, openRelay, SERVER } = await import('../../services/services.ts');
    const figures = noNodesFigures();
    await runCampaign(options, {
      name: 'rounds',
      savedAfter: 1,
      figures: () =>
        Object.entries(figures)
          .map(([name, value]) => `${value} ${name}`)
          .join(', '),
      run: async (start) => {
        const [bucket, relay, seed] = [await makeBucket(), await openRelay(), options.seed * 1_000_003 + start];
        const metadata = `${SERVER}?schema=round_${start}`;
        const round = { seed, sealed: start % 2 === 1, operations: OPERATIONS, kills: KILLS, bucket, relay, metadata };
        try {
          await runNodesRound(round, figures);
        } finally {
          await relay.cut();
        }
        await emptyBucket(bucket);
      },
    });
  });
}
