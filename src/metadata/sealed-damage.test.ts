import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, idsOf, inlineOf, packAdd, put, remove, request } from '../../test/support/metadata-samples.ts';
import { putIn, putIsolated, sealedPackOf, TENANT } from '../../test/support/sealed-metadata.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { Metadata } from './contract.ts';

let file: MetadataFile;
let metadata: Metadata;

beforeEach(async () => {
  file = await MetadataFile.make('sealed');
  metadata = await file.open({ create: true });
  await metadata.commit([
    request(put('a'), put('b'), putIn(TENANT, 'c')),
    request(packAdd(sealedPackOf(1, [idOf('x'), idOf('y')])), packAdd(sealedPackOf(2, [idOf('w')], 0))),
    { changes: [], inline: [inlineOf('z'), inlineOf('v')] },
  ]);
  await metadata.commit([request(putIsolated(ISOLATED_NAMESPACE_MIN, 'i')), request(remove('i'))]);
  await metadata.openSession();
});

afterEach(async () => {
  await file.remove();
});

const CORRUPT = { kind: 'corrupt', code: 'METADATA_CORRUPT' };

/** Tables that a check finds something wrong with. */
async function wrongTables(): Promise<readonly string[]> {
  const { tables } = await metadata.check();
  return tables.filter(({ sumMatches, damagedRows }) => !sumMatches || damagedRows > 0).map(({ table }) => table);
}

const READS: Readonly<Record<string, () => Promise<unknown>>> = {
  entries: () => metadata.getEntries([put('a').key, put('b').key]),
  items: () => metadata.locate('chunk', idsOf('x', 'z')),
  packs: () => metadata.listPacks({ limit: 9 }),
  outbox: () => metadata.outbox(0, 2 ** 30),
  outbox_records: () => metadata.locate('chunk', idOf('z')),
  namespaces: () => metadata.namespaceCounters(TENANT),
  shreds: () => metadata.pendingShreds(),
};

const FLIP = (at: string): string => `substr(sealed, 1, ${at} - 1) || x'ff' || substr(sealed, ${at} + 1)`;

describe('a row of sealed metadata', () => {
  it.each(
    Object.keys(READS).flatMap((table) => [
      { table, what: 'other ciphertext', sql: `UPDATE ${table} SET sealed = ${FLIP('length(sealed) - 17')}` },
      { table, what: 'another tag', sql: `UPDATE ${table} SET sealed = ${FLIP('length(sealed)')}` },
      { table, what: 'another epoch', sql: `UPDATE ${table} SET sealed = ${FLIP('1')}` },
      { table, what: 'nothing in it', sql: `UPDATE ${table} SET sealed = x''` },
      {
        table,
        what: 'a row of another table in its place',
        sql: `UPDATE ${table} SET sealed = (SELECT sealed FROM ${table === 'items' ? 'packs' : 'items'} LIMIT 1)`,
      },
    ]),
  )('of $table with $what is refused', async ({ table, sql }) => {
    file.tamper(sql);
    await expect(READS[table]?.()).rejects.toMatchObject(CORRUPT);
    expect(await wrongTables()).toContain(table);
  });

  it.each([
    { table: 'entries', key: 'lookup' },
    { table: 'items', key: 'id' },
    { table: 'packs', key: 'number' },
    { table: 'outbox', key: 'commit_number' },
    { table: 'outbox_records', key: 'ordinal' },
  ])('of $table is refused in the place of another of the same table', async ({ table, key }) => {
    const [one, two] = file.query(`SELECT ${key} AS key, sealed FROM ${table} ORDER BY ${key} LIMIT 2`);
    const swap = (place: unknown, sealed: unknown): void => {
      file.tamper(`UPDATE ${table} SET sealed = ${literal(sealed)} WHERE ${key} = ${literal(place)}`);
    };
    swap(one?.key, two?.sealed);
    swap(two?.key, one?.sealed);
    await expect(READS[table]?.() ?? Promise.resolve()).rejects.toMatchObject(CORRUPT);
    expect(await wrongTables()).toEqual([table]);
  });

  it.each([
    { table: 'packs', change: 'dropped = 1 - dropped' },
    { table: 'packs', change: 'namespace = namespace + 1' },
    { table: 'packs', change: 'epoch = epoch + 1' },
    { table: 'packs', change: 'pack_bytes = 1' },
    { table: 'packs', change: 'class = 2' },
    { table: 'items', change: 'namespace = namespace + 1' },
    { table: 'entries', change: 'namespace = namespace + 1' },
    { table: 'outbox', change: 'bytes = 1' },
  ])('of $table is bound to what stands beside it in the clear ($change)', async ({ table, change }) => {
    file.tamper(`UPDATE ${table} SET ${change}`);
    expect(await wrongTables()).toEqual([table]);
    const [first] = (await metadata.check()).problems;
    expect(first?.message).toContain(`metadata table ${table}`);
  });

  it('that was overwritten is found by the sum of its table when it comes back', async () => {
    const [old] = file.query('SELECT sealed FROM entries WHERE namespace = 7');
    await metadata.commit([request(putIn(TENANT, 'c', { size: 77 }))]);
    expect(await wrongTables()).toEqual([]);
    file.tamper(`UPDATE entries SET sealed = ${literal(old?.sealed)} WHERE namespace = 7`);
    expect(await wrongTables()).toEqual(['entries']);
  });
});

describe('sealed metadata', () => {
  it.each([
    ...['entries', 'items', 'packs', 'outbox', 'outbox_records', 'sessions'],
    ...['namespaces', 'shreds', 'names_log', 'names_roots'],
  ])('notices that a row of %s vanished', async (table) => {
    const column = { items: 'id', entries: 'lookup', sessions: 'id' }[table] ?? 'rowid';
    file.tamper(`DELETE FROM ${table} WHERE ${column} = (SELECT max(${column}) FROM ${table})`);
    expect(await wrongTables()).toContain(table);
  });

  it.each([
    { sql: 'DELETE FROM head', call: () => metadata.head() },
    { sql: "UPDATE head SET sealed = x'00'", call: () => metadata.head() },
    { sql: "DELETE FROM table_sums WHERE name = 'shreds'", call: () => metadata.commit([request(put('c'))]) },
    {
      sql: "UPDATE table_sums SET sealed = (SELECT sealed FROM table_sums WHERE name = 'items') WHERE name = 'packs'",
      call: () => metadata.counters(),
    },
  ])('refuses to go on with damaged books ($sql)', async ({ sql, call }) => {
    file.tamper(sql);
    await expect(call()).rejects.toMatchObject(CORRUPT);
    expect((await metadata.check()).problems.length).toBeGreaterThan(0);
  });
});

function literal(value: unknown): string {
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : String(value);
}
