/**
 * Metadata of an older version for somebody who only reads it: the file stays as it is, and views of the connection
 * stand before the tables that lack columns. Once another process has brought the file to the present version, a view
 * shows the column of the table, which comes first (https://sqlite.org/lang_createview.html).
 */

/** What reading needs that the version before did not have, by version. */
const VIEWS: readonly (readonly [version: number, view: string])[] = [
  [2, 'CREATE TEMP VIEW packs AS SELECT *, NULL AS shards, NULL AS margin, 0 AS verified_at FROM main.packs'],
];

/** Statements that let a connection see the tables of a version as those of the present one. */
export function viewsOfOlder(version: number): readonly string[] {
  return VIEWS.filter(([since]) => since > version).map(([, view]) => view);
}
