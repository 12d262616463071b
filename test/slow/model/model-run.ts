/** Long lives of stores beside their model: `test/model/store.test.ts` with more and longer sequences. */
import { runVitest } from '../vitest-run.ts';

export interface ModelOptions {
  /** Of each kind of store. */
  readonly lives: number;
  readonly seed: number;
  /** Steps of one life at most. */
  readonly stepsMax: number;
  /** Default: plain and sealed stores. */
  readonly sealed?: boolean;
}

/** @throws when a store and its model differ; the shortest sequence that shows it is printed */
export async function runModel(options: ModelOptions): Promise<void> {
  const { lives, seed, stepsMax, sealed } = options;
  const kind = sealed === undefined ? [] : ['-t', sealed ? 'sealed' : 'plain'];
  const passed = await runVitest(['test/model/store.test.ts', ...kind], {
    HOLDFAST_MODEL_LIVES: String(lives),
    HOLDFAST_MODEL_STEPS: String(stepsMax),
    HOLDFAST_MODEL_SEED: String(seed),
  });
  if (!passed) throw new Error(`a store and its model differ (seed ${seed})`);
}
