/** The fuzzing campaign: cases of every target in a watched thread. It goes on where it was ended. */
import { performance } from 'node:perf_hooks';
import { CASES_PER_RUN, type FuzzTarget } from '../../fuzz/harness/fuzz-target.ts';
import { describeFailure } from '../../fuzz/harness/run-target.ts';
import { WatchedThread } from '../../fuzz/harness/watched-thread.ts';
import { TARGETS } from '../../fuzz/targets/index.ts';
import { CampaignState } from '../campaign-state.ts';

export interface FuzzOptions {
  /** Of each cheap target; dear ones have fewer. */
  readonly cases: number;
  readonly seed: number;
  /** Default: all. */
  readonly target?: string | undefined;
  /** One case alone, which a failure named. */
  readonly only?: number | undefined;
  /** Run again what was run before. */
  readonly again: boolean;
  readonly stateFile: string;
  readonly say: (line: string) => void;
}

const MODULE = new URL('../../fuzz/targets/index.ts', import.meta.url).href;
/** A case that takes longer is taken for one that never ends. */
const HANG_MS = 60_000;
const SAVE_EVERY_MS = 5000;

/** @throws when a case failed, or there is no such target */
export async function runFuzz(options: FuzzOptions): Promise<void> {
  const { target: wanted, say } = options;
  const targets = TARGETS.filter(({ name }) => wanted === undefined || name === wanted);
  if (targets.length === 0)
    throw new Error(`there is no target ${wanted}; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
  const state = await CampaignState.open(options.stateFile, options);
  const thread = new WatchedThread();
  let [failures, total] = [0, 0];
  try {
    for (const target of targets) {
      const done = await runOne(target, { ...options, state, thread });
      total += done.cases;
      if (done.failed) failures += 1;
    }
  } finally {
    await thread.end();
  }
  say(`${total} cases of ${targets.length} targets, seed ${options.seed}: ${failures} targets failed`);
  if (failures > 0) throw new Error(`${failures} targets failed`);
}

async function runOne(
  target: FuzzTarget,
  run: FuzzOptions & { readonly state: CampaignState; readonly thread: WatchedThread },
): Promise<{ readonly cases: number; readonly failed: boolean }> {
  const { only, seed, state, thread, say } = run;
  const { name, cost } = target;
  const start = only ?? state.nextOf(name);
  const end = only === undefined ? Math.max(1, Math.round(run.cases * CASES_PER_RUN[cost])) : only + 1;
  if (start >= end) {
    say(`${name.padEnd(32)} ${start} cases were run before`);
    return { cases: 0, failed: false };
  }
  const began = performance.now();
  let saved = began;
  const onProgress = (index: number): void => {
    if (only !== undefined || performance.now() - saved < SAVE_EVERY_MS) return;
    saved = performance.now();
    // What is saved late is run twice.
    state.save(name, index).catch(() => undefined);
  };
  const job = { module: MODULE, target: name, seed, start, end };
  const { failure, outcomes } = await thread.run(target, job, { hangMs: HANG_MS, onProgress });
  if (failure) say(describeFailure(failure));
  if (only === undefined) await state.save(name, failure ? failure.index : end);
  const cases = (failure ? failure.index + 1 : end) - start;
  const seconds = (performance.now() - began) / 1000;
  const counts = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  const told = counts.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  say(
    `${name.padEnd(32)} ${String(cases).padStart(8)} cases ${seconds.toFixed(1).padStart(7)} s  ${failure ? 'FAILED' : told}`,
  );
  return { cases, failed: failure !== undefined };
}
