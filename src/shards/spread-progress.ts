import type { SpreadCallOptions } from './named-backends.ts';

/**
 * Counts what is settled and tells the caller.
 * @param total as far as it is known; more may come
 * @returns to be called once for each, with its bytes
 */
export function progressOf(
  phase: string,
  total: number,
  { onProgress }: Pick<SpreadCallOptions, 'onProgress'>,
): (bytes: number) => void {
  let [done, sum] = [0, 0];
  return (bytes) => {
    done += 1;
    sum += bytes;
    onProgress?.({ phase, done, total: Math.max(total, done), bytes: sum });
  };
}
