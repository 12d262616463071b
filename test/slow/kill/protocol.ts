/** What the worker of the kill rounds tells the process that will kill it, one line of JSON each. */
import type { Operation } from '../../support/operations.ts';

export type Report =
  /** The store is open; operations begin. */
  | { readonly is: 'ready' }
  /** Sent before the call is made. */
  | { readonly is: 'begin'; readonly lane: number; readonly operation: Operation }
  /** The call was acknowledged. */
  | { readonly is: 'end'; readonly lane: number }
  /** A call on the backend is about to be made, or was answered. */
  | { readonly is: 'call' | 'answer'; readonly call: 'put' | 'delete'; readonly kind: 'journal' | 'packs' }
  /** Something went wrong that never should. */
  | { readonly is: 'failed'; readonly message: string };

/** The file descriptor in the worker that reports go to. */
export const REPORT_DESCRIPTOR = 3;

/** Operations run side by side in lanes, each on keys of its own, so that one lane has one operation in flight. */
export const LANES = 4;
const KEYS_PER_LANE = 10;

export function keysOfLane(lane: number): readonly string[] {
  return Array.from({ length: KEYS_PER_LANE }, (_, index) => `lane-${lane}/${index}`);
}

export function laneOf(key: string): number {
  return Number(/^lane-(\d+)\//.exec(key)?.[1]);
}
