import { OBJECT_LOAD_BATCH } from '../limits.ts';
import { type LoadObjects, loadAll } from './load.ts';
import type { SnapshotObject } from './types.ts';

/** The parents of a snapshot, the first one first. */
export function parentsOf({ content }: SnapshotObject): readonly string[] {
  return content.parent === undefined ? [] : [content.parent, ...(content.merged ?? [])];
}

/**
 * A snapshot and all it descends from, each once, the nearest first: parents come before their parents, further parents of
 * a merge after the first. What is held are the ids that were seen.
 * @param options `firstParent` follows the first parent alone
 * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING`, and what the loader throws
 */
export async function* ancestry(
  id: string,
  load: LoadObjects,
  options: { readonly firstParent?: boolean } = {},
): AsyncGenerator<{ readonly id: string; readonly snapshot: SnapshotObject }, void, undefined> {
  const seen = new Set([id]);
  let generation = [id];
  while (generation.length > 0) {
    const next: string[] = [];
    for (let start = 0; start < generation.length; start += OBJECT_LOAD_BATCH) {
      const ids = generation.slice(start, start + OBJECT_LOAD_BATCH);
      for (const [index, snapshot] of (await loadAll('snapshot', ids, load)).entries()) {
        yield { id: ids[index] as string, snapshot };
        const parents = parentsOf(snapshot);
        for (const parent of options.firstParent ? parents.slice(0, 1) : parents) {
          if (seen.has(parent)) continue;
          seen.add(parent);
          next.push(parent);
        }
      }
    }
    generation = next;
  }
}
