/** Whether a cost per unit stays what it is as something grows. */

/** Beyond this factor between two points of a curve it is not flat. */
export const FLAT_WITHIN = 2;

/** `flat`; `falls`: what a call costs at all is shared by more and more units; `GROWS`: each unit costs more. */
export type Flatness = 'flat' | 'falls' | 'GROWS';

/**
 * Judges costs per unit in the order of what grows. It grows where the last is more than twice the least before it; it falls
 * where the first is more than twice the last.
 * @param costs at least one, above 0
 */
export function flatnessOf(costs: readonly number[]): Flatness {
  const [first, last] = [costs[0]!, costs.at(-1)!];
  if (last > FLAT_WITHIN * Math.min(...costs)) return 'GROWS';
  return first > FLAT_WITHIN * last ? 'falls' : 'flat';
}
