/** What the rows of `uncounted` say: references that came or went and that no count knows of yet. */
import { storeError } from '../errors/store-error.ts';
import type { Collecting, ReferenceKind, UncountedRow } from './collection-contract.ts';
import type { Reader } from './database.ts';
import type { TableShape } from './table.ts';
import type { Tables } from './tables.ts';

const KIND_CODES: Readonly<Record<ReferenceKind, number>> = { content: 1, node: 2, object: 3, target: 4, item: 5 };

function kindOf(code: number): ReferenceKind {
  for (const kind of Object.keys(KIND_CODES) as ReferenceKind[]) if (KIND_CODES[kind] === code) return kind;
  throw storeError('FORMAT_UNSUPPORTED', `the metadata holds the unknown kind of reference ${code}`);
}

/** By code; the codes stand in queries, too. */
const PARKED_CODES: readonly UncountedRow['parked'][] = [false, 'blocking', 'harmless'];

/** Rows hold no negative numbers: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... */
function encodeChange(change: number): number {
  return change >= 0 ? 2 * change : -2 * change - 1;
}

function decodeChange(code: number): number {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

/** Entries have lengths of their own: padding lets few of them be told apart. */
const VALUE_PAD_BYTES = 64;

export const uncountedShape: TableShape<UncountedRow> = {
  name: 'uncounted',
  keyColumns: ['number'],
  valueColumns: ['epoch', 'parked', 'change', 'kind', 'value', 'namespace'],
  clearColumns: ['epoch', 'parked', 'namespace'],
  padBytes: VALUE_PAD_BYTES,
  encode: ({ number, epoch, parked, change, kind, value, namespace }) => [
    ...[number, epoch, PARKED_CODES.indexOf(parked), encodeChange(change), KIND_CODES[kind], value, namespace],
  ],
  decode: (columns) => ({
    number: columns.integer('number'),
    epoch: columns.integer('epoch'),
    parked: PARKED_CODES[columns.integer('parked')] ?? 'blocking',
    change: decodeChange(columns.integer('change')),
    kind: kindOf(columns.integer('kind')),
    value: columns.bytes('value'),
    namespace: columns.integer('namespace'),
  }),
};

/** A page of them by number. */
export async function uncountedRows(
  reader: Reader,
  { uncounted }: Pick<Tables, 'uncounted'>,
  { after = 0, limit, parked = false }: Parameters<Collecting['uncountedReferences']>[0],
): Promise<readonly UncountedRow[]> {
  const where = `WHERE parked ${parked ? '> 0' : '= 0'} AND number > ? ORDER BY number LIMIT ?`;
  const found = await uncounted.select(reader, where, [after, limit]);
  return found.map(({ row }) => row);
}
