/** What the thread that runs cases and the one that watches it say to each other. */
import type { CaseRange, TargetResult } from './run-target.ts';

/** To the thread. */
export interface ThreadJob extends CaseRange {
  /** URL of a module that exports `TARGETS`. */
  readonly module: string;
  readonly target: string;
}

/** Back. */
export type ThreadAnswer =
  | TargetResult
  /** The target itself could not be made. */
  | { readonly broken: string };

/** Of one number each, in shared memory. */
export const CASE_AT = 0;
/** Counts up with every case: the watcher sees that it goes on. */
export const BEAT_AT = 1;
export const SHARED_BYTES = 8;
