import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ALL_PAIRS, runSequences } from '../model/sequences.ts';
import { ofCampaign } from '../support/campaign.ts';

/** The first sequences of the campaign (`npm run test:slow -- model`), which runs half a million. */
const SEQUENCES = ofCampaign(3000);
/** A tenth does not go all the way. */
const PAIRS_MIN = SEQUENCES < 2000 ? ALL_PAIRS.size / 2 : ALL_PAIRS.size;
const SEED = 1;
const SEQUENCE_MS_MAX = 500;

const MODEL_FILES = ['store-model.ts', 'named-model.ts'];
const MODEL_LINES_MAX = 600;

it(
  `a store is what its model is, whatever is done to it (${SEQUENCES} sequences, seed ${SEED})`,
  async () => {
    const seen = new Set<string>();
    await runSequences({ seed: SEED, start: 0, end: SEQUENCES, onPair: (pair) => seen.add(pair) });
    const unseen = [...ALL_PAIRS].filter((pair) => !seen.has(pair));
    expect(unseen.length, `not seen: ${unseen.join('; ')}`).toBeLessThanOrEqual(ALL_PAIRS.size - PAIRS_MIN);
  },
  SEQUENCES * SEQUENCE_MS_MAX,
);

it('a model of a whole store is small enough to be read', () => {
  const lines = MODEL_FILES.map((name) => {
    return readFileSync(new URL(`../model/${name}`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n').length;
  });
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(MODEL_LINES_MAX);
});
