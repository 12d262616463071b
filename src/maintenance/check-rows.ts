/** Are the rows of the metadata what was written, and do they agree with each other? One scan of all tables tells. */
import type { MetadataInvariant, TableReport } from '../metadata/contract.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { CheckRun } from './invariants/check-run.ts';

/** The tables whose rows an invariant is about; of the others all. */
const TABLES: Readonly<Partial<Record<MetadataInvariant, readonly string[]>>> = {
  counters: ['entries', 'packs', 'items'],
  'namespace-tallies': ['namespaces'],
  'entry-order': ['entries'],
  'items-placed': ['items'],
  'live-bytes': ['packs'],
  'condemned-marked': ['items', 'packs'],
  'histories-count': ['histories', 'steps'],
  'relations-resolve': ['relations'],
};

export async function checkRows({ metadata }: CheckedStore, run: CheckRun, options: CheckOptions): Promise<void> {
  const { signal, onProgress } = options;
  const { tables, problems } = await metadata.check({
    ...(signal && { signal }),
    progress: (done, total) => onProgress?.({ phase: 'check metadata', done, total, bytes: 0 }),
  });
  const tell = (invariant: MetadataInvariant, message: string): void =>
    run.problemsOf(invariant).add({ code: 'METADATA_CORRUPT', message });
  for (const { invariant, message } of problems) tell(invariant, message);
  for (const { table, damagedRows, sumMatches } of tables) {
    if (damagedRows > 0) tell('row-digests', `table ${table}: ${damagedRows} rows are damaged`);
    if (!sumMatches) tell('table-sums', `table ${table}: rows appeared or vanished`);
  }
  run.looked('row-digests', rowsOf(tables));
  run.looked('table-sums', tables.length);
  for (const [name, about] of Object.entries(TABLES))
    run.looked(name as MetadataInvariant, rowsOf(tables.filter(({ table }) => about.includes(table))));
}

function rowsOf(tables: readonly TableReport[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}
