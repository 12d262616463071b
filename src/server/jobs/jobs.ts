import { storeError } from '../../errors/store-error.ts';
import type { Store } from '../../index.ts';
import { SERVER_JOBS_KEPT_MAX } from '../../limits.ts';
import { randomId } from '../../runtime/random.ts';
import type { Settings } from '../settings.ts';
import { Job, type JobKind, type Work } from './job.ts';

/** What may be said of a job; what a kind does not know is refused. */
export interface JobOptions {
  readonly dryRun?: boolean;
  /** Bytes of shards a second. */
  readonly bytesPerSecond?: number;
  /** Bytes of shards after which nothing further is begun. */
  readonly budgetBytes?: number;
  /** Of `repair`: look at every pack, not only at those that are known to need it. */
  readonly all?: boolean;
}

const KNOWN: Readonly<Record<JobKind, readonly (keyof JobOptions)[]>> = {
  check: [],
  verify: ['bytesPerSecond', 'budgetBytes', 'dryRun'],
  scrub: ['bytesPerSecond', 'budgetBytes'],
  repair: ['bytesPerSecond', 'budgetBytes', 'dryRun', 'all'],
  gc: ['dryRun'],
};

/** The jobs that one server runs and ran, newest first, as long as it lives. */
export class Jobs {
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #jobs = new Map<string, Job>();

  constructor(store: Store, settings: Settings) {
    this.#store = store;
    this.#settings = settings;
  }

  /**
   * @throws `unavailable/JOB_HELD` when one of the kind has not ended, `invalid/REQUEST_INVALID` for what the kind does not know
   */
  start(kind: JobKind, options: JobOptions, startedBy: string): Job {
    const unknown = Object.keys(options).find((name) => !KNOWN[kind].includes(name as keyof JobOptions));
    if (unknown !== undefined)
      throw storeError('REQUEST_INVALID', `${kind} knows no ${unknown}`, { details: { field: `body.${unknown}` } });
    if (this.list().some(({ info }) => info.kind === kind && info.ended === undefined))
      throw storeError('JOB_HELD', `a ${kind} is under way already`);
    const { clock, stopping, logger } = this.#settings;
    const onFailure = (error: unknown): void => logger?.error(`a job failed: ${kind}`, { error });
    const work = this.#workOf(kind, options);
    const job = new Job({ id: randomId(), kind, startedBy, clock, work, stopping, onFailure });
    this.#jobs.set(job.info.id, job);
    this.#forget();
    return job;
  }

  list(): readonly Job[] {
    return [...this.#jobs.values()].reverse();
  }

  /** @throws `not-found/JOB_NOT_FOUND` */
  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw storeError('JOB_NOT_FOUND', 'there is no such job', { details: { key: id } });
    return job;
  }

  #workOf(kind: JobKind, options: JobOptions): Work {
    const { maintenance } = this.#store;
    const { clock } = this.#settings;
    switch (kind) {
      case 'verify':
      case 'scrub':
        // Gone on with, it passes over what it verified before.
        return ({ sinceMs, ...rest }) => maintenance[kind]({ ...options, ...rest, maxAgeMs: clock.now() - sinceMs });
      default:
        return ({ sinceMs: _sinceMs, ...rest }) => maintenance[kind]({ ...options, ...rest });
    }
  }

  #forget(): void {
    for (const [id, { info }] of this.#jobs) {
      if (this.#jobs.size <= SERVER_JOBS_KEPT_MAX) return;
      if (info.ended !== undefined) this.#jobs.delete(id);
    }
  }
}
