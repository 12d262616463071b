/** Makes a failing input shorter and plainer while it fails in the same way. */
import { replaced } from '../mutations/mutation.ts';

const TRIES_MAX = 600;

/**
 * @param fails whether an input still fails in the same way
 * @returns an input that fails, no longer than the given one
 */
export async function shrink(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest = input;
  let tries = 0;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    tries += 1;
    if (tries > TRIES_MAX || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  // Spans are taken out: halves first, single bytes last.
  for (let span = smallest.length >> 1; span >= 1 && tries < TRIES_MAX; span >>= 1) {
    for (let start = 0; start < smallest.length && tries < TRIES_MAX; ) {
      const shorter = replaced(smallest, { start, end: Math.min(smallest.length, start + span) }, new Uint8Array(0));
      if (!(await attempt(shorter))) start += span;
    }
  }
  // Of what is left as much as can be is zeros.
  for (let span = Math.max(1, smallest.length >> 2); span >= 1 && tries < TRIES_MAX; span >>= 1) {
    for (let start = 0; start < smallest.length && tries < TRIES_MAX; start += span) {
      const end = Math.min(smallest.length, start + span);
      if (smallest.subarray(start, end).some((byte) => byte !== 0)) {
        await attempt(replaced(smallest, { start, end }, new Uint8Array(end - start)));
      }
    }
  }
  return smallest;
}
