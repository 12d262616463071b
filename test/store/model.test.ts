import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { REGRESSIONS } from '../model/regressions.ts';
import { ALL_PAIRS, runPairs, runSequence, runSequences } from '../model/sequences.ts';
import { ofCampaign } from '../support/campaign.ts';

/** The first sequences of the campaign (`npm run test:slow -- model`), which runs half a million. */
const SEQUENCES = ofCampaign(4000);
const SEED = 1;
const SEQUENCE_MS_MAX = 1000;
/** From here on every pair of commands had its turn, but for those that found nothing to be done to. */
const WALKED_AFTER = 1000;

const MODEL_FILES = ['store-model.ts', 'named-model.ts'];
const MODEL_LINES_MAX = 600;

it(
  `a store is what its model is, whatever is done to it (${SEQUENCES} sequences, seed ${SEED})`,
  async () => {
    const seen = new Set<string>();
    await runSequences({ seed: SEED, start: 0, end: SEQUENCES, onPair: (pair) => seen.add(pair) });
    const unseen = [...ALL_PAIRS].filter((pair) => !seen.has(pair));
    expect(unseen.length).toBeLessThan((2 / 3) * ALL_PAIRS.size);
    if (SEQUENCES >= WALKED_AFTER) await runPairs(unseen, SEED);
  },
  SEQUENCES * SEQUENCE_MS_MAX,
);

it.each(Object.entries(REGRESSIONS))('%s', (_, sequence) => runSequence(sequence));

it('a model of a whole store is small enough to be read', () => {
  const lines = MODEL_FILES.map((name) => {
    return readFileSync(new URL(`../model/${name}`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n').length;
  });
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(MODEL_LINES_MAX);
});
