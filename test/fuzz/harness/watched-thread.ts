/**
 * Runs cases in a thread of their own and watches it. A case that never ends, takes all memory or ends the thread is a
 * failure like any other: it is named, and the next target gets a new thread.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { caseInput } from './case-input.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import type { Fault } from './run-case.ts';
import type { TargetResult } from './run-target.ts';
import { BEAT_AT, CASE_AT, SHARED_BYTES, type ThreadAnswer, type ThreadJob } from './thread-protocol.ts';

export interface WatchOptions {
  /** How long one case may take before its thread is ended, milliseconds. */
  readonly hangMs: number;
  /** Told now and then which case is run. */
  readonly onProgress?: (index: number) => void;
}

const HEAP_MIB_MAX = 1024;
const LOOK_MS = 100;

/** One thread for one target after the other. */
export class WatchedThread {
  #worker: Worker | undefined;
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));

  #start(): Worker {
    const entry = new URL('case-worker.ts', import.meta.url);
    return new Worker(entry, {
      workerData: this.#shared.buffer,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
    });
  }

  /** @throws when the target cannot be made */
  async run(target: FuzzTarget, job: ThreadJob, options: WatchOptions): Promise<TargetResult> {
    Atomics.store(this.#shared, CASE_AT, job.start);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const ended = Promise.withResolvers<ThreadAnswer | Fault>();
    const settle = {
      message: ended.resolve,
      // Out of memory, or an error that nobody waited for.
      error: () => ended.resolve('ended its thread'),
      exit: () => ended.resolve('ended its thread'),
    };
    for (const [event, listener] of Object.entries(settle)) worker.on(event, listener as () => void);
    worker.postMessage(job);
    const answer = await this.#watch(ended.promise, options);
    for (const [event, listener] of Object.entries(settle)) worker.off(event, listener as () => void);
    if (typeof answer === 'string') return await this.#lost(target, job, answer);
    if ('broken' in answer) throw new Error(`${target.name} cannot be run: ${answer.broken}`);
    return answer;
  }

  async #watch(
    answer: Promise<ThreadAnswer | Fault>,
    { hangMs, onProgress }: WatchOptions,
  ): Promise<ThreadAnswer | Fault> {
    const done = new AbortController();
    const settled = answer.finally(() => done.abort());
    let beat = -1;
    for (let waited = 0; !done.signal.aborted; waited += LOOK_MS) {
      const now = Atomics.load(this.#shared, BEAT_AT);
      if (now !== beat) waited = 0;
      beat = now;
      onProgress?.(Atomics.load(this.#shared, CASE_AT));
      if (waited >= hangMs) return 'never ended';
      await wait(LOOK_MS, undefined, { signal: done.signal }).catch(() => undefined);
    }
    return await settled;
  }

  async #lost(target: FuzzTarget, { seed }: ThreadJob, fault: Fault): Promise<TargetResult> {
    const index = Atomics.load(this.#shared, CASE_AT);
    await this.end();
    const prepared = await target.prepare();
    try {
      const { input } = caseInput(prepared, { target: target.name, seed, index });
      const what = 'nothing came back from it';
      return { outcomes: {}, failure: { target: target.name, seed, index, fault, what, input, shrunk: input } };
    } finally {
      await prepared.close();
    }
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
