import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { inlineOf, put, request } from '../../test/support/metadata-samples.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { SqlMetadata } from './sql-metadata.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { createPlainStore } from './store-tables.ts';

let file: MetadataFile;
const databases: SqliteDatabase[] = [];

beforeEach(async () => {
  file = await MetadataFile.make();
});

afterEach(async () => {
  for (const database of databases.splice(0)) await database.close();
  await file.remove();
});

function openDatabase(path = file.path): SqliteDatabase {
  const database = new SqliteDatabase({ path, readOnly: false, busyTimeoutMs: 1000 });
  databases.push(database);
  return database;
}

const INSERT = 'INSERT INTO numbers (value) VALUES (?)';
const SELECT = 'SELECT value FROM numbers ORDER BY value';

function withNumbers(path?: string): SqliteDatabase {
  const database = openDatabase(path);
  database.execute('PRAGMA journal_mode = WAL', 'CREATE TABLE numbers (value INTEGER)');
  return database;
}

async function valuesOf(database: SqliteDatabase): Promise<unknown> {
  return (await database.read((reader) => reader.all(SELECT, []))).map(({ value }) => value);
}

describe('SqliteDatabase', () => {
  it('undoes the writes of work that throws, and passes the error on', async () => {
    const database = withNumbers();
    const mine = new Error('mine');
    const failing = database.write(async (transaction) => {
      await transaction.run(INSERT, [[1], [2]]);
      throw mine;
    });
    await expect(failing).rejects.toBe(mine);
    await database.write((transaction) => transaction.run(INSERT, [[3]]));
    expect(await valuesOf(database)).toEqual([3]);
  });

  it('runs transactions one at a time, in the order asked', async () => {
    const database = withNumbers();
    const order: string[] = [];
    const slow = database.write(async (transaction) => {
      order.push('slow begins');
      await new Promise((resolve) => setImmediate(resolve));
      await transaction.run(INSERT, [[1]]);
      order.push('slow ends');
    });
    const quick = database.read(async (reader) => {
      order.push(`quick sees ${(await reader.all(SELECT, [])).length}`);
    });
    await Promise.all([slow, quick]);
    expect(order).toEqual(['slow begins', 'slow ends', 'quick sees 1']);
  });

  it('keeps a snapshot at one state while others commit', async () => {
    const database = withNumbers();
    await database.write((transaction) => transaction.run(INSERT, [[1]]));
    const snapshot = await database.snapshot();
    await database.write((transaction) => transaction.run(INSERT, [[2]]));
    expect(await snapshot.all(SELECT, [])).toEqual([{ value: 1 }]);
    expect(await snapshot.lookup('SELECT value FROM numbers WHERE value = ?', [[2], [1]])).toEqual([
      ...[undefined, { value: 1 }],
    ]);
    expect(await valuesOf(database)).toEqual([1, 2]);
    await snapshot.close();
    await snapshot.close();
    await expect(snapshot.all(SELECT, [])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('lets commits wait for the snapshot of a database in memory', async () => {
    const database = withNumbers(':memory:');
    const snapshot = await database.snapshot();
    let written = false;
    const writing = database.write(async (transaction) => {
      await transaction.run(INSERT, [[1]]);
      written = true;
    });
    expect(await snapshot.all(SELECT, [])).toEqual([]);
    expect(written).toBe(false);
    await snapshot.close();
    await writing;
    expect(await valuesOf(database)).toEqual([1]);
  });

  it('reads integers beyond 2^53 as they are', async () => {
    const database = withNumbers();
    await database.write((transaction) => transaction.run(INSERT, [[1], [2n ** 60n], [-(2n ** 62n)]]));
    expect(await valuesOf(database)).toEqual([-(2n ** 62n), 1, 2n ** 60n]);
    const found = await database.read((reader) => reader.lookup(SELECT, [[]]));
    expect(found).toEqual([{ value: -(2n ** 62n) }]);
  });

  it('closes snapshots with itself and answers nothing after', async () => {
    const database = withNumbers();
    const snapshot = await database.snapshot();
    await database.close();
    await expect(snapshot.all(SELECT, [])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(valuesOf(database)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(database.snapshot()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('passes on errors that are our own mistake', async () => {
    const database = withNumbers();
    await expect(database.read((reader) => reader.all('SELEC', []))).rejects.toMatchObject({
      code: 'ERR_SQLITE_ERROR',
    });
  });
});

describe('metadata on a full disk', () => {
  it('commits nothing, says so, and goes on when there is room', async () => {
    await (await file.fill()).close();
    const database = openDatabase();
    const metadata = new SqlMetadata({ database, store: createPlainStore(), clock: systemClock, random: systemRandom });
    const before = await metadata.stateDigests();
    const pages = Number((await database.read((reader) => reader.all('PRAGMA page_count', [])))[0]?.page_count);
    database.execute(`PRAGMA max_page_count = ${pages}`);
    const large = { ...inlineOf('large'), stored: new Uint8Array(60_000) };
    await expect(metadata.commit([{ changes: [put('c')], inline: [large] }])).rejects.toMatchObject({
      ...{ kind: 'exhausted', code: 'DISK_FULL' },
    });
    expect(await metadata.head()).toMatchObject({ commit: 1 });
    expect(await metadata.stateDigests()).toEqual(before);
    expect((await metadata.check()).problems).toEqual([]);
    database.execute('PRAGMA max_page_count = 100000');
    expect(await metadata.commit([request(put('c'))])).toMatchObject([{ ok: true, commit: 2 }]);
  });
});
