/** Verifies slowly, and repairs what that finds: once, or for ever. */
import { checkInteger } from '../errors/argument-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { SCRUB_AGE_MS, SCRUB_BYTES_PER_SECOND, SCRUB_WAIT_MS } from '../limits.ts';
import { type RepairOptions, type RepairReport, repairStore } from './repair.ts';
import type { JobOutcome } from './shard-reports.ts';
import { type ShardStore, sleepOf } from './shard-store.ts';
import { checkVerifyOptions, type VerifyOptions, type VerifyReport, verifyStore } from './verify.ts';

/** How to scrub. Bounds of pace and budget hold for each verification, and for each repair after one. */
export interface ScrubOptions extends Omit<VerifyOptions, 'dryRun'>, Pick<RepairOptions, 'readBack'> {
  /**
   * Begin again and again until aborted, with pauses. Unless said otherwise it then reads 10 MiB a second, and passes over
   * shards that were verified within a week. Default false.
   */
  readonly watch?: boolean;
  /** Pause between two rounds of a watch, milliseconds. Default one minute. */
  readonly pauseMs?: number;
  /** Told of every round of a watch as it ends. */
  readonly onRound?: (report: ScrubReport) => void;
}

/** One round of a scrub. */
export interface ScrubReport {
  /** `ok` when everything is well now, whatever was found: it was repaired. */
  readonly outcome: JobOutcome;
  readonly verified: VerifyReport;
  readonly repaired: RepairReport;
}

/**
 * Scrubs a store.
 * @returns the report of the only round; a watch returns none, it ends by its signal
 * @throws as `verifyStore` and `repairStore`; `unavailable/JOB_HELD` when another process scrubs, for which a watch waits
 */
export async function scrubStore(store: ShardStore, options: ScrubOptions = {}): Promise<ScrubReport> {
  checkVerifyOptions(options);
  const { watch = false, pauseMs = SCRUB_WAIT_MS, onRound, ...others } = options;
  checkInteger('pauseMs', pauseMs, { min: 0, max: 2 ** 31 - 1 });
  if (!watch) return await scrubAlone(store, others);
  const usual = { bytesPerSecond: SCRUB_BYTES_PER_SECOND, maxAgeMs: SCRUB_AGE_MS };
  for (;;) {
    const report = await scrubAlone(store, { ...usual, ...others }).catch(passOverHeld);
    if (report) onRound?.(report);
    await sleepOf(store)(pauseMs, options.signal && { signal: options.signal });
  }
}

/** Two scrubs at once would read everything twice; one after the other passes over what is verified by now. */
async function scrubAlone(store: ShardStore, options: VerifyOptions & RepairOptions): Promise<ScrubReport> {
  const scrub = (): Promise<ScrubReport> => scrubOnce(store, options);
  return await (store.leases ? store.leases.holding('scrub', scrub) : scrub());
}

/** Whoever watches comes again. */
function passOverHeld(error: unknown): undefined {
  if (!isStoreError(error, 'JOB_HELD')) throw error;
}

async function scrubOnce(store: ShardStore, options: VerifyOptions & RepairOptions): Promise<ScrubReport> {
  const verified = await verifyStore(store, options);
  const { signal, onProgress, bytesPerSecond, budgetBytes, readBack } = options;
  const repaired = await repairStore(store, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    ...(budgetBytes !== undefined && { budgetBytes }),
    ...(readBack && { readBack }),
  });
  return Object.freeze({ outcome: outcomeOf(verified, repaired), verified, repaired });
}

/** What was found is queued, so that the repair met it; what could not be asked was not. */
function outcomeOf(verified: VerifyReport, repaired: RepairReport): JobOutcome {
  if (verified.packsLost > 0 || repaired.outcome === 'damaged') return 'damaged';
  if (verified.shardsUnreachable > 0 || verified.budgetSpent || repaired.outcome === 'partial') return 'partial';
  return 'ok';
}
