/**
 * How much of a campaign is run: all of it by `npm run test:campaigns`, which `.ci/run` runs, a tenth by `npm test`. The
 * slow tiers (`npm run test:slow`) run the same code far longer.
 */
export function ofCampaign(whole: number): number {
  return process.env.HOLDFAST_CAMPAIGN === 'whole' ? whole : Math.ceil(whole / 10);
}
