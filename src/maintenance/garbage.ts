import type { Backend } from '../backend/contract.ts';

/** Blobs that nothing refers to. */
export interface Garbage {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Blobs that are still there.
 * @param left sizes by backend key, as they were listed: some may have been deleted since
 */
export async function* stillThere(
  backend: Pick<Backend, 'head'>,
  left: ReadonlyMap<string, number>,
): AsyncGenerator<{ readonly key: string; readonly bytes: number }> {
  for (const [key, bytes] of left) if ((await backend.head(key)) !== undefined) yield { key, bytes };
}
