import { loadHead } from './books.ts';
import type { NamespaceCounters } from './contract.ts';
import type { Reader } from './database.ts';
import { NOTHING_HELD } from './namespace-tally.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

/** See `Metadata.namespaceCounters`. */
export async function namespaceCounters(reader: Reader, tables: Tables, namespace: number): Promise<NamespaceCounters> {
  const table = tables.namespaced?.namespaces;
  if (!table) {
    if (namespace !== 0) return NOTHING_HELD;
    const { entries, logicalBytes, chunks, uniqueBytes, storedBytes } = await loadHead(reader, tables);
    return { entries, logicalBytes, chunks, uniqueBytes, storedBytes };
  }
  const [found] = await table.load(reader, [[namespace]]);
  if (!found) return NOTHING_HELD;
  const { number: _, ...counters } = found.row;
  return counters;
}

/** See `Metadata.pendingShreds`. */
export async function pendingShreds(
  reader: Reader,
  tables: Tables,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly number[]> {
  const tail = 'WHERE namespace > ? ORDER BY namespace LIMIT ?';
  const rows = await tables.namespaced?.shreds.select(reader, tail, [page.after, page.limit]);
  return (rows ?? []).map(({ row }) => row.namespace);
}

/** See `Metadata.forgetShreds`. */
export async function forgetShreds(state: WorkingState, namespaces: readonly number[]): Promise<void> {
  const keys = namespaces.map((namespace) => [namespace]);
  await state.shreds?.load(state.transaction, keys);
  for (const key of keys) state.shreds?.remove(key);
  await state.save();
}
