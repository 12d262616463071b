/**
 * Metadata of an older version for somebody who only reads it: the file stays as it is, and views of the connection
 * stand before the tables that lack columns. Once another process has brought the file to the present version, a view
 * shows the column of the table, which comes first (https://sqlite.org/lang_createview.html).
 */

import { OBJECT_COLUMNS, OBJECT_TABLES } from './object-schema.ts';

const NULLS = OBJECT_COLUMNS.map((column) => `NULL AS ${column}`).join(', ');
const OBJECT_NAMES = OBJECT_TABLES.map((table) => `'${table}'`).join(', ');

/**
 * Nothing, where there is no table yet, and no sums of it. What another process writes into one is seen when this one
 * opens the file again.
 */
const NO_OBJECTS: readonly (readonly [number, string])[] = [
  ...OBJECT_TABLES.map((table) => [3, `CREATE TEMP VIEW ${table} AS SELECT ${NULLS} WHERE 0`] as const),
  [3, `CREATE TEMP VIEW table_sums AS SELECT * FROM main.table_sums WHERE name NOT IN (${OBJECT_NAMES})`],
];

const PLACES = 'NULL AS shards, NULL AS margin, 0 AS verified_at';
const LIFE = 'NULL AS refs, NULL AS condemned';
const PACK_LIFE = 'NULL AS live_bytes, 0 AS condemned';
const SESSION = 'NULL AS epoch, NULL AS beat, NULL AS process, NULL AS ended';
const UNCOUNTED = ['number', 'epoch', 'parked', 'change', 'kind', 'value', 'namespace', 'sealed', 'digest'];

function extended(table: string, columns: string): string {
  return `CREATE TEMP VIEW ${table} AS SELECT *, ${columns} FROM main.${table}`;
}

/** What reading needs that versions from one up to but without another did not have. */
const VIEWS: readonly (readonly [from: number, before: number, view: string])[] = [
  [1, 2, extended('packs', `${PLACES}, ${PACK_LIFE}`)],
  [2, 4, extended('packs', PACK_LIFE)],
  ...NO_OBJECTS.map(([before, view]) => [1, before, view] as const),
  [3, 4, extended('objects', LIFE)],
  [1, 4, extended('items', LIFE)],
  [1, 4, extended('sessions', SESSION)],
  [1, 4, extended('head', 'NULL AS epoch, NULL AS next_reference, NULL AS census')],
  [1, 4, `CREATE TEMP VIEW uncounted AS SELECT ${UNCOUNTED.map((column) => `NULL AS ${column}`).join(', ')} WHERE 0`],
];

/** Statements that let a connection see the tables of a version as those of the present one. */
export function viewsOfOlder(version: number): readonly string[] {
  return VIEWS.filter(([from, before]) => from <= version && version < before).map(([, , view]) => view);
}
