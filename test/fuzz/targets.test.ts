import { expect, it } from 'vitest';
import { ofCampaign } from '../support/campaign.ts';
import { CASES_PER_RUN } from './harness/fuzz-target.ts';
import { describeFailure, runTarget } from './harness/run-target.ts';
import { TARGETS } from './targets/index.ts';

/** The first cases of the campaign (`npm run test:slow -- fuzz`), which runs two hundred thousand of each. */
const CASES = ofCampaign(2000);
const SEED = 1;

it.each(
  TARGETS.map((target) => ({ name: target.name, target })),
)(`$name reads ${CASES} cases of seed ${SEED} whole, or refuses them as it may`, async ({ target }) => {
  const end = Math.max(1, Math.round(CASES * CASES_PER_RUN[target.cost]));
  const { failure } = await runTarget(target, { seed: SEED, start: 0, end });
  expect(failure && describeFailure(failure)).toBeUndefined();
});

it('every target has a name of its own', () => {
  const names = TARGETS.map(({ name }) => name);
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
});
