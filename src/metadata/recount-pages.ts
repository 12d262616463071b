/** What whoever counts anew goes through, and changes nothing: what refers to content, and the counts that are kept. */
import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { pageOf, placeOf, referencesIn } from './census.ts';
import { type CensusPhase, decodePlace, encodePlace, nextPhase } from './census-place.ts';
import type { Collecting, KeptCount } from './collection-contract.ts';
import type { Reader } from './database.ts';
import { type ItemKind, itemKey } from './rows.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

type Query = Parameters<Collecting['heldReferences']>[0];

/** The place after a page; nothing after the last page of the phase `end`. */
function nextOf(phase: CensusPhase, after: Uint8Array | undefined, end: CensusPhase): { readonly next?: Uint8Array } {
  if (after) return { next: encodePlace({ phase, after }) };
  const next = nextPhase(phase);
  return next.phase === end ? {} : { next: encodePlace(next) };
}

/** See `Collecting.heldReferences`. */
export async function heldReferences(
  reader: Reader,
  tables: Tables,
  query: Query,
): ReturnType<Collecting['heldReferences']> {
  const { phase, after } = decodePlace(query.after);
  const name = phase as 'entries' | 'steps' | 'objects' | 'refs';
  const table = tables[name] as unknown as Table<{ readonly key: Uint8Array }>;
  const page = await pageOf(reader, table, { after, limit: query.limit });
  return { rows: [...referencesIn(name, page.rows)], ...nextOf(phase, page.after, 'done') };
}

/** See `Collecting.keptCounts`. */
export async function keptCounts(reader: Reader, tables: Tables, query: Query): ReturnType<Collecting['keptCounts']> {
  const { phase, after } = query.after ? decodePlace(query.after) : ({ phase: 'chunks', after: EMPTY_BYTES } as const);
  const { limit } = query;
  if (phase === 'loose') {
    const { rows, after: last } = await pageOf(reader, tables.objects, { after, limit });
    const counts = rows.map((row): KeptCount => ({ ...row, kind: 'object' }));
    return { rows: counts.filter(isTold).map(only), ...nextOf(phase, last, 'entries') };
  }
  const kind: ItemKind = phase === 'chunks' ? 'chunk' : 'manifest';
  const table = tables.items;
  const sql = `SELECT ${table.columnList} FROM items WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`;
  const found = await reader.all(sql, [...itemKey(kind, after), limit]);
  const counts = found.map((row): KeptCount => {
    const { id: key, refs, condemned } = table.check(row).row;
    return { kind, key, refs, condemned };
  });
  return { rows: counts.filter(isTold), ...nextOf(phase, placeOf(found, 'id', limit), 'entries') };
}

function isTold({ refs, condemned }: KeptCount): boolean {
  return refs > 0 || condemned > 0;
}

function only({ kind, key, refs, condemned }: KeptCount): KeptCount {
  return { kind, key, refs, condemned };
}
