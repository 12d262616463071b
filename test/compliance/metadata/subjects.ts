import { join } from 'node:path';
import { openSqliteMetadata } from '../../../src/metadata/index.ts';
import { openSqlMetadata } from '../../../src/metadata/open-sqlite.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../src/testing/temporary-folder.ts';
import { SAMPLE_STORE } from '../../support/format-samples.ts';
import type { MetadataUnderTest } from './suite.ts';

const storeId = SAMPLE_STORE;

const inMemory: MetadataUnderTest = {
  name: 'metadata in memory, in this thread',
  open: () => openSqlMetadata({ path: ':memory:', storeId, create: true, readOnly: false, busyTimeoutMs: 0 }),
};

let folder: TemporaryFolder | undefined;
let files = 0;

function lastFile(): string {
  return join(folder?.path ?? '', `${files}.sqlite`);
}

const inFile: MetadataUnderTest = {
  name: 'metadata in a SQLite file, in a thread of its own',
  open: async () => {
    folder ??= await makeTemporaryFolder();
    files += 1;
    return openSqliteMetadata({ path: lastFile(), storeId, create: true });
  },
  openAgain: () => openSqliteMetadata({ path: lastFile(), storeId, create: false }),
  dispose: async () => {
    await folder?.remove();
    folder = undefined;
  },
};

/** Every database that implements the metadata contract: each runs every test of this folder. */
export const SUBJECTS: readonly MetadataUnderTest[] = [inMemory, inFile];
