/**
 * Who is at which job, so that processes share the work instead of doing it twice. Correctness does not rest on it: every
 * change of a job looks in its own transaction whether what it goes by is still so, and whether its session was fenced.
 */
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import type { WaitingFor } from './gc/report.ts';
import { describeSession, fenceDead, type SessionContext } from './gc/sessions.ts';

/**
 * Leases of one process: `gc` of a collection, `scrub`, `repair/NUMBER` of a pack that is being repaired. A process that
 * is gone has none: who finds it in the way fences it.
 */
export class Leases {
  readonly #context: SessionContext;
  /** The metadata gives a session what it has already, to whichever of its jobs. */
  readonly #held = new Set<string>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** @returns who has the lease instead, this process itself perhaps; `undefined`: who asked has it now */
  async take(name: string): Promise<WaitingFor | undefined> {
    const { metadata, life, session } = this.#context;
    if (this.#held.has(name)) return describeSession({ id: session, process: life.self, silentMs: 0 });
    this.#held.add(name);
    try {
      let holder = await metadata.takeLease(name);
      if (holder && (await fenceDead(this.#context)) > 0) holder = await metadata.takeLease(name);
      if (holder === undefined) return undefined;
      this.#held.delete(name);
      return describeSession(holder);
    } catch (error) {
      this.#held.delete(name);
      throw error;
    }
  }

  /** What was taken is free for others. */
  async leave(name: string): Promise<void> {
    try {
      await this.#context.metadata.leaveLease(name);
    } catch (error) {
      // It ends with the session at the latest, and what was done is done.
      if (!isStoreError(error) || (error.kind !== 'closed' && error.kind !== 'unavailable')) throw error;
    } finally {
      this.#held.delete(name);
    }
  }

  /**
   * Does a job, unless somebody else is at it.
   * @throws `unavailable/JOB_HELD`, before anything is done; what `work` throws
   */
  async holding<T>(job: string, work: () => Promise<T>): Promise<T> {
    const holder = await this.take(job);
    if (holder) throw jobHeld(job, holder);
    try {
      return await work();
    } finally {
      await this.leave(job);
    }
  }
}

function jobHeld(job: string, { process, session }: WaitingFor): StoreError {
  const who = process === '' ? `session ${session}` : process;
  return storeError('JOB_HELD', `the job ${job} is another one's: ${who}`, { details: { session } });
}
