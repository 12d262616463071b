import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { checkUnused, setAside } from './set-aside-sqlite.ts';

let file: MetadataFile;

beforeEach(async () => {
  file = await MetadataFile.make();
});

afterEach(async () => {
  await file.remove();
});

describe('setting metadata aside', () => {
  const aside = (): string => `${file.path}.aside`;

  it('renames the file, written back and marked, so that nobody opens it again', async () => {
    await file.fill();
    await file.closeAll();
    await setAside(file.path, aside());
    expect(await file.names()).toEqual(['metadata.sqlite.aside']);
    await expect(file.open({ path: aside() })).rejects.toMatchObject({ code: 'METADATA_MISSING' });
    await expect(file.open()).rejects.toMatchObject({ code: 'METADATA_MISSING' });
    expect(await (await file.open({ create: true })).head()).toMatchObject({ commit: 0 });
  });

  it('keeps what only the log held', async () => {
    const metadata = await file.fill();
    await file.copyTo(`${file.path}.copy`);
    const digests = await metadata.stateDigests();
    await setAside(`${file.path}.copy`, aside());
    file.tamper('PRAGMA user_version = 4', aside());
    expect(await (await file.open({ path: aside() })).stateDigests()).toEqual(digests);
  });

  it.each([{ readOnly: false }, { readOnly: true }])('fails while it is open (readOnly $readOnly)', async ({
    readOnly,
  }) => {
    const first = await file.fill();
    await first.close();
    const metadata = await file.open({ readOnly });
    await expect(setAside(file.path, aside())).rejects.toMatchObject({
      kind: 'conflict',
      code: 'STORE_IN_USE',
    });
    expect(existsSync(aside())).toBe(false);
    expect(await metadata.counters()).toMatchObject({ entries: 2 });
  });

  it('never takes the place of another file', async () => {
    await file.fill();
    await file.closeAll();
    await writeFile(aside(), 'mine');
    await expect(setAside(file.path, aside())).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(await readFile(aside(), 'utf8')).toBe('mine');
    expect(await (await file.open()).head()).toMatchObject({ commit: 1 });
  });

  it('renames what is no database, with a log beside it, and takes none for done', async () => {
    await setAside(file.path, aside());
    await writeFile(file.path, 'no database, and long enough that SQLite would look at it'.repeat(99));
    await writeFile(`${file.path}-wal`, 'no log');
    await setAside(file.path, aside());
    expect(await file.names()).toContain('metadata.sqlite.aside');
    expect(await file.names()).not.toContain('metadata.sqlite-wal');
  });
});

describe('asking whether metadata is unused', () => {
  it('says so while any process has it open, and changes nothing', async () => {
    const metadata = await file.fill();
    await expect(checkUnused(file.path)).rejects.toMatchObject({ kind: 'conflict', code: 'STORE_IN_USE' });
    const digests = await metadata.stateDigests();
    await file.closeAll();
    await checkUnused(file.path);
    expect(await (await file.open()).stateDigests()).toEqual(digests);
  });

  it('is content with a missing file and with one that is no database', async () => {
    await checkUnused(file.path);
    await writeFile(file.path, 'no database, and long enough that SQLite would look at it'.repeat(99));
    await checkUnused(file.path);
  });
});
