import type { Backend } from '../backend/contract.ts';

/** Blobs that nothing refers to. */
export interface Garbage {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Counts blobs that are still there.
 * @param left sizes by backend key, as they were listed: some may have been deleted since
 */
export async function countGarbage(
  backend: Pick<Backend, 'head'>,
  left: ReadonlyMap<string, number>,
): Promise<Garbage> {
  const garbage = { blobs: 0, bytes: 0 };
  for (const [key, bytes] of left) {
    if ((await backend.head(key)) === undefined) continue;
    garbage.blobs += 1;
    garbage.bytes += bytes;
  }
  return garbage;
}
