import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { CHECK_INVARIANTS } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { cutOff, flipByte, journalFiles, metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, reopen, SOUND, storeTemplate } from '../support/stores.ts';

const template = storeTemplate(async (store) => {
  await store.put('a', noise(200_000, 101));
  await store.put('b', 'small');
  await store.rename('b', 'c');
});

async function checked(folder: string) {
  const store = await reopen(folder);
  const report = await store.maintenance.check();
  await store.close();
  return report;
}

/** Changes the metadata behind everybody's back. */
function tamper(folder: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(metadataFile(folder));
  for (const statement of statements) database.exec(statement);
  database.close();
}

describe('check', () => {
  it('proves a sound store and counts what it looked at', async () => {
    expect(await checked(await template.copy())).toEqual({
      ...SOUND,
      entries: 2,
      versions: 0,
      objects: 0,
      chunks: expect.any(Number),
      packs: 5,
      journalRecords: 4,
      invariants: CHECK_INVARIANTS.filter(({ onRequest }) => !onRequest).map(({ name }) =>
        expect.objectContaining({ name, outcome: 'ok', violations: [] }),
      ),
      garbage: { blobs: 0, bytes: 0 },
    });
  });

  it('counts what an interrupted put left as garbage, which is harmless', async () => {
    const folder = await template.copy();
    await writeFile(path.join(folder, 'packs', '00', 'eeeeeeeeeeeeeeee0000000000000000.0'), noise(1000));
    await writeFile(path.join(folder, '.tmp', 'leftover'), 'x').catch(() => undefined);
    expect(await checked(folder)).toMatchObject({ ...SOUND, garbage: { blobs: 1, bytes: 1000 } });
  });

  it('finds a missing pack, with its entries by name', async () => {
    const folder = await template.copy();
    for (const pack of await packFiles(folder)) await rm(pack);
    const { outcome, problems } = await checked(folder);
    expect(outcome).toBe('damaged');
    expect(problems).toContainEqual(expect.objectContaining({ code: 'CHUNK_MISSING', key: 'a' }));
    expect(problems.some(({ key }) => key === 'c')).toBe(false);
  });

  it('finds a pack that was cut short', async () => {
    const folder = await template.copy();
    const [pack = ''] = await packFiles(folder);
    await cutOff(pack, 40);
    const { problems } = await checked(folder);
    expect(problems).toContainEqual(expect.objectContaining({ code: 'SHARD_CORRUPT' }));
  });

  it('finds a directory that was changed', async () => {
    const folder = await template.copy();
    const [pack = ''] = await packFiles(folder);
    const store = await reopen(folder, { readOnly: true });
    // Behind the records lie the directory, the footer and the digests of the shard.
    let found = 0;
    for (let back = 20; back < 420; back += 20) {
      await flipByte(pack, -back);
      if ((await store.maintenance.check()).outcome === 'damaged') found += 1;
      await flipByte(pack, -back);
    }
    expect(found).toBeGreaterThan(15);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('finds a lost journal pack, whichever it is', async () => {
    const { length } = await journalFiles(await template.copy());
    expect(length).toBe(4);
    for (let index = 0; index < length; index += 1) {
      const folder = await template.copy();
      await rm((await journalFiles(folder))[index] as string);
      const { outcome, problems } = await checked(folder);
      expect(outcome).toBe('damaged');
      expect(problems.map(({ code }) => code)).toContain('JOURNAL_GAP');
    }
  });

  it('finds a damaged journal pack', async () => {
    const folder = await template.copy();
    const [, journal = ''] = await journalFiles(folder);
    await flipByte(journal, 300);
    const { outcome, problems } = await checked(folder);
    expect(outcome).toBe('damaged');
    expect(problems.map(({ code }) => code)).toContain('SHARD_CORRUPT');
  });

  it.each([
    ['an entry that vanished', "DELETE FROM entries WHERE key = x'61'"],
    ['a chunk that vanished', 'DELETE FROM items WHERE id = (SELECT max(id) FROM items)'],
    ['a size that was changed', 'UPDATE entries SET size = size + 1'],
    ['a chunk that points elsewhere', 'UPDATE items SET record_offset = record_offset + 1'],
    ['a pack that was forgotten', 'DELETE FROM packs WHERE number = (SELECT min(number) FROM packs)'],
    ['a count that drifted', 'UPDATE packs SET items = items + 1'],
    ['a counter that drifted', 'UPDATE table_sums SET row_count = row_count + 1'],
  ])('finds %s', async (_, statement) => {
    const folder = await template.copy();
    tamper(folder, statement);
    const found = await checked(folder).catch((error: { code: string }) => error.code);
    if (typeof found === 'string') expect(found).toBe('METADATA_CORRUPT');
    else {
      expect(found.outcome).toBe('damaged');
      expect(found.problems.map(({ code }) => code)).toContain('METADATA_CORRUPT');
    }
  });

  it('stays sound while others write, merge and delete', async () => {
    const { store } = await folderStore();
    const writing = async (): Promise<void> => {
      for (let index = 0; index < 120; index += 1) {
        await store.put(`k${index % 40}`, noise(index * 700, index));
        if (index % 5 === 0) await store.delete(`k${index % 7}`);
      }
    };
    const checking = async (): Promise<void> => {
      for (let round = 0; round < 6; round += 1) expect(await store.maintenance.check()).toMatchObject(SOUND);
    };
    await Promise.all([writing(), checking()]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});
