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

/** What reading needs that the version before did not have, by version. */
const VIEWS: readonly (readonly [version: number, view: string])[] = [
  [2, 'CREATE TEMP VIEW packs AS SELECT *, NULL AS shards, NULL AS margin, 0 AS verified_at FROM main.packs'],
  ...NO_OBJECTS,
];

/** Statements that let a connection see the tables of a version as those of the present one. */
export function viewsOfOlder(version: number): readonly string[] {
  return VIEWS.filter(([since]) => since > version).map(([, view]) => view);
}
