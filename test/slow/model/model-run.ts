/** Long lives of stores beside their model: `test/model/store.test.ts` with more and longer sequences. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from '../../support/consumer-folder.ts';

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
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const kind = sealed === undefined ? [] : ['-t', sealed ? 'sealed' : 'plain'];
  const child = spawn(process.execPath, [vitest, 'run', 'test/model/store.test.ts', ...kind], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      HOLDFAST_MODEL_LIVES: String(lives),
      HOLDFAST_MODEL_STEPS: String(stepsMax),
      HOLDFAST_MODEL_SEED: String(seed),
    },
  });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`a store and its model differ (seed ${seed})`);
}
