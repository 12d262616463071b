import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { metadataFile, packFiles } from '../support/store-files.ts';
import { reopen, storeTemplate } from '../support/stores.ts';

const template = storeTemplate(async (store) => {
  await store.put('a', noise(200_000, 101));
  await store.put('b', 'small');
});

const DAMAGE = {
  entries: 'UPDATE entries SET size = size + 1 WHERE key = (SELECT min(key) FROM entries)',
  items: 'UPDATE items SET length = length + 1 WHERE id = (SELECT min(id) FROM items)',
  packs: 'UPDATE packs SET stored_bytes = stored_bytes + 1 WHERE number = (SELECT max(number) FROM packs)',
};

describe('a check of metadata with a damaged row', () => {
  it.each(Object.entries(DAMAGE))('of the table %s reports it, and looks at everything else', async (table, damage) => {
    const folder = await template.copy();
    for (const pack of await packFiles(folder)) await rm(pack);
    const database = new DatabaseSync(metadataFile(folder));
    database.exec(damage);
    database.close();
    const store = await reopen(folder, { readOnly: true });
    const { outcome, problems, journalRecords } = await store.maintenance.check();
    expect(outcome).toBe('damaged');
    expect(problems.map(({ code }) => code)).toContain('METADATA_CORRUPT');
    expect(problems.map(({ message }) => message)).toContain(`table ${table}: 1 rows are damaged`);
    if (table === 'packs') return;
    expect(journalRecords).toBe(3);
    expect(problems.map(({ code }) => code)).toContain('CHUNK_MISSING');
  });
});
