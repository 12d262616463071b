import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fromHex } from '../../src/bytes/bytes.ts';
import { createStore, type EntryInfo, rebuildStore, type Store } from '../../src/index.ts';
import { openSqliteMetadata, setAsideSqliteMetadata } from '../../src/metadata/index.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { flipByte, imageOf, journalFiles, loseMetadata, metadataFile, packFiles } from '../support/store-files.ts';
import { all, reopen, SOUND, storeTemplate, testFolder } from '../support/stores.ts';

const CONTENT = noise(300_000, 111);

async function fill(store: Store): Promise<void> {
  await store.put('a', CONTENT, { contentType: 'x/y', attributes: { a: 'b' } });
  await store.put('b', CONTENT.subarray(0, 150_000), { chunking: 'fixed:10000' });
  for (let index = 0; index < 12; index += 1) await store.put(`k${index % 8}`, `tiny ${index}`);
  await store.rename('k3', 'moved');
  await store.copy('a', 'copy');
  await store.delete('k4');
  await store.batch(async (batch) => {
    await batch.put('c', 'in a batch');
    batch.delete('k5');
    batch.rename('k6', 'k5');
  });
  await store.put(
    'wide',
    Array.from({ length: 600 }, (_, index) => noise(64, index)),
    { chunking: 'given' },
  );
}

const template = storeTemplate(fill);
/** Few commits, where they are not the subject: a rebuild flushes for each. */
const small = storeTemplate(async (store) => {
  await store.put('a', CONTENT);
  await store.put('b', 'tiny');
  await store.copy('a', 'copy');
});

/** What a rebuild must reproduce: every entry as it is told, and the digests of entries, items and packs. */
async function stateOf(folder: string): Promise<{ entries: EntryInfo[]; digests: object }> {
  const store = await reopen(folder, { readOnly: true });
  const entries = await all(store.list());
  const storeId = fromHex(store.id) as Uint8Array;
  await store.close();
  const metadata = await openSqliteMetadata({ path: metadataFile(folder), storeId, create: false, readOnly: true });
  try {
    return { entries, digests: await metadata.stateDigests() };
  } finally {
    await metadata.close();
  }
}

describe('a rebuild', () => {
  it('makes the metadata that was lost, equal to what it was', async () => {
    const folder = await template.copy();
    const before = await stateOf(folder);
    await loseMetadata(folder);
    const report = await rebuildStore(folder, { reserveBytes: 0 });
    expect(report).toMatchObject({ entries: before.entries.length, problems: [] });
    expect('setAside' in report).toBe(false);
    expect(await stateOf(folder)).toEqual(before);
    const store = await reopen(folder);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    expect(sameBytes(await store.get('copy'), CONTENT)).toBe(true);
  });

  it('equals the running state after merges too, and again after more changes', async () => {
    const folder = await testFolder();
    const change = async (store: Store): Promise<void> => {
      for (let index = 0; index < 24; index += 1) await store.put(`k${index % 15}`, noise(index * 2500, index));
      expect(await store.maintenance.check()).toMatchObject(SOUND);
      await store.close();
    };
    await change(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    for (let round = 0; round < 2; round += 1) {
      const before = await stateOf(folder);
      const report = await rebuildStore(folder, { reserveBytes: 0 });
      expect(report.problems).toEqual([]);
      expect(await stateOf(folder)).toEqual(before);
      if (round === 0) await change(await reopen(folder));
    }
  });

  it('keeps what it replaces beside the new one', async () => {
    const folder = await small.copy();
    await writeFile(metadataFile(folder), noise(20_000));
    const { setAside = '' } = await rebuildStore(folder, { reserveBytes: 0 });
    expect(sameBytes(await readFile(setAside), noise(20_000))).toBe(true);
    expect((await reopen(folder)).id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is made again where a power cut took the name of what was set aside', async () => {
    const folder = await small.copy();
    const file = metadataFile(folder);
    await setAsideSqliteMetadata(file, `${file}.aside`);
    await rename(`${file}.aside`, file);
    await expect(reopen(folder)).rejects.toMatchObject({ code: 'METADATA_MISSING', kind: 'corrupt' });
    expect(await rebuildStore(folder, { reserveBytes: 0 })).toMatchObject({ entries: 3, problems: [] });
    expect(await (await reopen(folder)).maintenance.check()).toMatchObject(SOUND);
  });

  it('tells its progress', async () => {
    const folder = await small.copy();
    const seen: [string, number, number | undefined][] = [];
    await rebuildStore(folder, { onProgress: ({ phase, done, total }) => seen.push([phase, done, total]) });
    const [, done, total] = seen.at(-1) ?? [];
    expect(new Set(seen.map(([phase]) => phase))).toEqual(new Set(['rebuild']));
    expect(done).toBe(total);
  });

  it('stops when it is told to, and leaves the store as it was', async () => {
    const folder = await small.copy();
    const before = await imageOf(folder);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => controller.abort(reason);
    const rebuilding = rebuildStore(folder, { reserveBytes: 0, signal: controller.signal, onProgress });
    await expect(rebuilding).rejects.toBe(reason);
    expect(await imageOf(folder)).toEqual(before);
  });

  it('is refused while anybody has the store open, and disturbs nobody', async () => {
    const folder = await small.copy();
    for (const readOnly of [false, true]) {
      const store = await reopen(folder, { readOnly });
      await expect(rebuildStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({
        code: 'STORE_IN_USE',
        kind: 'conflict',
      });
      expect(sameBytes(await store.get('a'), CONTENT)).toBe(true);
      await store.close();
    }
  });

  it('is refused for what is no store', async () => {
    await expect(rebuildStore('memory:')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
    await expect(rebuildStore('/nowhere/at/all')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });

  it('goes no further than a gap in the journal, and leaves the store as it was', async () => {
    const folder = await small.copy();
    await loseMetadata(folder);
    const journals = await journalFiles(folder);
    await rm(journals[0] as string);
    await expect(rebuildStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'JOURNAL_GAP' });
    expect((await journalFiles(folder)).length).toBe(journals.length - 1);
    await expect(reopen(folder)).rejects.toMatchObject({ code: 'METADATA_MISSING' });
  });

  it('believes no damaged journal pack', async () => {
    const folder = await small.copy();
    const [, journal = ''] = await journalFiles(folder);
    await flipByte(journal, 200);
    const rebuilding = rebuildStore(folder, { reserveBytes: 0 });
    await expect(rebuilding).rejects.toMatchObject({ kind: 'corrupt' });
    expect(sameBytes(await (await reopen(folder)).get('a'), CONTENT)).toBe(true);
  });

  it('says nothing of metadata that is simply not there', async () => {
    const folder = await small.copy();
    await loseMetadata(folder);
    const warn = vi.fn();
    const logger = { debug() {}, info() {}, warn, error: warn };
    await rebuildStore(folder, { reserveBytes: 0, logger });
    expect(warn).not.toHaveBeenCalled();
  });

  it('goes on without packs that are gone, names them, and their entries say so', async () => {
    const folder = await small.copy();
    for (const pack of await packFiles(folder)) if ((await readFile(pack)).length > 100_000) await rm(pack);
    await loseMetadata(folder);
    const { problems } = await rebuildStore(folder, { reserveBytes: 0 });
    expect(problems).toContainEqual(expect.objectContaining({ code: 'CHUNK_MISSING', packId: expect.any(String) }));
    const store = await reopen(folder);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CHUNK_MISSING', details: { key: 'a' } });
    expect(Buffer.from(await store.get('b')).toString()).toBe('tiny');
    await store.put('a', CONTENT);
    expect(sameBytes(await store.get('copy'), CONTENT)).toBe(true);
  });
});

describe('an older copy of the metadata', () => {
  it('is brought up to what the journal says when the store is opened, and tells so', async () => {
    const folder = await small.copy();
    const old = `${metadataFile(folder)}.old`;
    await cp(metadataFile(folder), old);
    const store = await reopen(folder);
    await store.put('later', CONTENT.subarray(9));
    await store.delete('a');
    await store.close();
    const before = await stateOf(folder);
    await cp(old, metadataFile(folder));
    const again = await reopen(folder);
    const reports: number[] = [];
    again.on('recovery', ({ records }) => reports.push(records));
    expect(reports).toEqual([3]);
    expect(sameBytes(await again.get('later'), CONTENT.subarray(9))).toBe(true);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
    await again.close();
    expect(await stateOf(folder)).toEqual(before);
  });

  it('whose store went on in two places is a fork, and is refused', async () => {
    const folder = await small.copy();
    const other = await small.copy();
    for (const [place, content] of [
      [folder, 'here'],
      [other, 'there'],
    ] as const) {
      const store = await reopen(place);
      await store.put('both', content);
      await store.close();
    }
    const [theirs] = (await journalFiles(other)).toReversed();
    await cp(theirs as string, path.join(folder, path.relative(other, theirs as string)));
    await cp(metadataFile(other), metadataFile(folder));
    await loseMetadata(folder);
    await expect(rebuildStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'JOURNAL_FORK' });
  });
});
