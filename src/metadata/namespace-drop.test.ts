import { afterEach, beforeEach, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, packAdd, request } from '../../test/support/metadata-samples.ts';
import { putIn, putIsolated, ringOf, sealedPackOf, TENANT } from '../../test/support/sealed-metadata.ts';
import { KeySchedule } from '../format/key-schedule.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import type { Metadata } from './contract.ts';
import { dropNamespaces } from './namespace-drop.ts';
import { RowSealer } from './row-sealer.ts';
import { createSealedCodec } from './sealed-codec.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { createSealedStore } from './store-tables.ts';
import { WorkingState } from './working-state.ts';

const ISOLATED = Array.from({ length: 30 }, (_, index) => ISOLATED_NAMESPACE_MIN + index);

let file: MetadataFile;
let metadata: Metadata;
let database: SqliteDatabase;

beforeEach(async () => {
  file = await MetadataFile.make('sealed');
  metadata = await file.open({ create: true });
  await metadata.commit([
    request(...ISOLATED.map((number) => putIsolated(number, `k${number}`, { namespace: TENANT })), putIn(TENANT, 'a')),
    request(...ISOLATED.map((number, index) => packAdd(sealedPackOf(index + 1, [idOf(number)], number)))),
  ]);
  database = new SqliteDatabase({ path: file.path, readOnly: false, busyTimeoutMs: 1000 });
});

afterEach(async () => {
  await database.close();
  await file.remove();
});

function drop(isolatedMax: number): Promise<readonly number[]> {
  const sealer = new RowSealer(systemRandom);
  sealer.unlock(new KeySchedule(ringOf()));
  const store = createSealedStore(createSealedCodec(sealer));
  return database.write(async (transaction) => {
    const state = await WorkingState.begin(transaction, store);
    const left = await dropNamespaces(state, [TENANT], isolatedMax);
    await state.save();
    return left;
  });
}

it('takes the namespaces of all isolated entries along, with their packs and items', async () => {
  expect((await drop(30)).toSorted((a, b) => a - b)).toEqual([TENANT, ...ISOLATED]);
  expect(await metadata.counters()).toMatchObject({ entries: 0, chunks: 0, packs: 0 });
  expect(await metadata.droppedPacks(99)).toHaveLength(30);
  expect(await metadata.pendingShreds()).toEqual(ISOLATED);
  expect((await metadata.check()).problems).toEqual([]);
});

it('drops nothing when there are too many of them for one record', async () => {
  const before = await metadata.stateDigests();
  await expect(drop(29)).rejects.toMatchObject({ kind: 'invalid', code: 'BATCH_TOO_LARGE', details: { size: 30 } });
  expect(await metadata.stateDigests()).toEqual(before);
  expect(await metadata.pendingShreds()).toEqual([]);
});
