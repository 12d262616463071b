import { GC_STEP_BYTES, GC_STEP_MS, GC_STEP_WORK_MS } from '../limits.ts';
import { Collection, type CollectionOptions, type GcContext } from '../maintenance/gc/gc.ts';
import type { GcReport } from '../maintenance/gc/report.ts';
import { type CheckpointReport, writeCheckpoint } from '../maintenance/write-checkpoint.ts';
import { every } from '../runtime/timers.ts';
import type { Telemetry } from './events.ts';
import type { Health } from './health.ts';
import type { Upkeep } from './upkeep.ts';

interface CollectorParts {
  readonly context: () => GcContext;
  readonly telemetry: Telemetry;
  readonly health: Health;
  readonly upkeep: Upkeep;
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

  /** One collection after the other. */
  collect(options: CollectionOptions): Promise<GcReport> {
    return this.#inTurn((context) => new Collection(context, options).run());
  }

  /** Writes a checkpoint; no collection goes on meanwhile. */
  checkpoint(signal: AbortSignal): Promise<CheckpointReport> {
    return this.#inTurn((context) =>
      writeCheckpoint({ ...context, signal: AbortSignal.any([context.signal, signal]) }),
    );
  }

  #inTurn<T>(work: (context: GcContext) => Promise<T>): Promise<T> {
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
