import { existsSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idsOf, put, request } from '../../test/support/metadata-samples.ts';
import { utf8Encode } from '../bytes/bytes.ts';

let file: MetadataFile;

beforeEach(async () => {
  file = await MetadataFile.make();
});

afterEach(async () => {
  await file.remove();
});

describe('opening metadata in a SQLite file', () => {
  it('creates it when asked, and only then', async () => {
    await expect(file.openInThread()).rejects.toMatchObject({ kind: 'corrupt', code: 'METADATA_MISSING' });
    expect(await file.names()).toEqual([]);
    await file.fill();
    await file.closeAll();
    expect(await file.names()).toEqual(['metadata.sqlite']);
    expect(await (await file.openInThread({ create: true })).head()).toMatchObject({ commit: 1 });
    expect(await (await file.openInThread()).counters()).toMatchObject({ entries: 2, chunks: 3, outbox: 1 });
  });

  it('takes an empty file, as a crash may leave it, for none', async () => {
    await writeFile(file.path, '');
    await expect(file.openInThread()).rejects.toMatchObject({ code: 'METADATA_MISSING' });
    expect(await (await file.openInThread({ create: true })).head()).toMatchObject({ commit: 0 });
  });

  it.each([
    { what: 'text', bytes: utf8Encode('not a database, but long enough to be one '.repeat(200)) },
    { what: 'the header of a database alone', bytes: utf8Encode('SQLite format 3\0') },
    {
      what: 'a header before noise',
      bytes: new Uint8Array([...utf8Encode('SQLite format 3\0'), ...Array(8000).fill(7)]),
    },
  ])('refuses a file that is no database: $what', async ({ bytes }) => {
    await writeFile(file.path, bytes);
    await expect(file.openInThread({ create: true })).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'METADATA_CORRUPT',
    });
    expect(new Uint8Array(await readFile(file.path))).toEqual(bytes);
  });

  it("refuses another program's database and another store's metadata", async () => {
    const theirs = join(file.folder, 'theirs.sqlite');
    file.tamper('CREATE TABLE theirs (id INTEGER)', theirs);
    await expect(file.openInThread({ path: theirs, create: true })).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    await file.fill();
    await expect(file.openInThread({ storeId: new Uint8Array(16) })).rejects.toMatchObject({
      code: 'METADATA_CORRUPT',
    });
  });

  it('refuses what a newer version wrote', async () => {
    await file.fill();
    await file.closeAll();
    file.tamper('PRAGMA user_version = 5');
    await expect(file.openInThread()).rejects.toMatchObject({
      ...{ kind: 'unsupported', code: 'FORMAT_UNSUPPORTED', details: { expected: 4, actual: 5 } },
    });
  });

  it('refuses arguments of the wrong type or range', async () => {
    await expect(file.openInThread({ path: '' })).rejects.toBeInstanceOf(RangeError);
    await expect(file.openInThread({ path: 7 as unknown as string })).rejects.toBeInstanceOf(TypeError);
    await expect(file.openInThread({ storeId: new Uint8Array(15) })).rejects.toMatchObject({ parameter: 'storeId' });
    await expect(file.openInThread({ busyTimeoutMs: -1 })).rejects.toMatchObject({ parameter: 'busyTimeoutMs' });
  });

  it('says what is wrong with the place', async () => {
    await expect(file.openInThread({ path: join(file.folder, 'no', 'folder'), create: true })).rejects.toMatchObject({
      ...{ kind: 'unavailable', code: 'BACKEND_IO', retry: false },
    });
    await expect(file.openInThread({ path: file.folder })).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });

  it('for reading only changes nothing', async () => {
    await file.fill();
    await file.closeAll();
    const metadata = await file.openInThread({ readOnly: true });
    expect(await metadata.counters()).toMatchObject({ entries: 2 });
    expect(await metadata.locate('chunk', idsOf('x', 'z'))).toHaveLength(2);
    const denied = { kind: 'denied', code: 'READ_ONLY' };
    await expect(metadata.commit([request(put('c'))])).rejects.toMatchObject(denied);
    await expect(metadata.openSession()).rejects.toMatchObject(denied);
    await expect(metadata.markPacksSuspect([1])).rejects.toMatchObject(denied);
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('in memory leaves no file', async () => {
    const metadata = await file.openInThread({ path: ':memory:', create: true });
    await metadata.commit([request(put('a'))]);
    expect(await metadata.counters()).toMatchObject({ entries: 1 });
    expect(await file.names()).toEqual([]);
    expect(existsSync(':memory:')).toBe(false);
  });

  it('is never half done: of many that create one together, all open the same', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => file.openInThread({ create: true })));
    const heads = await Promise.all(all.map((metadata) => metadata.head()));
    expect(heads).toEqual(heads.map(() => heads[0]));
  });
});

describe('metadata in a SQLite file', () => {
  it('survives a process that never closed it', async () => {
    const metadata = await file.fill();
    // What lies on the disk while it is open: the file and its log, as a crash leaves them.
    await file.copyTo(`${file.path}.copy`);
    const copy = await file.open({ path: `${file.path}.copy` });
    expect(await copy.stateDigests()).toEqual(await metadata.stateDigests());
    expect((await copy.check()).problems).toEqual([]);
  });

  it('loses the last commits with a torn log, whole and in order', async () => {
    const metadata = await file.open({ create: true });
    for (let index = 1; index <= 20; index += 1) await metadata.commit([request(put(`k${index}`))]);
    const log = await readFile(`${file.path}-wal`);
    let before = 0;
    for (let part = 1; part <= 8; part += 1) {
      const copy = `${file.path}.torn${part}`;
      await writeFile(copy, await readFile(file.path));
      await writeFile(`${copy}-wal`, log);
      await truncate(`${copy}-wal`, Math.floor((log.length * part) / 8));
      const torn = await file.open({ path: copy, create: true });
      const { commit } = await torn.head();
      expect(commit).toBeGreaterThanOrEqual(before);
      expect(await torn.counters()).toMatchObject({ entries: commit, outbox: commit });
      expect((await torn.check()).problems).toEqual([]);
      before = commit;
    }
    expect(before).toBe(20);
  });

  it('is busy when another process writes for too long, and nothing has happened then', async () => {
    const metadata = await file.fill();
    await file.closeAll();
    const other = new DatabaseSync(file.path);
    other.exec('BEGIN IMMEDIATE');
    const impatient = await file.open({ busyTimeoutMs: 20 });
    await expect(impatient.commit([request(put('c'))])).rejects.toMatchObject({
      ...{ kind: 'unavailable', code: 'METADATA_BUSY', retry: true },
    });
    expect(await impatient.counters()).toMatchObject({ entries: 2 });
    other.exec('ROLLBACK');
    other.close();
    expect(await impatient.commit([request(put('c'))])).toMatchObject([{ ok: true, commit: 2 }]);
    await expect(metadata.head()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
