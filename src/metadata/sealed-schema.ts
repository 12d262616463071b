/**
 * The tables of a sealed store's metadata: what queries need in the clear, everything else in `sealed`
 * (`sealed-codec.ts`). Clear are: numbers and ids of packs, their class, size, place in the journal, namespace and
 * epoch and where their shards lie, all of which a backend's listing or a pack's header shows too, and when they were
 * verified; keyed ids of items; keyed digests of entry keys; namespaces; how many rows there are.
 */

import { SEALED_COLLECTION } from './collection-schema.ts';
import type { Dialect } from './database.ts';
import { SEALED_OBJECTS } from './object-schema.ts';
import { type Migration, SETTINGS_TABLE, SHARD_PLACES } from './schema.ts';

const INITIAL: Migration = (dialect: Dialect) => {
  const { bytes, integer, keyedTable } = dialect;
  const sealed = `sealed ${bytes} NOT NULL`;
  const numbered = (name: string, key: string): string =>
    `CREATE TABLE ${name} (${key} ${integer} NOT NULL PRIMARY KEY, ${sealed})`;
  return [
    ...SETTINGS_TABLE(dialect),
    `CREATE TABLE table_sums (name TEXT NOT NULL PRIMARY KEY, ${sealed})`,
    numbered('head', 'id'),
    `CREATE TABLE sessions (id ${bytes} NOT NULL PRIMARY KEY, ${sealed}) ${keyedTable}`,
    `CREATE TABLE packs (
      number ${integer} NOT NULL PRIMARY KEY, id ${bytes} NOT NULL UNIQUE, class ${integer} NOT NULL,
      pack_bytes ${integer} NOT NULL, first_commit ${integer} NOT NULL, last_commit ${integer} NOT NULL,
      dropped ${integer} NOT NULL, namespace ${integer} NOT NULL, epoch ${integer}, ${sealed}
    )`,
    'CREATE INDEX packs_by_size ON packs (dropped, class, namespace, pack_bytes, number)',
    `CREATE TABLE items (
      kind ${integer} NOT NULL, id ${bytes} NOT NULL, namespace ${integer} NOT NULL, suspect ${integer} NOT NULL,
      ${sealed}, PRIMARY KEY (kind, id)
    ) ${keyedTable}`,
    `CREATE TABLE entries (
      lookup ${bytes} NOT NULL PRIMARY KEY, namespace ${integer} NOT NULL, ${sealed}
    ) ${keyedTable}`,
    // Of the default namespace, which is never dropped, nothing is looked up so.
    'CREATE INDEX items_by_namespace ON items (namespace) WHERE namespace > 0',
    'CREATE INDEX entries_by_namespace ON entries (namespace) WHERE namespace > 0',
    `CREATE TABLE outbox (commit_number ${integer} NOT NULL PRIMARY KEY, bytes ${integer} NOT NULL, ${sealed})`,
    `CREATE TABLE outbox_records (
      commit_number ${integer} NOT NULL, ordinal ${integer} NOT NULL, ${sealed}, PRIMARY KEY (commit_number, ordinal)
    )`,
    numbered('namespaces', 'number'),
    numbered('shreds', 'namespace'),
    numbered('names_nodes', 'number'),
    numbered('names_log', 'number'),
    numbered('names_roots', 'id'),
  ];
};

/** A change of the schema is a new entry at the end. */
export const SEALED_MIGRATIONS: readonly Migration[] = [INITIAL, SHARD_PLACES, SEALED_OBJECTS, SEALED_COLLECTION];
