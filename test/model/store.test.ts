import * as fc from 'fast-check';
import { it } from 'vitest';
import { KINDS } from '../support/living-store.ts';
import { stepsOf } from './store-steps.ts';
import { StoreWorld } from './store-world.ts';

/** `npm run test:slow -- model` asks for more and longer lives, from a seed that it prints. */
const { HOLDFAST_MODEL_LIVES: lives, HOLDFAST_MODEL_STEPS: steps = '40', HOLDFAST_MODEL_SEED: seed } = process.env;
const LIVES = { plain: 14, sealed: 6 };
const LIFE_TIMEOUT_MS = 20_000;

it.each(KINDS)(
  'a $kind store behaves as its model does, whatever is done to it by two processes that come and go',
  async ({ kind, keys }) => {
    await fc.assert(
      fc.asyncProperty(stepsOf(kind === 'sealed', Number(steps)), (taken) => StoreWorld.live(keys, taken)),
      { numRuns: Number(lives ?? LIVES[kind]), ...(seed !== undefined && { seed: Number(seed) }) },
    );
  },
  LIFE_TIMEOUT_MS * (1 + Number(lives ?? 1)),
);
