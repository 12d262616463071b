/** The campaign of stores beside their model. It goes on where it was ended. */
import { performance } from 'node:perf_hooks';
import { ALL_PAIRS, runSequences } from '../../model/sequences.ts';
import { CampaignState } from '../campaign-state.ts';

export interface ModelOptions {
  readonly sequences: number;
  readonly seed: number;
  /** One sequence alone, which a failure named. */
  readonly only?: number | undefined;
  /** Run again what was run before. */
  readonly again: boolean;
  readonly stateFile: string;
  readonly say: (line: string) => void;
}

const SAVED_AFTER = 500;

/** @throws when a store and its model differ; the shortest sequence that shows it is told */
export async function runModel({ sequences, seed, only, again, stateFile, say }: ModelOptions): Promise<void> {
  const state = await CampaignState.open(stateFile, { seed, again });
  const first = only ?? state.nextOf('store');
  const last = only === undefined ? sequences : only + 1;
  if (first > 0 && only === undefined) say(`${first} sequences were run before`);
  const [began, pairs] = [performance.now(), new Set<string>()];
  for (let start = first; start < last; start += SAVED_AFTER) {
    const end = Math.min(last, start + SAVED_AFTER);
    await runSequences({ seed, start, end, onPair: (pair) => pairs.add(pair) });
    if (only !== undefined) continue;
    await state.save('store', end);
    const seconds = (performance.now() - began) / 1000;
    say(`${end} sequences, ${((end - first) / seconds).toFixed(1)} a second, ${pairs.size} of ${ALL_PAIRS.size} pairs`);
  }
}
