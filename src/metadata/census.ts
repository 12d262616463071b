/** The steps of the census (`census-place.ts`): each goes through one page of one table, in one transaction. */
import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { CENSUS_ANEW, type CensusPlace, decodePlace, encodePlace, nextPhase } from './census-place.ts';
import type { HeldReference } from './collection-contract.ts';
import type { Reader, SqlRow } from './database.ts';
import { REFERENCES, type ReferringTable } from './reference-log.ts';
import { type ItemKind, itemKey } from './rows.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

/** A page of a table, and where its last row stands; `undefined` when it was the last page. */
interface Page<Row> {
  readonly rows: readonly Row[];
  readonly after: Uint8Array | undefined;
}

/** Which rows of a table: so many after a stored key. */
export interface PageQuery {
  readonly after: Uint8Array;
  readonly limit: number;
}

/** Where the last row of a full page stands. */
export function placeOf(rows: readonly SqlRow[], column: string, limit: number): Uint8Array | undefined {
  if (rows.length < limit) return undefined;
  const after = rows.at(-1)?.[column];
  invariant(after instanceof Uint8Array, 'keys of a census are bytes');
  return after;
}

/** A page of a table in the order of its stored keys, of which there is one column. */
export async function pageOf<Row>(reader: Reader, table: Table<Row>, { after, limit }: PageQuery): Promise<Page<Row>> {
  const [column = ''] = table.keyColumns;
  const from = `SELECT ${table.columnList} FROM ${table.shape.name}`;
  const found = await reader.all(`${from} WHERE ${column} > ? ORDER BY ${column} LIMIT ?`, [after, limit]);
  return { rows: found.map((row) => table.check(row).row), after: placeOf(found, column, limit) };
}

/** Forgets the counts of a page of items. */
async function resetItems(
  state: WorkingState,
  tables: Tables,
  { kind, after, limit }: PageQuery & { readonly kind: ItemKind },
): Promise<Uint8Array | undefined> {
  const table = tables.items;
  const query = `SELECT ${table.columnList} FROM items WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`;
  const found = await state.transaction.all(query, [...itemKey(kind, after), limit]);
  const counted = found.map((row) => table.check(row).row).filter(({ refs, condemned }) => refs > 0 || condemned > 0);
  await state.loadItems(counted);
  for (const item of counted) state.putItem({ ...item, refs: 0, condemned: 0 });
  return placeOf(found, 'id', limit);
}

async function resetObjects(state: WorkingState, tables: Tables, query: PageQuery): Promise<Uint8Array | undefined> {
  const { rows, after } = await pageOf(state.transaction, tables.objects, query);
  const counted = rows.filter(({ refs, condemned }) => refs > 0 || condemned > 0);
  await state.objects.load(
    state.transaction,
    counted.map(({ key }) => [key]),
  );
  for (const row of counted) state.objects.put({ ...row, refs: 0, condemned: 0 });
  if (after === undefined) await state.transaction.run('UPDATE packs SET condemned = 0 WHERE condemned > 0', [[]]);
  return after;
}

async function resetUncounted(state: WorkingState, limit: number): Promise<Uint8Array | undefined> {
  const rows = await state.uncounted.loadWhere(state.transaction, 'ORDER BY number LIMIT ?', [limit]);
  for (const { number } of rows) state.uncounted.remove([number]);
  return rows.length < limit ? undefined : EMPTY_BYTES;
}

/** What the rows of a page refer to is to be counted. */
async function meet(
  state: WorkingState,
  table: Table<{ readonly key: Uint8Array }>,
  { name, ...query }: PageQuery & { readonly name: ReferringTable },
): Promise<Uint8Array | undefined> {
  const { rows, after } = await pageOf(state.transaction, table, query);
  for (const reference of referencesIn(name, rows)) state.addUncounted({ ...reference, change: 1 });
  return after;
}

/** What rows of a table refer to. */
export function* referencesIn(
  name: ReferringTable,
  rows: readonly { readonly key: Uint8Array }[],
): Generator<HeldReference> {
  const referencesOf = REFERENCES[name] as (row: never) => ReturnType<(typeof REFERENCES)['entries']>;
  for (const row of rows) {
    const namespace = namespaceOfKey(name === 'steps' ? row.key.subarray(1) : row.key);
    if (namespace >= ISOLATED_NAMESPACE_MIN) continue;
    for (const reference of referencesOf(row as never)) yield { ...reference, namespace };
  }
}

async function stepIn(
  state: WorkingState,
  tables: Tables,
  { phase, after, limit }: CensusPlace & { readonly limit: number },
): Promise<Uint8Array | undefined> {
  const query = { after, limit };
  switch (phase) {
    case 'uncounted':
      return await resetUncounted(state, limit);
    case 'chunks':
      return await resetItems(state, tables, { ...query, kind: 'chunk' });
    case 'manifests':
      return await resetItems(state, tables, { ...query, kind: 'manifest' });
    case 'loose':
      return await resetObjects(state, tables, query);
    case 'done':
      return undefined;
    default:
      // Rows of each table go to the references of that table.
      return await meet(state, tables[phase] as unknown as Table<{ key: Uint8Array }>, { ...query, name: phase });
  }
}

/** See `Collecting.recount`. */
export async function beginCensus(state: WorkingState): Promise<void> {
  state.head = { ...state.head, census: CENSUS_ANEW };
  await state.save();
}

/** See `Collecting.census`. */
export async function censusStep(state: WorkingState, tables: Tables, limit: number): Promise<boolean> {
  const place = decodePlace(state.head.census);
  if (place.phase === 'done') return true;
  const after = await stepIn(state, tables, { ...place, limit });
  const next = after === undefined ? nextPhase(place.phase) : { ...place, after };
  await state.save();
  state.head = { ...state.head, census: encodePlace(next) };
  await state.save();
  return next.phase === 'done';
}
