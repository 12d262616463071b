import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../../test/support/metadata-file.ts';
import { utf8Encode } from '../../bytes/bytes.ts';
import type { EntryQuery } from '../contract.ts';
import type { Database, Reader, SqlParameters } from '../database.ts';
import { SqliteDatabase } from '../sqlite-database.ts';
import { createPlainTables } from '../tables.ts';
import { SqlEntryIndex } from './sql-entry-index.ts';

let file: MetadataFile;
let database: SqliteDatabase;

beforeEach(async () => {
  file = await MetadataFile.make();
  await (await file.fill()).close();
  database = new SqliteDatabase({ path: file.path, readOnly: true, busyTimeoutMs: 0 });
});

afterEach(async () => {
  await database.close();
  await file.remove();
});

/** How SQLite goes about a listing: https://sqlite.org/eqp.html */
async function planOf(query: Omit<EntryQuery, 'limit'>): Promise<readonly string[]> {
  const asked: { readonly sql: string; readonly parameters: SqlParameters }[] = [];
  const recording: Pick<Database, 'read'> = {
    read: (work) =>
      database.read((reader) => {
        const all: Reader['all'] = (sql, parameters) => {
          asked.push({ sql, parameters });
          return reader.all(sql, parameters);
        };
        return work({ all, lookup: (sql, sets) => reader.lookup(sql, sets) });
      }),
  };
  await new SqlEntryIndex(createPlainTables().entries).list(recording as Database, { ...query, limit: 5 });
  const [first] = asked;
  const rows = await database.read((reader) => reader.all(`EXPLAIN QUERY PLAN ${first?.sql}`, first?.parameters ?? []));
  return rows.map(({ detail }) => String(detail));
}

const prefix = utf8Encode('a/');
const after = { key: utf8Encode('a/7') };
const where = { modifiedFrom: 5, modifiedBefore: 9 };

describe('a listing goes straight to its page and never sorts', () => {
  it.each<{ query: Omit<EntryQuery, 'limit'>; plan: string }>([
    { query: {}, plan: 'SCAN entries' },
    { query: { prefix }, plan: 'SEARCH entries USING PRIMARY KEY (key>? AND key<?)' },
    { query: { after }, plan: 'SEARCH entries USING PRIMARY KEY (key>?)' },
    { query: { prefix, after }, plan: 'SEARCH entries USING PRIMARY KEY (key>? AND key<?)' },
    { query: { prefix, after, descending: true }, plan: 'SEARCH entries USING PRIMARY KEY (key>? AND key<?)' },
    { query: { prefix, after, where }, plan: 'SEARCH entries USING PRIMARY KEY (key>? AND key<?)' },
    { query: { sort: 'size' }, plan: 'SCAN entries USING INDEX entries_by_size' },
    {
      query: { sort: 'size', after: { ...after, value: 7 }, descending: true },
      plan: 'SEARCH entries USING INDEX entries_by_size ((size,key)<(?,?))',
    },
    {
      query: { sort: 'modified', after: { ...after, value: 7 } },
      plan: 'SEARCH entries USING INDEX entries_by_modified ((modified,key)>(?,?))',
    },
    {
      query: { sort: 'modified', where },
      plan: 'SEARCH entries USING INDEX entries_by_modified (modified>? AND modified<?)',
    },
  ])('$query', async ({ query, plan }) => {
    expect(await planOf(query)).toEqual([plan]);
  });
});
