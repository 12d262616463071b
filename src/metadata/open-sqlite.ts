import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { exists } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { Database } from './database.ts';
import { type MetadataParts, metadataIn, SYSTEM_PARTS } from './metadata-in.ts';
import { viewsOfOlder } from './older-sqlite.ts';
import { openForReading } from './reading-sqlite.ts';
import { type Migration, PLAIN_MIGRATIONS } from './schema.ts';
import { SEALED_MIGRATIONS } from './sealed-schema.ts';
import type { SqlMetadata } from './sql-metadata.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import {
  IN_MEMORY,
  PLAIN_APPLICATION_ID,
  SEALED_APPLICATION_ID,
  SET_ASIDE_VERSION,
  SINGLE_FILE_APPLICATION_IDS,
} from './sqlite-file.ts';
import { createPlainStore, loadStoreId, writeFirstRows, writeStoreId } from './store-tables.ts';

export interface OpenSqliteOptions {
  readonly path: string;
  readonly storeId: Uint8Array;
  readonly create: boolean;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
  /** Whether the store is sealed. Default false. */
  readonly sealed?: boolean;
  /** Whether the database holds the blobs of the store too, see `openMetadataBesideBlobs`. Default false. */
  readonly besideBlobs?: boolean;
}

/** The databases of plain and of sealed stores. */
interface DatabaseKind {
  readonly name: string;
  readonly applicationId: number;
  readonly migrations: readonly Migration[];
}

const PLAIN: DatabaseKind = { name: 'plain', applicationId: PLAIN_APPLICATION_ID, migrations: PLAIN_MIGRATIONS };
const SEALED: DatabaseKind = { name: 'sealed', applicationId: SEALED_APPLICATION_ID, migrations: SEALED_MIGRATIONS };

const PLAIN_BESIDE_BLOBS: DatabaseKind = { ...PLAIN, applicationId: SINGLE_FILE_APPLICATION_IDS.plain };
const SEALED_BESIDE_BLOBS: DatabaseKind = { ...SEALED, applicationId: SINGLE_FILE_APPLICATION_IDS.sealed };
const KINDS = [PLAIN, SEALED, PLAIN_BESIDE_BLOBS, SEALED_BESIDE_BLOBS];

function kindOf({ sealed, besideBlobs }: OpenSqliteOptions): DatabaseKind {
  if (besideBlobs) return sealed ? SEALED_BESIDE_BLOBS : PLAIN_BESIDE_BLOBS;
  return sealed ? SEALED : PLAIN;
}

/** Whether nobody has made metadata in the database yet. */
function isBare(database: SqliteDatabase, { besideBlobs }: OpenSqliteOptions): boolean {
  if (besideBlobs) return database.pragma('application_id') === SINGLE_FILE_APPLICATION_IDS.none;
  return database.empty;
}

function missing(path: string): Error {
  return storeError('METADATA_MISSING', `there is no metadata at ${path}`, { details: { path } });
}

/** @throws `corrupt/METADATA_CORRUPT` for a database of the other kind: no store changes between plain and sealed */
function checkKind(database: SqliteDatabase, options: OpenSqliteOptions): void {
  const { path } = options;
  const [expected, found] = [kindOf(options), database.pragma('application_id')];
  if (found === expected.applicationId) return;
  const other = KINDS.find(({ applicationId }) => applicationId === found);
  const problem = other
    ? `the metadata at ${path} is that of a ${other.name} store, and this one is ${expected.name}`
    : `the database at ${path} is not the metadata of a store`;
  throw storeError('METADATA_CORRUPT', problem, { details: { path } });
}

/** @returns the version of the schema, 0 for an empty database */
function readVersion(database: SqliteDatabase, options: OpenSqliteOptions): number {
  const { path } = options;
  const version = database.pragma('user_version');
  if (version === 0 && isBare(database, options)) return 0;
  checkKind(database, options);
  if (version === SET_ASIDE_VERSION) {
    const message = `the metadata at ${path} was set aside by a rebuild that has not ended: rebuild again`;
    throw storeError('METADATA_MISSING', message, { details: { path } });
  }
  const known = kindOf(options).migrations.length;
  if (version > known) {
    throw storeError('FORMAT_UNSUPPORTED', `the metadata has version ${version}, this release knows ${known}`, {
      details: { path, expected: known, actual: version },
    });
  }
  return version;
}

/** Brings an empty or older database to the present schema, in one transaction: a crash leaves it as it was. */
async function migrate(database: SqliteDatabase, options: OpenSqliteOptions, random: RandomBytes): Promise<void> {
  const { applicationId, migrations } = kindOf(options);
  // Persistent, and not possible inside a transaction.
  database.execute('PRAGMA journal_mode = WAL');
  await database.write(async (transaction) => {
    const version = readVersion(database, options);
    if (version === migrations.length) return;
    for (const migration of migrations.slice(version)) {
      for (const statement of migration(database.dialect)) await transaction.run(statement, [[]]);
    }
    if (version === 0) {
      await writeStoreId(transaction, options.storeId);
      // Those of a sealed store are written with the first keys.
      if (!options.sealed) await writeFirstRows(transaction, createPlainStore(), random);
    }
    database.execute(`PRAGMA application_id = ${applicationId}`, `PRAGMA user_version = ${migrations.length}`);
  });
}

/** @throws `corrupt/METADATA_CORRUPT` */
async function checkStore(database: SqliteDatabase, { path, storeId }: OpenSqliteOptions): Promise<void> {
  if (equalBytes(await database.read(loadStoreId), storeId)) return;
  throw storeError('METADATA_CORRUPT', `the metadata at ${path} belongs to another store`, { details: { path } });
}

async function prepare(database: SqliteDatabase, options: OpenSqliteOptions, random: RandomBytes): Promise<void> {
  const { path, create, readOnly } = options;
  const version = readVersion(database, options);
  if (version === 0 && !create) throw missing(path);
  if (version === 0 && readOnly) {
    throw storeError('READ_ONLY', `the metadata at ${path} must be opened for writing first`, { details: { path } });
  }
  // Another store's is left as it is.
  if (version > 0) await checkStore(database, options);
  if (readOnly) database.addViews(viewsOfOlder(version));
  else if (version < kindOf(options).migrations.length) await migrate(database, options, random);
  if (version === 0) await checkStore(database, options);
}

/** Opens the database of a store's metadata and brings it to the present schema; see `openSqliteMetadata`. */
export async function openSqlDatabase(
  options: OpenSqliteOptions,
  parts: MetadataParts = SYSTEM_PARTS,
): Promise<SqliteDatabase> {
  const { path, create, readOnly, busyTimeoutMs } = options;
  if (path !== IN_MEMORY && !create && !(await exists(path))) throw missing(path);
  const database = readOnly
    ? await openForReading(path, busyTimeoutMs)
    : new SqliteDatabase({ path, readOnly, busyTimeoutMs, secureDelete: options.sealed === true });
  try {
    await prepare(database, options, parts.random);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * The metadata in the calling thread, which blocks while SQLite works; see `openSqliteMetadata` for options and errors.
 */
export async function openSqlMetadata(
  options: OpenSqliteOptions,
  parts: MetadataParts = SYSTEM_PARTS,
): Promise<SqlMetadata> {
  return metadataIn(await openSqlDatabase(options, parts), options, parts);
}

/**
 * The metadata of a single-file store, in the database that holds its blobs: made there when there is none and `create`
 * says so. Errors as of `openSqliteMetadata`.
 * @param shared what the metadata uses and closes: the database, or a view of it that leaves it open
 */
export async function openMetadataBesideBlobs(
  database: SqliteDatabase,
  shared: Database,
  given: OpenSqliteOptions,
): Promise<SqlMetadata> {
  const options = { ...given, besideBlobs: true };
  await prepare(database, options, SYSTEM_PARTS.random);
  return metadataIn(shared, options);
}
