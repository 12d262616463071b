/**
 * The tables of a plain store's metadata, in the SQL that SQLite and PostgreSQL share. Every row ends with its digest
 * (`row-digest.ts`). A change of the schema is a new entry at the end of
 * `PLAIN_MIGRATIONS`, never an edit of an old one.
 */
import { PLAIN_COLLECTION } from './collection-schema.ts';
import type { Dialect } from './database.ts';
import { PLAIN_OBJECTS } from './object-schema.ts';

/** Statements that bring the tables from one version to the next. */
export type Migration = (dialect: Dialect) => readonly string[];

/** The same in plain and sealed stores. */
export const SETTINGS_TABLE: Migration = ({ bytes }) => [
  `CREATE TABLE settings (name TEXT NOT NULL PRIMARY KEY, value ${bytes} NOT NULL, digest ${bytes} NOT NULL)`,
];

const INITIAL: Migration = (dialect) => [...SETTINGS_TABLE(dialect), ...INITIAL_ROWS(dialect)];

const INITIAL_ROWS: Migration = ({ bytes, integer, keyedTable }) => [
  `CREATE TABLE table_sums (
    name TEXT NOT NULL PRIMARY KEY, row_count ${integer} NOT NULL, digest_sum ${bytes} NOT NULL, digest ${bytes} NOT NULL
  )`,
  `CREATE TABLE head (
    id ${integer} NOT NULL PRIMARY KEY, commit_number ${integer} NOT NULL, record_digest ${bytes} NOT NULL,
    incarnation ${bytes} NOT NULL, record_incarnation ${bytes}, flushed ${integer} NOT NULL, next_pack ${integer} NOT NULL,
    entries ${integer} NOT NULL, logical_bytes ${integer} NOT NULL, chunks ${integer} NOT NULL,
    unique_bytes ${integer} NOT NULL, packs ${integer} NOT NULL, stored_bytes ${integer} NOT NULL, digest ${bytes} NOT NULL
  )`,
  `CREATE TABLE sessions (id ${bytes} NOT NULL PRIMARY KEY, digest ${bytes} NOT NULL) ${keyedTable}`,
  `CREATE TABLE packs (
    number ${integer} NOT NULL PRIMARY KEY, id ${bytes} NOT NULL UNIQUE, class ${integer} NOT NULL,
    pack_bytes ${integer} NOT NULL, stored_bytes ${integer} NOT NULL, stripe_id ${bytes} NOT NULL,
    data_shards ${integer} NOT NULL, parity_shards ${integer} NOT NULL, roots ${bytes} NOT NULL,
    incarnation ${bytes}, first_commit ${integer} NOT NULL, last_commit ${integer} NOT NULL,
    items ${integer} NOT NULL, dropped ${integer} NOT NULL, digest ${bytes} NOT NULL
  )`,
  'CREATE INDEX packs_by_size ON packs (dropped, class, pack_bytes, number)',
  // `pack` 0: the record lies in outbox_records at (commit_number, ordinal).
  `CREATE TABLE items (
    kind ${integer} NOT NULL, id ${bytes} NOT NULL, pack ${integer} NOT NULL, commit_number ${integer} NOT NULL,
    ordinal ${integer} NOT NULL, record_offset ${integer} NOT NULL, stored_length ${integer} NOT NULL,
    plain_length ${integer} NOT NULL, codec ${integer} NOT NULL, inner_offset ${integer} NOT NULL,
    length ${integer} NOT NULL, suspect ${integer} NOT NULL, digest ${bytes} NOT NULL, PRIMARY KEY (kind, id)
  ) ${keyedTable}`,
  `CREATE TABLE entries (
    key ${bytes} NOT NULL PRIMARY KEY, version ${bytes} NOT NULL, size ${integer} NOT NULL, created ${integer} NOT NULL,
    modified ${integer} NOT NULL, entry ${bytes} NOT NULL, digest ${bytes} NOT NULL
  ) ${keyedTable}`,
  'CREATE INDEX entries_by_modified ON entries (modified, key)',
  'CREATE INDEX entries_by_size ON entries (size, key)',
  `CREATE TABLE outbox (
    commit_number ${integer} NOT NULL PRIMARY KEY, bytes ${integer} NOT NULL, record ${bytes} NOT NULL,
    digest ${bytes} NOT NULL
  )`,
  `CREATE TABLE outbox_records (
    commit_number ${integer} NOT NULL, ordinal ${integer} NOT NULL, codec ${integer} NOT NULL,
    plain_length ${integer} NOT NULL, items ${bytes} NOT NULL, stored ${bytes} NOT NULL, digest ${bytes} NOT NULL,
    PRIMARY KEY (commit_number, ordinal)
  )`,
];

/**
 * Where the shards of packs lie (`shard-columns.ts`), the same in plain and sealed stores. Every index begins with what
 * its query asks for first, `dropped` where it does: else SQLite takes `packs_by_size` and sorts all live packs.
 */
export const SHARD_PLACES: Migration = ({ bytes, integer }) => [
  `ALTER TABLE packs ADD COLUMN shards ${bytes}`,
  `ALTER TABLE packs ADD COLUMN margin ${integer}`,
  `ALTER TABLE packs ADD COLUMN verified_at ${integer} DEFAULT 0`,
  'CREATE INDEX packs_of_unknown_place ON packs (dropped, number) WHERE shards IS NULL',
  'CREATE INDEX packs_to_repair ON packs (margin, number) WHERE margin IS NOT NULL',
  'CREATE INDEX packs_by_verification ON packs (dropped, verified_at, number)',
];

/** A change of the schema is a new entry at the end, and one in `older-sqlite.ts` where readers need it. */
export const PLAIN_MIGRATIONS: readonly Migration[] = [INITIAL, SHARD_PLACES, PLAIN_OBJECTS, PLAIN_COLLECTION];
