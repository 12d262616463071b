import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { exists } from '../runtime/file-system.ts';
import { type RandomBytes, systemRandom } from '../runtime/random.ts';
import { openForReading } from './reading-sqlite.ts';
import { migrationsFrom, SCHEMA_VERSION } from './schema.ts';
import { SqlMetadata } from './sql-metadata.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { APPLICATION_ID, IN_MEMORY, SET_ASIDE_VERSION } from './sqlite-file.ts';
import { createPlainStore, loadStoreId, writeFirstRows, writeStoreId } from './store-tables.ts';

export interface OpenSqliteOptions {
  readonly path: string;
  readonly storeId: Uint8Array;
  readonly create: boolean;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
}

function missing(path: string): Error {
  return storeError('METADATA_MISSING', `there is no metadata at ${path}`, { details: { path } });
}

/** @returns the version of the schema, 0 for an empty database */
function readVersion(database: SqliteDatabase, path: string): number {
  const version = database.pragma('user_version');
  if (version === 0 && database.empty) return 0;
  if (database.pragma('application_id') !== APPLICATION_ID) {
    throw storeError('METADATA_CORRUPT', `the database at ${path} is not the metadata of a store`, {
      details: { path },
    });
  }
  if (version === SET_ASIDE_VERSION) {
    throw storeError('METADATA_BUSY', `the metadata at ${path} is being set aside for a rebuild`, {
      details: { path },
    });
  }
  if (version > SCHEMA_VERSION) {
    throw storeError(
      'FORMAT_UNSUPPORTED',
      `the metadata has version ${version}, this release knows ${SCHEMA_VERSION}`,
      {
        details: { path, expected: SCHEMA_VERSION, actual: version },
      },
    );
  }
  return version;
}

/** Brings an empty or older database to the present schema, in one transaction: a crash leaves it as it was. */
async function migrate(database: SqliteDatabase, options: OpenSqliteOptions, random: RandomBytes): Promise<void> {
  // Persistent, and not possible inside a transaction.
  database.execute('PRAGMA journal_mode = WAL');
  await database.write(async (transaction) => {
    const version = readVersion(database, options.path);
    if (version === SCHEMA_VERSION) return;
    for (const statement of migrationsFrom(version, database.dialect)) await transaction.run(statement, [[]]);
    if (version === 0) {
      await writeStoreId(transaction, options.storeId);
      await writeFirstRows(transaction, createPlainStore(), random);
    }
    database.execute(`PRAGMA application_id = ${APPLICATION_ID}`, `PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

async function prepare(database: SqliteDatabase, options: OpenSqliteOptions, random: RandomBytes): Promise<void> {
  const { path, create, readOnly } = options;
  const version = readVersion(database, path);
  if (version === 0 && !create) throw missing(path);
  if (version < SCHEMA_VERSION) {
    if (readOnly)
      throw storeError('READ_ONLY', `the metadata at ${path} must be opened for writing first`, { details: { path } });
    await migrate(database, options, random);
  }
  const storeId = await database.read(loadStoreId);
  if (!equalBytes(storeId, options.storeId)) {
    throw storeError('METADATA_CORRUPT', `the metadata at ${path} belongs to another store`, { details: { path } });
  }
}

/** The metadata in the calling thread, which blocks while SQLite works; see `openSqliteMetadata` for options and errors. */
export async function openSqlMetadata(
  options: OpenSqliteOptions,
  parts = { clock: systemClock, random: systemRandom },
): Promise<SqlMetadata> {
  const { path, create, readOnly, busyTimeoutMs } = options;
  if (path !== IN_MEMORY && !create && !(await exists(path))) throw missing(path);
  const database = readOnly
    ? await openForReading(path, busyTimeoutMs)
    : new SqliteDatabase({ path, readOnly, busyTimeoutMs });
  try {
    await prepare(database, options, parts.random);
  } catch (error) {
    await database.close();
    throw error;
  }
  return new SqlMetadata({ database, store: createPlainStore(), ...parts });
}
