/** What can be done with the file of a store, with no key: compacting, copying, and getting out what is whole. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compactFile, exportFile, fileInfo, openStore, rebuildStore, salvageFile } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { openSingleFile } from '../../src/single-file/index.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { destroyPages, fileStore, treePages } from '../support/single-file.ts';
import { keysOf, reopen, SOUND } from '../support/stores.ts';

const KEYS = { key: new Uint8Array(32).fill(9) };

/** A file of which two thirds are free pages, between blobs that stay. */
async function loosened(file: string): Promise<void> {
  const backend = await openSingleFile(file);
  for (let index = 0; index < 6; index += 1) await backend.put(`blob/${index}`, noise(MIB, index));
  for (const index of [0, 1, 3, 4]) await backend.delete(`blob/${index}`);
  await backend.close();
}

describe('compacting a file', () => {
  it('gives free pages back in steps, and first tells how much that would be', async () => {
    const { file, store } = await fileStore();
    await store.put('k', noise(500_000));
    await store.close();
    await loosened(file);
    const before = await fileInfo(file);
    expect(before.freePages * before.pageBytes).toBeGreaterThan(4 * MIB);
    const planned = await compactFile(file, { dryRun: true });
    expect(statSync(file).size).toBe(before.fileBytes);
    const steps: number[] = [];
    const report = await compactFile(file, { stepPages: 100, onProgress: ({ done }) => steps.push(done) });
    expect(report).toEqual(planned);
    expect(steps.length).toBeGreaterThan(4);
    expect(statSync(file).size).toBe(report.bytesAfter);
    expect(report.freedBytes).toBeGreaterThan(4 * MIB);
    expect(await fileInfo(file)).toMatchObject({ freePages: 0, blobBytes: before.blobBytes });
    const after = await reopen(file);
    expect(await after.maintenance.check()).toMatchObject(SOUND);
  });

  it('goes on beside readers and writers, and keeps what was done when it is aborted', async () => {
    const { file, store } = await fileStore();
    await store.put('k', noise(500_000));
    await loosened(file);
    const abort = new AbortController();
    const compacting = compactFile(file, {
      stepPages: 50,
      signal: abort.signal,
      onProgress: ({ done }) => done >= 200 && abort.abort(new Error('enough')),
    });
    const [outcome] = await Promise.allSettled([compacting, store.put('other', noise(300_000, 3)), store.get('k')]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: abort.signal.reason });
    expect(sameBytes(await store.get('other'), noise(300_000, 3))).toBe(true);
    const { freePages, pageBytes } = await fileInfo(file);
    expect(freePages * pageBytes).toBeLessThan(4 * MIB);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('exporting a file', () => {
  it('copies a store that is written to, as one state of it, without a key', async () => {
    const { file, store } = await fileStore({ keys: KEYS });
    for (let index = 0; index < 8; index += 1) await store.put(`before/${index}`, noise(700_000, index));
    const copy = path.join(path.dirname(file), 'copy.hold');
    let writing = true;
    const exporting = exportFile(file, copy).finally(() => {
      writing = false;
    });
    for (let index = 0; writing; index += 1) await store.put(`during/${index}`, noise(2000, 100 + index));
    const report = await exporting;
    expect(report).toEqual({ path: copy, bytes: statSync(copy).size });
    const copied = await reopen(copy, { keys: KEYS });
    expect((await keysOf(copied)).filter((key) => key.startsWith('before/'))).toHaveLength(8);
    expect(sameBytes(await copied.get('before/5'), noise(700_000, 5))).toBe(true);
    expect(await copied.maintenance.check()).toMatchObject(SOUND);
    await copied.close();
    expect(readdirSync(path.dirname(file)).filter((name) => name.startsWith('copy'))).toEqual(['copy.hold']);
    await expect(exportFile(file, copy)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it('leaves nothing behind when it is aborted', async () => {
    const { file, store } = await fileStore();
    for (let index = 0; index < 12; index += 1) await store.put(`k${index}`, noise(MIB, index));
    const copy = path.join(path.dirname(file), 'copy.hold');
    const abort = new AbortController();
    const reason = new Error('enough');
    const exporting = exportFile(file, copy, { signal: abort.signal, onProgress: () => abort.abort(reason) });
    await expect(exporting).rejects.toBe(reason);
    expect(readdirSync(path.dirname(file)).filter((name) => name.startsWith('copy'))).toEqual([]);
  });
});

describe('salvaging a damaged file', () => {
  async function damagedStore() {
    const { file, store } = await fileStore({ keys: KEYS });
    for (let index = 0; index < 6; index += 1) await store.put(`k${index}`, noise(400_000, index));
    await store.put('tiny', 'tiny');
    await store.delete('k5');
    await store.close();
    return { file, target: path.join(path.dirname(file), 'salvaged.hold') };
  }

  it('finds every blob when all pages of all trees are destroyed, the first page too', async () => {
    const { file, target } = await damagedStore();
    const { blobs, blobBytes } = await fileInfo(file);
    destroyPages(file, [1, ...treePages(file)]);
    await expect(openStore(file, { keys: KEYS })).rejects.toMatchObject({ code: 'NOT_A_STORE' });
    const planned = await salvageFile(file, target, { dryRun: true });
    expect(existsSync(target)).toBe(false);
    const report = await salvageFile(file, target);
    expect(report).toEqual(planned);
    expect(report.blobs).toBeGreaterThanOrEqual(blobs);
    expect(report.bytes).toBeGreaterThanOrEqual(blobBytes);
    expect(await rebuildStore(target, { keys: KEYS })).toMatchObject({ entries: 6, problems: [] });
    const salvaged = await reopen(target, { keys: KEYS });
    for (let index = 0; index < 5; index += 1) {
      expect(sameBytes(await salvaged.get(`k${index}`), noise(400_000, index))).toBe(true);
    }
    expect(await salvaged.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });

  it('takes only what was not deleted where the list of free pages is there, and the newest of each key', async () => {
    const { file, target } = await damagedStore();
    await loosened(file);
    const backend = await openSingleFile(file);
    for (const value of [1, 2, 3]) await backend.put('replaced', noise(300_000, value));
    await backend.close();
    const { blobs, blobBytes } = await fileInfo(file);
    expect(await salvageFile(file, target)).toMatchObject({ blobs, bytes: blobBytes, damaged: [] });
    const salvaged = await openSingleFile(target);
    expect(sameBytes((await salvaged.get('replaced')) as Uint8Array, noise(300_000, 3))).toBe(true);
    expect(await salvaged.head('blob/0')).toBeUndefined();
    await salvaged.close();
  });

  it('says which blobs are not whole, never puts one of them, and reads the log of a process that was killed', async () => {
    const { file, target } = await damagedStore();
    const backend = await openSingleFile(file);
    await backend.put('victim', noise(600_000, 1));
    await backend.put('logged', noise(100_000, 2));
    const copy = path.join(path.dirname(file), 'killed.hold');
    // Read by this process while SQLite has it open, which is fine for a test that closes it next.
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix);
    await backend.close();
    const whole = await salvageFile(copy, target, { dryRun: true });
    expect(whole.damaged).toEqual([]);
    const bytes = Buffer.from(noise(600_000, 1).subarray(300_000, 300_064));
    const content = readFileSync(file);
    const at = content.indexOf(bytes);
    expect(at).toBeGreaterThan(0);
    content[at] = (content[at] ?? 0) ^ 1;
    writeFileSync(file, content);
    const report = await salvageFile(file, target);
    expect(report.blobs).toBe(whole.blobs - 1);
    expect(report.damaged).toEqual([{ key: 'victim', bytes: 600_000, rows: 3, rowsFound: 3, replacedByOlder: false }]);
    const salvaged = await openSingleFile(target);
    expect(await salvaged.head('victim')).toBeUndefined();
    expect(sameBytes((await salvaged.get('logged')) as Uint8Array, noise(100_000, 2))).toBe(true);
    await salvaged.close();
  });

  it('puts them into a folder as well', async () => {
    const { file } = await damagedStore();
    const folder = path.join(path.dirname(file), 'folder');
    await salvageFile(file, folder);
    expect(await rebuildStore(folder, { keys: KEYS, reserveBytes: 0 })).toMatchObject({ entries: 6, problems: [] });
    await expect(salvageFile(path.join(folder, 'absent'), `${folder}2`)).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
    await expect(salvageFile(file, folder)).rejects.toMatchObject({ code: 'STORE_EXISTS' });
  });
});
