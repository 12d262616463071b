/** The thread that runs cases. What it is doing stands in shared memory, so that it can be seen from outside to hang. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FuzzTarget } from './fuzz-target.ts';
import { runTarget } from './run-target.ts';
import { BEAT_AT, CASE_AT, type ThreadAnswer, type ThreadJob } from './thread-protocol.ts';

const shared = new Int32Array(workerData as SharedArrayBuffer);

async function run({ module, target, ...range }: ThreadJob): Promise<ThreadAnswer> {
  try {
    const { TARGETS } = (await import(module)) as { readonly TARGETS: readonly FuzzTarget[] };
    const found = TARGETS.find(({ name }) => name === target);
    if (found === undefined) return { broken: `there is no target ${target}` };
    const onCase = (index: number): void => {
      Atomics.store(shared, CASE_AT, index);
      Atomics.add(shared, BEAT_AT, 1);
    };
    return await runTarget(found, range, onCase);
  } catch (error) {
    return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', async (job: ThreadJob) => {
  parentPort?.postMessage(await run(job));
});
