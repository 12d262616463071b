import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, idsOf, put, request } from '../../test/support/metadata-samples.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import type { Metadata } from './contract.ts';

let file: MetadataFile;

beforeEach(async () => {
  file = await MetadataFile.make();
});

afterEach(async () => {
  await file.remove();
});

describe('damage to metadata in a SQLite file', () => {
  it.each([
    { table: 'entries', sql: "UPDATE entries SET size = size + 1 WHERE key = x'61'" },
    { table: 'entries', sql: "UPDATE entries SET size = 4611686018427387904 WHERE key = x'61'" },
    { table: 'entries', sql: "UPDATE entries SET entry = substr(entry, 1, 9) || x'00' || substr(entry, 11)" },
    { table: 'entries', sql: "UPDATE entries SET created = 'today' WHERE key = x'61'" },
    { table: 'entries', sql: "UPDATE entries SET digest = x'0000000000000000' WHERE key = x'61'" },
    { table: 'items', sql: 'UPDATE items SET record_offset = record_offset + 1' },
    { table: 'items', sql: 'UPDATE items SET pack = 1 - pack' },
    { table: 'packs', sql: 'UPDATE packs SET stored_bytes = stored_bytes + 1' },
    { table: 'packs', sql: "UPDATE packs SET roots = x'00'" },
    { table: 'outbox_records', sql: "UPDATE outbox_records SET stored = x'00'" },
    { table: 'outbox', sql: 'UPDATE outbox SET record = substr(record, 1, 20)' },
  ])('never believes a damaged row of $table ($sql)', async ({ table, sql }) => {
    const metadata = await file.fill();
    file.tamper(sql);
    const reads: Record<string, () => Promise<unknown>> = {
      entries: () => metadata.getEntries([utf8Encode('a')]),
      items: () => metadata.locate('chunk', idsOf('x', 'z')),
      packs: () => metadata.listPacks({ limit: 9 }),
      outbox_records: () => metadata.locate('chunk', idOf('z')),
      outbox: () => metadata.outbox(0, 1000),
    };
    const corrupt = { kind: 'corrupt', code: 'METADATA_CORRUPT', details: { table } };
    await expect(reads[table]?.()).rejects.toMatchObject(corrupt);
    const report = await metadata.check();
    const { damagedRows = 0, sumMatches } = report.tables.find((one) => one.table === table) ?? {};
    expect(damagedRows).toBeGreaterThan(0);
    expect(sumMatches).toBe(false);
    expect(report.problems.length).toBeGreaterThan(0);
  });

  it('refuses a change that would touch a damaged row, and goes on with others', async () => {
    const metadata = await file.fill();
    file.tamper("UPDATE entries SET size = size + 1 WHERE key = x'61'");
    await expect(metadata.commit([request(put('a', 'new'))])).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    expect(await metadata.commit([request(put('b', 'new'))])).toMatchObject([{ ok: true }]);
  });

  it.each([
    { what: 'an entry vanished', table: 'entries', sql: "DELETE FROM entries WHERE key = x'61'" },
    { what: 'a chunk vanished', table: 'items', sql: `DELETE FROM items WHERE pack = 1 AND ordinal = 0` },
    { what: 'a pack vanished', table: 'packs', sql: 'DELETE FROM packs' },
    { what: 'a record vanished', table: 'outbox', sql: 'DELETE FROM outbox' },
    { what: 'an inline record vanished', table: 'outbox_records', sql: 'DELETE FROM outbox_records' },
    { what: 'a session vanished', table: 'sessions', sql: 'DELETE FROM sessions' },
    { what: 'an old row came back', table: 'entries', sql: "UPDATE entries SET key = x'7a' WHERE key = x'61'" },
  ])('finds in a check that $what', async ({ table, sql }) => {
    const metadata = await file.fill();
    file.tamper(sql);
    const { tables } = await metadata.check();
    expect(tables.filter(({ sumMatches }) => !sumMatches).map((one) => one.table)).toEqual([table]);
  });

  it.each([
    { sql: 'UPDATE head SET commit_number = 7', call: (metadata: Metadata) => metadata.head() },
    { sql: 'DELETE FROM head', call: (metadata: Metadata) => metadata.head() },
    { sql: 'UPDATE table_sums SET row_count = 0', call: (metadata: Metadata) => metadata.counters() },
    { sql: 'DELETE FROM table_sums', call: (metadata: Metadata) => metadata.commit([request(put('c'))]) },
  ])('refuses to go on with damaged books ($sql)', async ({ sql, call }) => {
    const metadata = await file.fill();
    file.tamper(sql);
    await expect(call(metadata)).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    expect((await metadata.check()).problems.length).toBeGreaterThan(0);
  });

  it.each([
    { sql: "UPDATE settings SET value = x'00'" },
    { sql: 'DELETE FROM settings' },
    { sql: 'DROP TABLE head' },
  ])('refuses to open with damaged settings ($sql)', async ({ sql }) => {
    await file.fill();
    await file.closeAll();
    file.tamper(sql);
    const opening = file.open().then((metadata) => metadata.head());
    await expect(opening).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });

  it('finds noise in any page of the file, or is not harmed by it', async () => {
    const metadata = await file.open({ create: true });
    for (let round = 0; round < 5; round += 1) {
      await metadata.commit([request(...Array.from({ length: 40 }, (_, index) => put(`${round}/${index}`)))]);
    }
    const digests = await metadata.stateDigests();
    await file.closeAll();
    const sound = await readFile(file.path);
    for (let page = 1; page < sound.length / 4096; page += 1) {
      const damaged = Uint8Array.from(sound);
      damaged.fill(0xa5, page * 4096 + 1000, page * 4096 + 1400);
      const copyPath = `${file.path}.${page}`;
      await writeFile(copyPath, damaged);
      const seen = await file.open({ path: copyPath }).then(
        async (copy) => {
          const report = await copy.check();
          const clean = report.problems.length === 0 && report.tables.every((table) => table.sumMatches);
          return clean ? await copy.stateDigests() : 'found';
        },
        (error: unknown) => (error as { code: unknown }).code,
      );
      expect([['found'], ['METADATA_CORRUPT'], [digests]]).toContainEqual([seen]);
    }
  });
});
