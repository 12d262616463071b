import { GC_STEP_BYTES, GC_STEP_MS, GC_STEP_WORK_MS, GC_WAIT_MS, LEASE_POLL_MS } from '../limits.ts';
import { Collection, type CollectionOptions, type GcContext } from '../maintenance/gc/gc.ts';
import { type GcReport, reportOfHeld, type WaitingFor } from '../maintenance/gc/report.ts';
import type { Leases } from '../maintenance/leases.ts';
import { type CheckpointReport, writeCheckpoint } from '../maintenance/write-checkpoint.ts';
import { every } from '../runtime/timers.ts';
import type { Telemetry } from './events.ts';
import type { Health } from './health.ts';
import type { Upkeep } from './upkeep.ts';

interface CollectorParts {
  readonly context: () => CollectorContext;
  readonly telemetry: Telemetry;
  readonly health: Health;
  readonly upkeep: Upkeep;
}

interface CollectorContext extends GcContext {
  readonly leases: Leases;
}

/** @returns who still collects when it was waited for long enough */
async function takeTurn(
  { leases, clock, sleep, signal: stop }: CollectorContext,
  { waitMs = GC_WAIT_MS, timeMs = waitMs, signal = stop }: CollectionOptions,
): Promise<WaitingFor | undefined> {
  const untilMs = clock.monotonicMs() + Math.min(waitMs, timeMs);
  for (;;) {
    const holder = await leases.take('gc');
    if (holder === undefined || clock.monotonicMs() >= untilMs) return holder;
    await sleep(LEASE_POLL_MS, { signal: AbortSignal.any([signal, stop]) });
  }
}

/** Collects garbage: when somebody asks, and by itself in small steps while the store is open. */
export class Collector {
  readonly #parts: CollectorParts;
  readonly #stop = new AbortController();
  #ticking: { stop(): void } | undefined;
  #collecting: Promise<unknown> = Promise.resolve();
  #isStepping = false;
  /** What there was when a step last found nothing to do. */
  #idleAt: string | undefined;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Steps from time to time until ended. */
  start(): void {
    this.#ticking = every(GC_STEP_MS, () => void this.#tick());
  }

  /**
   * One collection after the other, of all processes: what two collect at once each would refuse the other. Waits as long
   * as for operations, then the report says who is at it.
   */
  collect(options: CollectionOptions): Promise<GcReport> {
    return this.#inTurn(async (context) => {
      const collection = new Collection(context, options);
      // It says what there is and takes nothing from anybody.
      if (options.dryRun) return await collection.run();
      const holder = await takeTurn(context, options);
      if (holder) return reportOfHeld(holder);
      try {
        return await collection.run();
      } finally {
        await context.leases.leave('gc');
      }
    });
  }

  /** Writes a checkpoint; no collection goes on meanwhile. */
  checkpoint(signal: AbortSignal): Promise<CheckpointReport> {
    return this.#inTurn((context) =>
      writeCheckpoint({ ...context, signal: AbortSignal.any([context.signal, signal]) }),
    );
  }

  #inTurn<T>(work: (context: CollectorContext) => Promise<T>): Promise<T> {
    const { upkeep, context: contextOf } = this.#parts;
    const working = this.#collecting.then(() =>
      upkeep.withoutMerging(() => {
        const context = contextOf();
        return work({ ...context, signal: AbortSignal.any([context.signal, this.#stop.signal]) });
      }),
    );
    this.#collecting = working.catch(() => undefined);
    return working;
  }

  /** Stops at the next step, and waits for it. */
  async end(): Promise<void> {
    this.#ticking?.stop();
    this.#stop.abort();
    await this.#collecting;
  }

  async #tick(): Promise<void> {
    const { telemetry, health } = this.#parts;
    if (this.#isStepping || health.poisoned || this.#stop.signal.aborted) return;
    this.#isStepping = true;
    try {
      await this.#step();
    } catch (error) {
      // It only tidies: a store that cannot collect now works as before, and tries again.
      if (!this.#stop.signal.aborted) telemetry.logger?.warn('garbage could not be collected', { error });
    } finally {
      this.#isStepping = false;
    }
  }

  async #step(): Promise<void> {
    const before = await this.#whatThereIs();
    if (before === this.#idleAt) return;
    const report = await this.collect({ timeMs: GC_STEP_WORK_MS, bytesMax: GC_STEP_BYTES, waitMs: 0 });
    const isDone = report.outcome !== 'partial';
    this.#idleAt = isDone ? await this.#whatThereIs() : undefined;
  }

  /** Changes with every commit of any process. */
  async #whatThereIs(): Promise<string> {
    const { metadata } = this.#parts.context();
    const [{ commit }, { uncounted }] = await Promise.all([metadata.head(), metadata.collectionState()]);
    return `${commit} ${uncounted}`;
  }
}
