import { describe, expect, it } from 'vitest';
import { PostgresDatabase } from '../../src/metadata/postgres/postgres-database.ts';
import { parsePostgresUrl } from '../../src/metadata/postgres/postgres-url.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest } from '../support/stores.ts';
import { SERVER, WHY_SKIPPED } from './services.ts';

const SELECT = 'SELECT name, bytes FROM things WHERE kind = ? AND id = ? ORDER BY name DESC';
let schemas = 0;

/** A schema with a table of some rows, two of which have one key. */
async function openWithRows(): Promise<PostgresDatabase> {
  schemas += 1;
  const place = parsePostgresUrl(`${SERVER}?schema=database_${process.pid}_${schemas}`);
  const opened = await PostgresDatabase.open({ ...place, readOnly: false, busyTimeoutMs: 5000 });
  const database = closedAfterTest(opened);
  await database.write(async (transaction) => {
    await transaction.run(`CREATE SCHEMA "${place.schema}"`, [[]]);
    await transaction.run('CREATE TABLE things (kind BIGINT, id BYTEA, name TEXT, bytes BYTEA)', [[]]);
    const rows = [0, 1, 2, 3].map((index) => [1, noise(32, index), `of ${index}`, noise(100, index)]);
    await transaction.run('INSERT INTO things (kind, id, name, bytes) VALUES (?, ?, ?, ?)', [
      ...rows,
      [1, noise(32, 3), 'later', null],
    ]);
  });
  return database;
}

const ALL = 'SELECT kind, id, name, bytes FROM things ORDER BY name';

describe.skipIf(SERVER === undefined)(`changing many rows at once${WHY_SKIPPED}`, () => {
  it('inserts, replaces and deletes what one after the other would, nulls too, by a statement for each', async () => {
    const database = await openWithRows();
    const { statements = 0 } = database.requests ?? {};
    const row = (index: number, bytes: Uint8Array | null) => [index, noise(32, index), `row ${index}`, bytes];
    const sets = [row(7, null), row(8, noise(0)), row(9, noise(70_000))];
    await database.write(async (transaction) => {
      await transaction.run('CREATE UNIQUE INDEX by_kind ON things (kind) WHERE kind > 1', [[]]);
      const insert = 'INSERT INTO things (kind, id, name, bytes) VALUES (?, ?, ?, ?)';
      const upsert = `${insert}\n ON CONFLICT (kind) WHERE kind > 1 DO UPDATE SET bytes = excluded.bytes`;
      await transaction.run(upsert, [...sets, row(10, null)]);
      await transaction.run(upsert, [row(7, null), row(8, null)]);
      await transaction.run('DELETE FROM things WHERE kind = ? AND name = ?', [
        ...[0, 1, 2, 3].map((index) => [1, `of ${index}`]),
        ...[
          [1, 'later'],
          [10, 'row 10'],
          [9, 'row 8'],
          [11, null],
        ],
      ]);
      await transaction.run('UPDATE things SET id = ? WHERE kind = ?', [
        [noise(1), 7],
        [null, 8],
      ]);
    });
    expect((database.requests?.statements ?? 0) - statements).toBeLessThan(12);
    const found = await database.read((reader) => reader.all(ALL, []));
    expect(found).toEqual([
      { kind: 7, id: noise(1), name: 'row 7', bytes: null },
      { kind: 8, id: null, name: 'row 8', bytes: null },
      { kind: 9, id: noise(32, 9), name: 'row 9', bytes: noise(70_000) },
    ]);
  });
});

describe.skipIf(SERVER === undefined)(`looking up many rows at once${WHY_SKIPPED}`, () => {
  it('gives the first row of each, in the order asked, and none where there is none', async () => {
    const database = await openWithRows();
    const sets = [2, 0, 9, 3, 2].map((index) => [1, noise(32, index)] as const);
    const found = await database.read((reader) => reader.lookup(SELECT, sets));
    const row = (index: number) => ({ name: `of ${index}`, bytes: noise(100, index) });
    expect(found).toEqual([row(2), row(0), undefined, row(3), row(2)]);
    const one = await database.read((reader) => reader.lookup(SELECT, sets.slice(0, 1)));
    expect(one).toEqual([row(2)]);
  });

  it('takes what has no one type row by row, and gives rows that hold nothing', async () => {
    const database = await openWithRows();
    const byName = 'SELECT bytes FROM things WHERE name = ? AND kind = ?';
    const mixed = await database.read((reader) =>
      reader.lookup(byName, [
        ['later', 1],
        [null, 1],
        ['none', 1],
      ]),
    );
    expect(mixed).toEqual([{ bytes: null }, undefined, undefined]);
    const alike = await database.read((reader) =>
      reader.lookup(byName, [
        ['later', 1],
        ['none', 1],
      ]),
    );
    expect(alike).toEqual([{ bytes: null }, undefined]);
    expect(await database.read((reader) => reader.lookup(byName, []))).toEqual([]);
  });
});

describe.skipIf(SERVER === undefined)(`transactions${WHY_SKIPPED}`, () => {
  it('see what was to be written before them, and are one round trip where they ask once', async () => {
    const database = await openWithRows();
    const count = () => database.read((reader) => reader.all('SELECT count(*) AS rows FROM things', []));
    const before = database.requests.roundTrips;
    const reads = [count(), count()];
    const written = database.write((transaction) => transaction.run('DELETE FROM things WHERE name = ?', [['later']]));
    const after = await count();
    await written;
    expect([...(await Promise.all(reads)), after].map(([row]) => row?.rows)).toEqual([5, 5, 4]);
    // The turn and COMMIT, with which the statement goes; three reads.
    expect(database.requests.roundTrips - before).toBe(2 + 3);
  });

  it('tell what was wrong first, and are undone', async () => {
    const database = await openWithRows();
    const broken = database.write(async (transaction) => {
      await transaction.run('DELETE FROM things', [[]]);
      await transaction.run('DELETE FROM nothing WHERE id = ?', [[1], [2]]);
    });
    await expect(broken).rejects.toMatchObject({ details: { system: '42P01' } });
    const looking = database.read((reader) => reader.lookup('SELECT 1 AS one FROM nothing WHERE id = ?', [[1], [2]]));
    await expect(looking).rejects.toMatchObject({ details: { system: '42P01' } });
    const [row] = await database.read((reader) => reader.all('SELECT count(*) AS rows FROM things', []));
    expect(row?.rows).toBe(5);
  });
});
