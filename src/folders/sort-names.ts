import { SORT_SLICE_NAMES } from '../limits.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';

/** Merges neighbouring sorted runs of a length into runs of twice that. */
async function mergeRuns(names: readonly string[], length: number): Promise<string[]> {
  const merged: string[] = new Array(names.length);
  for (let start = 0; start < names.length; start += 2 * length) {
    const middle = Math.min(start + length, names.length);
    const end = Math.min(middle + length, names.length);
    let left = start;
    let right = middle;
    for (let at = start; at < end; at += 1) {
      if (at % SORT_SLICE_NAMES === 0) await yieldToEventLoop();
      const takesLeft = right >= end || (left < middle && (names[left] as string) <= (names[right] as string));
      merged[at] = (takesLeft ? names[left++] : names[right++]) as string;
    }
  }
  return merged;
}

/**
 * Sorts names, text of one character per byte, by their bytes. A folder of a million names does not hold up the process:
 * it is sorted in slices, between which other work has its turn.
 */
export async function sortNames(names: readonly string[]): Promise<readonly string[]> {
  if (names.length <= SORT_SLICE_NAMES) return names.toSorted();
  let sorted: string[] = [];
  for (let start = 0; start < names.length; start += SORT_SLICE_NAMES) {
    await yieldToEventLoop();
    for (const name of names.slice(start, start + SORT_SLICE_NAMES).sort()) sorted.push(name);
  }
  for (let length = SORT_SLICE_NAMES; length < names.length; length *= 2) sorted = await mergeRuns(sorted, length);
  return sorted;
}
