/** What the processes of a test that work on one store agree on. */
import { noise } from './contents.ts';

/** What one process did, in the order of acknowledgement. */
export interface Acknowledged {
  readonly key: string;
  /** Seed of the content; `null` for a delete. */
  readonly seed: number | null;
}

/** Keys that all writers change. */
export const SHARED_KEYS: readonly string[] = ['shared/0', 'shared/1', 'shared/2'];

export function contentOf(seed: number): Uint8Array {
  // Most ride in their commit, some go to a pack.
  return noise(seed % 7 === 0 ? 70_000 + (seed % 1000) : 20 + (seed % 3000), seed);
}
