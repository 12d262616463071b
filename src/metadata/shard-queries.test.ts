import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import type { Database, Reader } from './database.ts';
import { packsOfUnknownPlace, packsToRepair, packsVerifiedBefore } from './shard-queries.ts';
import { createPlainTables, type Tables } from './tables.ts';

/** The SQL that a query asks. */
async function sqlOf(ask: (database: Database, tables: Tables) => Promise<unknown>): Promise<string> {
  const asked: string[] = [];
  const all: Reader['all'] = async (sql) => {
    asked.push(sql);
    return [];
  };
  const read = <T>(work: (reader: Reader) => Promise<T>): Promise<T> => work({ all, lookup: async () => [] });
  await ask({ read } as Database, createPlainTables());
  expect(asked).toHaveLength(1);
  return asked[0] ?? '';
}

const PAGE = { number: 7, margin: 1, verifiedAt: 5 };

const QUERIES = [
  {
    index: 'packs_to_repair',
    what: 'packs to repair',
    ask: (database: Database, tables: Tables) => packsToRepair(database, tables, { limit: 9 }),
  },
  {
    index: 'packs_to_repair',
    what: 'more packs to repair',
    ask: (database: Database, tables: Tables) => packsToRepair(database, tables, { limit: 9, after: PAGE }),
  },
  {
    index: 'packs_of_unknown_place',
    what: 'packs of unknown place',
    ask: (database: Database, tables: Tables) => packsOfUnknownPlace(database, tables, { limit: 9 }),
  },
  {
    index: 'packs_by_verification',
    what: 'packs to verify',
    ask: (database: Database, tables: Tables) => packsVerifiedBefore(database, tables, { before: 9, limit: 9 }),
  },
  {
    index: 'packs_by_verification',
    what: 'more packs to verify',
    ask: (database: Database, tables: Tables) =>
      packsVerifiedBefore(database, tables, { before: 9, limit: 9, after: PAGE }),
  },
];

describe.each(['plain', 'sealed'] as const)('in a %s store', (kind) => {
  let file: MetadataFile;

  beforeEach(async () => {
    file = await MetadataFile.make(kind);
    await file.open({ create: true });
  });

  afterEach(async () => {
    await file.remove();
  });

  it.each(QUERIES)('$what are found by an index, in its order', async ({ index, ask }) => {
    const sql = (await sqlOf(ask)).replace(/^SELECT .* FROM/u, 'SELECT * FROM');
    const plan = file.query(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => String(detail));
    expect(plan).toHaveLength(1);
    expect(plan[0]).toContain(`USING INDEX ${index} (`);
  });
});
