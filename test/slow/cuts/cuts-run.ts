/** Simulated power cuts, round after round. It goes on where it was ended. */
import { performance } from 'node:perf_hooks';
import { CutCampaign } from '../../simulation/cut-campaign.ts';
import { CampaignState } from '../campaign-state.ts';

export interface CutsOptions {
  readonly states: number;
  readonly seed: number;
  /** One round alone, which a failure named. */
  readonly only?: number | undefined;
  /** Run again what was run before. */
  readonly again: boolean;
  readonly stateFile: string;
  readonly say: (line: string) => void;
}

const ROUND_STATES = 500;
const SAY_EVERY_ROUNDS = 100;

/** @throws when a store lost something, which the message says how to see again */
export async function runCuts(options: CutsOptions): Promise<void> {
  const { states, seed, only, say } = options;
  const campaign = new CutCampaign(seed);
  if (only !== undefined) {
    await campaign.run(only, ROUND_STATES);
    return say(`round ${only}: ${JSON.stringify(campaign.figures)}`);
  }
  const state = await CampaignState.open(options.stateFile, options);
  const began = performance.now();
  const rounds = Math.ceil(states / ROUND_STATES);
  const tell = (round: number): void => {
    const figures = Object.entries(campaign.figures).map(([name, value]) => `${name} ${value}`);
    say(`${round} of ${rounds} rounds, ${((performance.now() - began) / 1000).toFixed(0)} s: ${figures.join(', ')}`);
  };
  for (let round = state.nextOf('cuts'); round < rounds; round += 1) {
    await campaign.run(round, ROUND_STATES);
    await state.save('cuts', round + 1);
    if ((round + 1) % SAY_EVERY_ROUNDS === 0) tell(round + 1);
  }
  tell(rounds);
}
