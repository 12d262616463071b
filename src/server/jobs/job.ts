import { storeError } from '../../errors/store-error.ts';
import type { Progress } from '../../index.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Problem, problemOf } from '../http/problem.ts';

/** What a job does; each is a call of `store.maintenance`. */
export type JobKind = 'check' | 'verify' | 'scrub' | 'repair' | 'gc';

/** `stopped`: the server stopped while it ran. */
export type JobState = 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'stopped';

/** A job as it is told of. */
export interface JobInfo {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  /** Who started it. */
  readonly startedBy: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly ended?: string;
  readonly progress?: Progress;
  /** What the library reports, once it is done. */
  readonly report?: object;
  /** Why it failed. */
  readonly problem?: Problem;
}

/** One run of the work of a job. @param sinceMs since when the job goes on, milliseconds since 1970 */
export type Work = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly sinceMs: number;
}) => Promise<object>;

interface Parts {
  readonly id: string;
  readonly kind: JobKind;
  readonly startedBy: string;
  readonly clock: Clock;
  readonly work: Work;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  readonly onFailure: (error: unknown) => void;
}

/** One job: runs at once, and ends, or is paused and goes on. */
export class Job {
  readonly #parts: Parts;
  readonly #startedMs: number;
  #info: JobInfo;
  #changed = Promise.withResolvers<void>();
  /** Of the run that goes on now. */
  #run = new AbortController();
  /** The end of the last run: none begins before, or the library would find the one before it still at work. */
  #over: Promise<void>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { id, kind, startedBy, clock } = parts;
    this.#startedMs = clock.now();
    this.#info = { id, kind, state: 'running', startedBy, started: new Date(this.#startedMs).toISOString() };
    this.#over = this.#start();
  }

  get info(): JobInfo {
    return this.#info;
  }

  /** Resolves with the next change of what is told. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Stops it so that it goes on later: with what is not done yet; a check begins anew. @throws `conflict/JOB_ENDED` */
  pause(): void {
    this.#checkAlive();
    this.#change({ state: 'paused' });
    this.#run.abort();
  }

  /** @throws `conflict/JOB_ENDED` */
  resume(): void {
    this.#checkAlive();
    if (this.#info.state === 'running') return;
    this.#change({ state: 'running' });
    this.#over = this.#over.then(() => this.#start());
  }

  /** Stops it for good; what it did stays done. @throws `conflict/JOB_ENDED` */
  cancel(): void {
    this.#checkAlive();
    this.#end({ state: 'cancelled' });
    this.#run.abort();
  }

  #checkAlive(): void {
    const { id, ended } = this.#info;
    if (ended !== undefined) throw storeError('JOB_ENDED', 'the job has ended', { details: { key: id } });
  }

  async #start(): Promise<void> {
    // Paused again, or ended, before the run before it was over.
    if (this.#info.state !== 'running') return;
    const run = new AbortController();
    this.#run = run;
    const { work, stopping, onFailure } = this.#parts;
    const signal = AbortSignal.any([run.signal, stopping]);
    const onProgress = (progress: Progress): void => {
      if (this.#run === run) this.#change({ progress });
    };
    try {
      const report = await work({ signal, onProgress, sinceMs: this.#startedMs });
      // What ended although it was stopped is done all the same, unless another run took over.
      if (this.#run === run && this.#info.ended === undefined) this.#end({ state: 'done', report });
    } catch (error) {
      if (run.signal.aborted) return;
      if (stopping.aborted) return this.#end({ state: 'stopped' });
      onFailure(error);
      this.#end({ state: 'failed', problem: problemOf(error) });
    }
  }

  #end(change: Pick<JobInfo, 'state' | 'report' | 'problem'>): void {
    this.#change({ ...change, ended: new Date(this.#parts.clock.now()).toISOString() });
  }

  #change(change: Partial<JobInfo>): void {
    this.#info = Object.freeze({ ...this.#info, ...change });
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
