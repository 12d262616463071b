/** The sequences of the reliability suite, over a bucket and PostgreSQL: see `test/store/model.test.ts`. */
import { describe, it } from 'vitest';
import { type Backend, openS3Backend } from '../../src/backend/index.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { metadataIn } from '../../src/metadata/metadata-in.ts';
import { openPostgresMetadata } from '../../src/metadata/postgres/open-postgres.ts';
import { PostgresDatabase } from '../../src/metadata/postgres/postgres-database.ts';
import { parsePostgresUrl } from '../../src/metadata/postgres/postgres-url.ts';
import { setModelParts } from '../model/model-parts.ts';
import { runSequences } from '../model/sequences.ts';
import { livingStoreId, type MetadataHome } from '../support/living-store.ts';
import { ENDPOINT, makeBucket, newSchema, WHY_SKIPPED } from './services.ts';

const SEQUENCES = Number(process.env.HOLDFAST_SEQUENCES ?? 16);
const SEED = 1;

let bucket: Promise<string> | undefined;
let prefixes = 0;

async function newBackend(): Promise<Backend> {
  bucket ??= makeBucket();
  const [base, query] = (await bucket).split('?');
  prefixes += 1;
  return await openS3Backend(`${base}/${prefixes}?${query}`);
}

async function newHome(keys: KeySecret | undefined): Promise<MetadataHome> {
  const [url, sealed] = [newSchema(), keys !== undefined];
  const busyTimeoutMs = 5000;
  await (await openPostgresMetadata({ url, storeId: livingStoreId(), create: true, sealed, busyTimeoutMs })).close();
  const database = await PostgresDatabase.open({ ...parsePostgresUrl(url), readOnly: false, busyTimeoutMs });
  return { open: () => metadataIn(database, { sealed, readOnly: false }), database };
}

describe.skipIf(ENDPOINT === undefined)(`a store in a bucket with its metadata in PostgreSQL${WHY_SKIPPED}`, () => {
  it(`is what its model is, whatever is done to it (${SEQUENCES} sequences, seed ${SEED})`, {
    timeout: SEQUENCES * 20_000,
  }, async () => {
    setModelParts({ newBackend, newHome });
    await runSequences({ seed: SEED, start: 0, end: SEQUENCES });
  });
});
