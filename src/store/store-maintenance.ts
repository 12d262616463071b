import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { type CheckReport, checkStore, type StoreCheckOptions } from '../maintenance/check.ts';
import type { GcOptions, GcReport } from '../maintenance/gc/report.ts';
import type { InspectBlobOptions, Inspection } from '../maintenance/inspect/report.ts';
import { type RepairOptions, type RepairReport, repairStore } from '../maintenance/repair.ts';
import { type ScrubOptions, type ScrubReport, scrubStore } from '../maintenance/scrub.ts';
import { type VerifiedDay, verifiedDays } from '../maintenance/verified-days.ts';
import { type VerifyOptions, type VerifyReport, verifyStore } from '../maintenance/verify.ts';
import type { CheckpointReport } from '../maintenance/write-checkpoint.ts';
import { spreadKeyPages } from './backends/spread-key-pages.ts';
import type { Engine } from './engine.ts';
import { inspectId } from './inspection/inspect-id.ts';
import type { StoreCalls } from './scoped-calls.ts';
import type { CallOptions } from './types.ts';
import type { Maintenance } from './upkeep-types.ts';

/** Work on an open store as a whole. Its long jobs end when the store is closed: one of them never would by itself. */
export class StoreMaintenance implements Maintenance {
  readonly #parts: StoreCalls;
  readonly #closing = new AbortController();

  constructor(parts: StoreCalls) {
    this.#parts = parts;
  }

  check(options: StoreCheckOptions = {}): Promise<CheckReport> {
    return this.#call(options, () => checkStore(this.#engine.checked(), options));
  }

  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#job(options, (ending) => verifyStore(this.#engine.shards, { ...options, ...ending }));
  }

  verified(options: CallOptions = {}): Promise<readonly VerifiedDay[]> {
    return this.#call(options, () => verifiedDays(this.#engine.shards, options));
  }

  repair(options: RepairOptions = {}): Promise<RepairReport> {
    return this.#job(options, (ending) => {
      if (options.dryRun) return repairStore(this.#engine.shards, { ...options, ...ending });
      this.#engine.assertWritable();
      return this.#engine.healer.exclusively(async () => {
        const { keychain, connection, metadata } = this.#engine;
        if (keychain) await spreadKeyPages(connection.backends, metadata);
        return await repairStore(this.#engine.shards, { ...options, ...ending });
      });
    });
  }

  gc(options: GcOptions = {}): Promise<GcReport> {
    return this.#job(options, async (ending) => {
      this.#engine.assertWritable();
      return await this.#engine.collector.collect({ ...checkGcOptions(options), ...ending, which: 'all' });
    });
  }

  checkpoint(options: CallOptions = {}): Promise<CheckpointReport> {
    return this.#job(options, async ({ signal }) => {
      this.#engine.assertWritable();
      return Object.freeze(await this.#engine.collector.checkpoint(signal));
    });
  }

  scrub(options: ScrubOptions = {}): Promise<ScrubReport> {
    return this.#job(options, (ending) => {
      this.#engine.assertWritable();
      return scrubStore(this.#engine.shards, { ...options, ...ending });
    });
  }

  inspect(id: string, options: InspectBlobOptions = {}): Promise<Inspection> {
    return this.#call(options, () => inspectId(this.#engine, id, options));
  }

  /** Ends jobs that are under way with `closed/STORE_CLOSED`. */
  end(): void {
    this.#closing.abort(storeError('STORE_CLOSED', 'the store was closed before the job was done'));
  }

  get #engine(): Engine {
    return this.#parts.engine;
  }

  #job<T>(options: CallOptions, work: (ending: { readonly signal: AbortSignal }) => Promise<T>): Promise<T> {
    return this.#call(options, async () => {
      await this.#engine.followBackends();
      // The last journal pack is known only then.
      await this.#engine.settle();
      const { signal } = this.#closing;
      return await work({ signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal });
    });
  }

  async #call<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    this.#parts.assertOpen();
    options.signal?.throwIfAborted();
    return await this.#parts.calls.run(work);
  }
}

/** @throws RangeError, TypeError */
function checkGcOptions(options: GcOptions): GcOptions {
  for (const name of ['bytesMax', 'timeMs', 'waitMs', 'graceMs'] as const) {
    const { [name]: value } = options;
    if (value !== undefined) checkInteger(`options.${name}`, value, { min: 0 });
  }
  const { deadShare } = options;
  if (deadShare !== undefined && !(typeof deadShare === 'number' && deadShare >= 0 && deadShare <= 1))
    throw argumentRangeError('options.deadShare', 'a number from 0 to 1', deadShare);
  return options;
}
