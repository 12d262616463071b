/** Verifies slowly, and repairs what that finds: once, or for ever. */
import { checkInteger } from '../errors/argument-error.ts';
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
 * @throws as `verifyStore` and `repairStore`
 */
export async function scrubStore(store: ShardStore, options: ScrubOptions = {}): Promise<ScrubReport> {
  checkVerifyOptions(options);
  const { watch = false, pauseMs = SCRUB_WAIT_MS, onRound, ...others } = options;
  checkInteger('pauseMs', pauseMs, { min: 0, max: 2 ** 31 - 1 });
  if (!watch) return await scrubOnce(store, others);
  const usual = { bytesPerSecond: SCRUB_BYTES_PER_SECOND, maxAgeMs: SCRUB_AGE_MS };
  for (;;) {
    onRound?.(await scrubOnce(store, { ...usual, ...others }));
    await sleepOf(store)(pauseMs, options.signal && { signal: options.signal });
  }
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
