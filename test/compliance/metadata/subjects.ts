import { join } from 'node:path';
import { openSqliteMetadata } from '../../../src/metadata/index.ts';
import { openSqlMetadata } from '../../../src/metadata/open-sqlite.ts';
import { openPostgresMetadata } from '../../../src/metadata/postgres/open-postgres.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../src/testing/temporary-folder.ts';
import { SAMPLE_STORE } from '../../support/format-samples.ts';
import { unlocked } from '../../support/sealed-metadata.ts';
import type { MetadataUnderTest } from './suite.ts';

const storeId = SAMPLE_STORE;
const MEMORY = { path: ':memory:', storeId, create: true, readOnly: false, busyTimeoutMs: 0 };

const inMemory: MetadataUnderTest = {
  name: 'metadata in memory, in this thread',
  open: () => openSqlMetadata(MEMORY),
};

const sealedInMemory: MetadataUnderTest = {
  name: 'sealed metadata in memory, in this thread',
  open: () => unlocked(openSqlMetadata({ ...MEMORY, sealed: true })),
};

let folder: TemporaryFolder | undefined;
let files = 0;

function lastFile(): string {
  return join(folder?.path ?? '', `${files}.sqlite`);
}

async function newFile(): Promise<string> {
  folder ??= await makeTemporaryFolder();
  files += 1;
  return lastFile();
}

const dispose = async (): Promise<void> => {
  await folder?.remove();
  folder = undefined;
};

const inFile: MetadataUnderTest = {
  name: 'metadata in a SQLite file, in a thread of its own',
  open: async () => openSqliteMetadata({ path: await newFile(), storeId, create: true }),
  openAgain: () => openSqliteMetadata({ path: lastFile(), storeId, create: false }),
  dispose,
};

const sealedInFile: MetadataUnderTest = {
  name: 'sealed metadata in a SQLite file, in a thread of its own',
  open: async () => unlocked(openSqliteMetadata({ path: await newFile(), storeId, create: true, sealed: true })),
  openAgain: () => unlocked(openSqliteMetadata({ path: lastFile(), storeId, create: false, sealed: true })),
  dispose,
};

/** Where `npm run test:services` has started a server. */
const { HOLDFAST_TEST_POSTGRES: SERVER } = process.env;
let schemas = 0;

const lastSchema = (): string => `${SERVER}?schema=suite_${process.pid}_${schemas}`;

function inNewSchema(sealed: boolean) {
  schemas += 1;
  return openPostgresMetadata({ url: lastSchema(), storeId, create: true, sealed });
}

const inPostgres: MetadataUnderTest = {
  name: 'metadata in PostgreSQL',
  open: () => inNewSchema(false),
  openAgain: () => openPostgresMetadata({ url: lastSchema(), storeId, create: false }),
};

const sealedInPostgres: MetadataUnderTest = {
  name: 'sealed metadata in PostgreSQL',
  open: () => unlocked(inNewSchema(true)),
  openAgain: () => unlocked(openPostgresMetadata({ url: lastSchema(), storeId, create: false, sealed: true })),
};

/** Set where the sources are changed in this thread alone. */
const ONE_THREAD = process.env.HOLDFAST_TEST_ONE_THREAD !== undefined;
const inSqlite = ONE_THREAD ? [inMemory] : [inMemory, inFile];
const sealedInSqlite = ONE_THREAD ? [sealedInMemory] : [sealedInMemory, sealedInFile];

/** Every database that implements the metadata contract: each runs every test of this folder. */
export const SUBJECTS: readonly MetadataUnderTest[] =
  SERVER === undefined ? [...inSqlite, ...sealedInSqlite] : [inPostgres, sealedInPostgres];

/** Those of sealed stores, which have namespaces. */
export const SEALED_SUBJECTS: readonly MetadataUnderTest[] = SERVER === undefined ? sealedInSqlite : [sealedInPostgres];
