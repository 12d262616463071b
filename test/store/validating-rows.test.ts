import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEntryRow, type EntryValue, encodeEntry, entryVersion } from '../../src/format/index.ts';
import type { EntryRow } from '../../src/metadata/contract.ts';
import type { Engine } from '../../src/store/engine.ts';
import { type ValidatedStore, validateEntry } from '../../src/store/inspection/validate-entry.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { makeSampleStore, StoreImage } from '../support/sealed-store.ts';

let folder: TemporaryFolder;
let image: StoreImage;
let engine: Engine;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
  await makeSampleStore(folder.path);
  image = await StoreImage.of(folder.path);
  ({ engine } = await image.open());
});
afterAll(async () => {
  await image.close();
  await folder.remove();
});

/** The store, with what its metadata says of one entry. */
async function storeWith(now: EntryRow | undefined): Promise<ValidatedStore> {
  const metadata = Object.create(engine.metadata, { getEntries: { value: () => Promise.resolve([now]) } });
  return { metadata, scopes: engine.scopes, scope: await engine.scopes.named() };
}

async function rowOf(key: string): Promise<{ readonly row: EntryRow; readonly value: EntryValue }> {
  const scope = await engine.scopes.named();
  const [row] = await engine.metadata.getEntries([scope.key(key)]);
  const decoded = row && decodeEntryRow(row.entry);
  if (!row || !decoded || !('value' in decoded)) throw new Error(`there is no ${key}`);
  return { row, value: decoded.value };
}

/** A row that says something else, and is consistent with itself. */
function changed(row: EntryRow, value: EntryValue): EntryRow {
  return { ...row, entry: encodeEntry(value), version: entryVersion(value), size: value.size };
}

describe('a row that does not belong to its content', () => {
  const other = new Uint8Array(32).fill(7);

  it.each<[string, string, (value: EntryValue) => EntryValue]>([
    ['another digest', 'the content is not what its digest says', (value) => ({ ...value, digest: other })],
    ['another root', "the entry's Merkle root is not that of its chunks", (value) => ({ ...value, root: other })],
    ['another size', 'the manifest has', (value) => ({ ...value, size: value.size + 1 })],
    ['more chunks', 'the manifest has', (value) => ({ ...value, chunkCount: value.chunkCount + 1 })],
  ])('is damaged: %s', async (_, message, change) => {
    const { row, value } = await rowOf('packed');
    const wrong = changed(row, change(value));
    const found = await validateEntry(await storeWith(wrong), wrong);
    expect(found).toMatchObject({ outcome: 'damaged', problems: [{ message: expect.stringContaining(message) }] });
  });

  it.each<[string, (row: EntryRow) => EntryRow]>([
    ['another version', (row) => ({ ...row, version: other })],
    ['another size than its value', (row) => ({ ...row, size: row.size + 1 })],
  ])('is damaged: %s', async (_, change) => {
    const wrong = change((await rowOf('inline')).row);
    expect(await validateEntry(await storeWith(wrong), wrong)).toMatchObject({
      ...{ outcome: 'damaged', problems: [{ code: 'ENTRY_CORRUPT' }], unreadableBytes: 0 },
    });
  });
});

describe('an entry that changes while it is validated', () => {
  it('is validated as it is now', async () => {
    const { row, value } = await rowOf('packed');
    const before = changed(row, { ...value, digest: new Uint8Array(32) });
    expect(await validateEntry(await storeWith(row), before)).toMatchObject({ outcome: 'ok', problems: [] });
  });

  it('is nothing when it is gone', async () => {
    const { row, value } = await rowOf('packed');
    const before = changed(row, { ...value, digest: new Uint8Array(32) });
    expect(await validateEntry(await storeWith(undefined), before)).toBeUndefined();
  });
});
