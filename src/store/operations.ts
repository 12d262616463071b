import { isStoreError, storeError } from '../errors/store-error.ts';
import { SESSION_BEAT_MS, SESSION_LOOK_MS, STREAM_IDLE_MS } from '../limits.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import { every } from '../runtime/timers.ts';

/** One operation in flight: what it has seen is not deleted before it ends. */
export interface Operation {
  /** It goes on after somebody took their time. @throws `closed/SESSION_FENCED` when that was too long */
  resume(): void;
  /** Nobody knows when it goes on. */
  pause(): void;
  end(): void;
}

interface Running {
  readonly epoch: number;
  /** Since when it waits for its caller. */
  pausedMs: number | undefined;
  lapsed: boolean;
}

/**
 * The operations of one process, and the epoch that it publishes: that of the oldest one. An operation has the epoch
 * that was known when it began, which is never later than that of now; what was condemned since then, it may have seen
 * before.
 */
export class Operations {
  readonly #metadata: Metadata;
  readonly #clock: Clock;
  readonly #running = new Set<Running>();
  #known = 0;
  #published = 0;
  #publishedMs = 0;
  #isLooking = false;
  #publishing: Promise<void> = Promise.resolve();
  #beating: { stop(): void } | undefined;
  #fencedBy: unknown;

  constructor(metadata: Metadata, clock: Clock) {
    this.#metadata = metadata;
    this.#clock = clock;
  }

  /** To be called once the session is open, and before the first operation begins. */
  async start(onFailure: (error: unknown) => void): Promise<void> {
    await this.publish();
    this.#beating = every(SESSION_LOOK_MS, () => void this.#look().catch(onFailure));
  }

  /** Counts an operation until it ends. */
  begin(): Operation {
    const running: Running = { epoch: this.#known, pausedMs: undefined, lapsed: false };
    this.#running.add(running);
    return {
      pause: () => {
        running.pausedMs = this.#clock.monotonicMs();
      },
      resume: () => {
        running.pausedMs = undefined;
        if (!running.lapsed) return;
        throw storeError('SESSION_FENCED', 'nobody went on reading for so long that what is read may be gone by now');
      },
      end: () => {
        this.#running.delete(running);
      },
    };
  }

  /**
   * Publishes how old the oldest operation is, one call after the other. In this order: the epoch of now is read, then
   * new operations take it for theirs, then the oldest is published: none can begin older than that.
   * @throws `closed/SESSION_FENCED`
   */
  publish(): Promise<void> {
    const publishing = this.#publishing.then(() => this.#publish());
    this.#publishing = publishing.catch(() => undefined);
    return publishing;
  }

  /** Publishes when there is something to say: somebody began an epoch, or nothing was said for long. */
  async #look(): Promise<void> {
    if (this.#fencedBy !== undefined || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const isDue = this.#clock.monotonicMs() - this.#publishedMs >= SESSION_BEAT_MS;
      if (isDue || (await this.#metadata.currentEpoch()) > this.#published) await this.publish();
    } finally {
      this.#isLooking = false;
    }
  }

  async #publish(): Promise<void> {
    if (this.#fencedBy !== undefined) throw this.#fencedBy;
    try {
      this.#known = await this.#metadata.currentEpoch();
      const oldest = this.#oldest();
      await this.#metadata.publishEpoch(oldest);
      this.#published = oldest;
      this.#publishedMs = this.#clock.monotonicMs();
    } catch (error) {
      if (isStoreError(error, 'SESSION_FENCED')) this.#fencedBy = error;
      throw error;
    }
  }

  #oldest(): number {
    let oldest = this.#known;
    const now = this.#clock.monotonicMs();
    for (const running of this.#running) {
      if (running.pausedMs !== undefined && now - running.pausedMs > STREAM_IDLE_MS) running.lapsed = true;
      if (!running.lapsed) oldest = Math.min(oldest, running.epoch);
    }
    return oldest;
  }

  /** What an operation failed with, or that the process was taken for dead where that is why. */
  async explain(error: unknown): Promise<unknown> {
    if (!isStoreError(error, 'CHUNK_MISSING', 'MANIFEST_CORRUPT', 'OBJECT_MISSING')) return error;
    try {
      await this.publish();
      return error;
    } catch (failure) {
      return isStoreError(failure, 'SESSION_FENCED') ? failure : error;
    }
  }

  stop(): void {
    this.#beating?.stop();
  }
}
