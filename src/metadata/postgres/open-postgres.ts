import { equalBytes } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import { METADATA_BUSY_TIMEOUT_MS } from '../../limits.ts';
import type { Transaction } from '../database.ts';
import { type MetadataParts, metadataIn, SYSTEM_PARTS } from '../metadata-in.ts';
import { type Migration, PLAIN_MIGRATIONS } from '../schema.ts';
import { SEALED_MIGRATIONS } from '../sealed-schema.ts';
import type { SqlMetadata } from '../sql-metadata.ts';
import { createPlainStore, loadStoreId, writeFirstRows, writeStoreId } from '../store-tables.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { describePlace, type PostgresPlace, parsePostgresUrl } from './postgres-url.ts';

export interface PostgresMetadataOptions {
  /** `postgres://user@host:port/database?schema=name`; the schema is `holdfast` unless it says otherwise. */
  readonly url: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** Makes schema and tables when they are missing. */
  readonly create: boolean;
  readonly readOnly?: boolean;
  readonly sealed?: boolean;
  /** How long a call waits for another writer, milliseconds. Default `METADATA_BUSY_TIMEOUT_MS`. */
  readonly busyTimeoutMs?: number;
}

type Kind = 'plain' | 'sealed';

/** Only what this version needs to know of the others: which schema it is, and of what kind of store. */
const VERSION_TABLE = 'CREATE TABLE metadata_version (kind TEXT NOT NULL, version BIGINT NOT NULL)';

const migrationsOf = (kind: Kind): readonly Migration[] => (kind === 'sealed' ? SEALED_MIGRATIONS : PLAIN_MIGRATIONS);

/**
 * Opens the metadata in a schema of a PostgreSQL database, in the calling thread. Any number of processes on any number
 * of machines may have it open.
 * @throws `corrupt/METADATA_MISSING` when there is none and `create` is false; `corrupt/METADATA_CORRUPT` when it is of
 *   another store, or not sealed as asked; `unsupported/FORMAT_UNSUPPORTED` when a newer release wrote it;
 *   `denied/PERMISSION_DENIED`, `denied/READ_ONLY` for a replica that is to be written to; `unavailable/METADATA_BUSY` where
 *   the server cannot be reached; `invalid/LOCATION_INVALID` for the URL
 */
export async function openPostgresMetadata(
  options: PostgresMetadataOptions,
  parts: MetadataParts = SYSTEM_PARTS,
): Promise<SqlMetadata> {
  const { readOnly = false, sealed = false, busyTimeoutMs = METADATA_BUSY_TIMEOUT_MS } = options;
  const place = parsePostgresUrl(options.url);
  const database = await PostgresDatabase.open({ ...place, readOnly, busyTimeoutMs });
  try {
    await prepare(database, place, { ...options, kind: sealed ? 'sealed' : 'plain', random: parts.random });
    return metadataIn(database, { sealed, readOnly }, parts);
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Preparation extends PostgresMetadataOptions {
  readonly kind: Kind;
  readonly random: MetadataParts['random'];
}

async function prepare(database: PostgresDatabase, place: PostgresPlace, options: Preparation): Promise<void> {
  const version = await readVersion(database, place, options.kind);
  const where = describePlace(place);
  if (version === 0 && !options.create) throw storeError('METADATA_MISSING', `there is no metadata in ${where}`);
  const migrations = migrationsOf(options.kind);
  if (version < migrations.length) {
    if (options.readOnly) throw storeError('READ_ONLY', `the metadata in ${where} must be opened for writing first`);
    await database.write((transaction) => migrate(transaction, database, place, options));
  }
  if (equalBytes(await database.read(loadStoreId), options.storeId)) return;
  throw storeError('METADATA_CORRUPT', `the metadata in ${where} belongs to another store`);
}

/** @returns 0 where there is none */
async function readVersion(database: PostgresDatabase, place: PostgresPlace, kind: Kind): Promise<number> {
  const found = await database.read(async (reader) => {
    const named = 'SELECT 1 AS found FROM pg_tables WHERE schemaname = ? AND tablename = ?';
    if ((await reader.all(named, [place.schema, 'metadata_version'])).length === 0) return undefined;
    const [row] = await reader.all('SELECT kind, version FROM metadata_version', []);
    return row;
  });
  if (found === undefined) return 0;
  const [where, version, known] = [describePlace(place), Number(found.version), migrationsOf(kind).length];
  if (found.kind !== kind) {
    const message = `the metadata in ${where} is that of a ${found.kind} store, and this one is ${kind}`;
    throw storeError('METADATA_CORRUPT', message);
  }
  if (version <= known) return version;
  const message = `the metadata has version ${version}, this release knows ${known}`;
  throw storeError('FORMAT_UNSUPPORTED', message, { details: { expected: known, actual: version } });
}

/** Brings a schema to the present version in one transaction, in which nobody else does: a crash leaves it as it was. */
async function migrate(
  transaction: Transaction,
  database: PostgresDatabase,
  place: PostgresPlace,
  { kind, storeId, random }: Preparation,
): Promise<void> {
  const run = (statement: string): Promise<void> => transaction.run(statement, [[]]);
  const schemas = await transaction.all('SELECT 1 AS found FROM pg_namespace WHERE nspname = ?', [place.schema]);
  // Who may use a schema that was made for him need not be allowed to make any.
  if (schemas.length === 0) await run(`CREATE SCHEMA "${place.schema}"`);
  const named = 'SELECT 1 AS found FROM pg_tables WHERE schemaname = ? AND tablename = ?';
  const isNew = (await transaction.all(named, [place.schema, 'metadata_version'])).length === 0;
  const [row] = isNew ? [] : await transaction.all('SELECT version FROM metadata_version', []);
  const version = Number(row?.version ?? 0);
  const migrations = migrationsOf(kind);
  for (const migration of migrations.slice(version))
    for (const statement of migration(database.dialect)) await run(statement);
  if (isNew) {
    await run(VERSION_TABLE);
    await transaction.run('INSERT INTO metadata_version (kind, version) VALUES (?, ?)', [[kind, migrations.length]]);
    await writeStoreId(transaction, storeId);
    // Those of a sealed store are written with the first keys.
    if (kind === 'plain') await writeFirstRows(transaction, createPlainStore(), random);
  } else await transaction.run('UPDATE metadata_version SET version = ?', [[migrations.length]]);
}
