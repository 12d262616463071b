import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportChunkstoreTo } from '../../src/exchange/export-chunkstore.ts';
import {
  type ChunkstoreExportItem,
  exportChunkstore,
  importChunkstore,
  type Progress,
  type Store,
} from '../../src/index.ts';
import { nodeFileSystem } from '../../src/runtime/file-system.ts';
import { FaultyFileSystem } from '../../src/testing/index.ts';
import { noise, text } from '../support/contents.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { folderStore, keysOf, memoryStore, reopen, testFolder } from '../support/stores.ts';
import { filesBelow, GOLDEN_CHUNKS, GOLDEN_FILES, HELLO, sha256, writeBelow } from './chunkstore-folder.ts';

/** The entries of the golden layout, put one after the other and later each: indexes are in the order of time. */
async function putGolden(store: Store, prefix = ''): Promise<void> {
  let last = '';
  for (const [id, chunks] of Object.entries(GOLDEN_CHUNKS)) {
    for (let modified = ''; modified <= last || modified === ''; ) {
      await store.delete(`${prefix}${id}`);
      await store.put(`${prefix}${id}`, chunks, { chunking: 'given' });
      modified = (await store.stat(`${prefix}${id}`)).modified;
      if (modified > last) break;
    }
    last = (await store.stat(`${prefix}${id}`)).modified;
  }
}

/** What is in a finished folder, of any order of the indexes. */
async function contentOf(folder: string): Promise<Record<string, unknown>> {
  const files = await filesBelow(folder);
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      name.endsWith('__index__') ? JSON.parse(Buffer.from(content, 'latin1').toString()).sort() : content,
    ]),
  );
}

describe('exporting to the layout of chunkstore', () => {
  it('writes what chunkstore writes, byte for byte', async () => {
    const [store, folder] = [await memoryStore(), path.join(await testFolder(), 'new/folder')];
    await putGolden(store);
    const items: ChunkstoreExportItem[] = [];
    const progress: Progress[] = [];
    const report = await exportChunkstore(store, folder, {
      chunkBytes: 'entry',
      onItem: (item) => void items.push(item),
      onProgress: (one) => void progress.push(one),
    });
    expect(await filesBelow(folder)).toEqual(GOLDEN_FILES);
    const sums = { exported: 4, failed: 0, bytes: 32, chunks: 4, chunkBytes: 21 };
    expect(report).toEqual({ ...sums, resumed: false, failures: [] });
    expect(items.at(-1)).toEqual({ key: 'dir/x', id: 'dir/x', status: 'exported', size: 10, chunks: 3 });
    expect(progress.at(-1)).toEqual({ phase: 'lists', done: 4, total: 4, bytes: 32 });
  });

  it('cuts chunks of 4 MiB, or of any other size', async () => {
    const store = await memoryStore();
    const content = noise(9_000_000);
    await store.put('f', content);
    const [four, odd] = [await testFolder(), await testFolder()];
    await exportChunkstore(store, four);
    const cuts = [content.subarray(0, 4_194_304), content.subarray(4_194_304, 8_388_608), content.subarray(8_388_608)];
    const digests = cuts.map((cut) => `"${sha256(cut)}"`).join(',');
    expect((await filesBelow(four))['_manifest/f']).toBe(`{"digests":[${digests}],"file_bytes":9000000}`);
    expect(await exportChunkstore(store, odd, { chunkBytes: 1_000_000 })).toMatchObject({ chunks: 9 });
    const back = await memoryStore();
    await importChunkstore(back, odd);
    expect((await back.stat('f')).digest).toBe((await store.stat('f')).digest);
    await expect(exportChunkstore(store, odd, { chunkBytes: 0 })).rejects.toThrow(RangeError);
    await expect(exportChunkstore(store, 7 as never)).rejects.toThrow(TypeError);
  });

  it('counts every occurrence of a chunk, within a file too', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('twice', 'aaaabbbbaaaa');
    await exportChunkstore(store, folder, { chunkBytes: 4 });
    const files = await filesBelow(folder);
    expect(files[`_refcount/${sha256(text('aaaa'))}`]).toBe('2');
    expect(files[`_refcount/${sha256(text('bbbb'))}`]).toBe('1');
  });

  it('takes a part of the keys, and gives it back under the same prefix', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await putGolden(store, 'old/');
    await store.put('other', 'x');
    await exportChunkstore(store, folder, { prefix: 'old/', chunkBytes: 'entry' });
    expect(await filesBelow(folder)).toEqual(GOLDEN_FILES);
    expect(await importChunkstore(store, folder, { prefix: 'old/' })).toMatchObject({ same: 4, differenceCount: 0 });
  });

  it('reports keys that are no ids, and exports the others', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    const keys = [
      'p',
      'p../x',
      'p/absolute',
      'pa\\b',
      'pa//b',
      'p./c',
      'p__index__',
      'p__index__/x',
      'pend/',
      `p${'n'.repeat(256)}`,
      'pnul\0',
    ];
    for (const key of keys) await store.put(key, 'x');
    for (const key of ['pd/e/f', 'pfine', 'pé 😀\n"']) await store.put(key, 'y');
    const report = await exportChunkstore(store, folder, { prefix: 'p' });
    expect(report).toMatchObject({ exported: 3, failed: keys.length });
    expect(new Set(report.failures.map(({ key }) => key))).toEqual(new Set(keys));
    for (const { error } of report.failures) expect(error).toMatchObject({ code: 'LOCATION_INVALID' });
    expect(await contentOf(folder)).toMatchObject({ '_manifest/__index__': ['d/e/f', 'fine', 'é 😀\n"'] });
    const back = await memoryStore();
    expect(await importChunkstore(back, folder)).toMatchObject({ imported: 3, differenceCount: 0 });
  });

  it('keeps the earlier of a file and what lies below it', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('a/b', '1');
    const { modified } = await store.stat('a/b');
    do await store.put('a', '2');
    while ((await store.stat('a')).modified <= modified);
    await store.put('a/b/c', '3');
    const report = await exportChunkstore(store, folder);
    expect(report.failures.map(({ key }) => key).sort()).toEqual(['a', 'a/b/c']);
    expect(await contentOf(folder)).toMatchObject({ '_manifest/__index__': ['a/b'] });
  });

  it('takes A and a for one name where the file system does', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('A', '1');
    await store.put('a', '2');
    const folding = {
      ...nodeFileSystem,
      stat: (file: string) => nodeFileSystem.stat(path.join(path.dirname(file), path.basename(file).toLowerCase())),
    };
    const report = await exportChunkstoreTo(store, { folder, fileSystem: folding }, {});
    expect(report).toMatchObject({ exported: 1, failed: 1 });
  });

  it('leaves out an entry that is damaged, and every trace of it', async () => {
    const { path: home, store } = await folderStore();
    await store.put('damaged', noise(5_000_000, 1));
    await store.close();
    const [pack = ''] = await packFiles(home);
    await flipByte(pack, 4_500_000);
    const again = await reopen(home);
    await again.put('sound', 'hello world');
    const folder = await testFolder();
    const report = await exportChunkstore(again, folder);
    expect(report).toMatchObject({ exported: 1, failed: 1, chunks: 1 });
    expect(report.failures[0]).toMatchObject({ key: 'damaged', error: { kind: 'corrupt' } });
    expect(await filesBelow(folder)).toEqual({
      [HELLO]: 'hello world',
      [`_refcount/${HELLO}`]: '1',
      '_refcount/__index__': `["${HELLO}"]`,
      '_manifest/sound': `{"digests":["${HELLO}"],"file_bytes":11}`,
      '_manifest/__index__': '["sound"]',
    });
  });

  it('writes into an empty folder only, and into no finished export either', async () => {
    const [store, folder, other] = [await memoryStore(), await testFolder(), await testFolder()];
    await store.put('f', 'x');
    await writeBelow(other, 'mine.txt', 'mine');
    await expect(exportChunkstore(store, other)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(exportChunkstore(store, path.join(other, 'mine.txt'))).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
    expect(await filesBelow(other)).toEqual({ 'mine.txt': 'mine' });
    await exportChunkstore(store, folder);
    await expect(exportChunkstore(store, folder)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it('writes chunks, then counts, manifests and indexes, and takes the mark away last', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('f', 'hello world');
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    await exportChunkstoreTo(store, { folder, fileSystem }, {});
    const order = fileSystem.trace
      .filter((call) => /^(?:sync|rename|unlink|syncDirectory) /.test(call))
      .map((call) => call.replaceAll(/\.holdfast-[0-9a-f-]+\.tmp/g, 'temporary').replaceAll(HELLO, 'HELLO'));
    expect(order).toMatchInlineSnapshot(`
      [
        "sync temporary",
        "rename temporary .holdfast-export",
        "syncDirectory ..",
        "syncDirectory .",
        "sync temporary",
        "rename temporary HELLO",
        "syncDirectory .",
        "sync temporary",
        "rename temporary _refcount/HELLO",
        "syncDirectory .",
        "syncDirectory _refcount",
        "sync temporary",
        "rename temporary _manifest/f",
        "syncDirectory .",
        "syncDirectory _refcount",
        "syncDirectory _manifest",
        "sync temporary",
        "rename temporary _refcount/__index__",
        "sync temporary",
        "rename temporary _manifest/__index__",
        "syncDirectory .",
        "syncDirectory _refcount",
        "syncDirectory _manifest",
        "syncDirectory .",
        "unlink .holdfast-export",
        "syncDirectory .",
      ]
    `);
  });
});

describe('an export that fails', () => {
  const cases = (['open', 'write', 'sync', 'rename', 'mkdir', 'syncDirectory', 'unlink'] as const).map(
    (call) => [call] as const,
  );

  it.each(cases)('at any %s is marked as unfinished, and gone on with to the same bytes', async (call) => {
    const store = await memoryStore();
    await store.put('f', noise(40_000));
    await store.put('dir/g', 'hello world');
    const whole = await testFolder();
    await exportChunkstore(store, whole, { chunkBytes: 30_000 });
    for (let nth = 1; ; nth += 1) {
      const folder = await testFolder();
      const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
      fileSystem.fail({ call, code: 'EIO', nth });
      const failed = await exportChunkstoreTo(store, { folder, fileSystem }, { chunkBytes: 30_000 }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed === undefined) {
        expect(nth).toBeGreaterThan(1);
        break;
      }
      expect(failed).toMatchObject({ code: 'BACKEND_IO' });
      const there = Object.keys(await filesBelow(folder));
      const unmarked = !there.includes('.holdfast-export');
      // Before the mark nothing was written, and after it everything: the flush of its removal failed.
      if (unmarked && there.length > 1) expect(await contentOf(folder)).toEqual(await contentOf(whole));
      else await exportChunkstore(store, folder, { chunkBytes: 30_000 });
      expect(await contentOf(folder)).toEqual(await contentOf(whole));
    }
  });

  it.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EACCES', 'PERMISSION_DENIED'],
    ['ENAMETOOLONG', 'LOCATION_INVALID'],
  ])('for %s says %s', async (system, code) => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('f', 'x');
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    fileSystem.fail({ call: 'write', code: system });
    const failed = exportChunkstoreTo(store, { folder, fileSystem }, {});
    await expect(failed).rejects.toMatchObject({ code, details: { system } });
  });

  it('goes on with the same options only, drops what was deleted meanwhile, and mends what was cut', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    await store.put('gone', 'gone');
    await store.put('kept', 'hello world');
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    fileSystem.fail({ call: 'rename', code: 'EIO', nth: 8 });
    await expect(exportChunkstoreTo(store, { folder, fileSystem }, {})).rejects.toMatchObject({ code: 'BACKEND_IO' });
    await expect(exportChunkstore(store, folder, { chunkBytes: 7 })).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
    await store.delete('gone');
    await writeBelow(folder, HELLO, 'hello');
    await writeBelow(folder, 'mine.txt', 'mine');
    expect(await exportChunkstore(store, folder)).toMatchObject({ exported: 1, resumed: true });
    await rm(path.join(folder, 'mine.txt'));
    const back = await memoryStore();
    expect(await importChunkstore(back, folder)).toMatchObject({ imported: 1, failed: 0, differenceCount: 0 });
    expect(await keysOf(back)).toEqual(['kept']);
  });

  it('because it was aborted goes on too', async () => {
    const [store, folder, controller] = [await memoryStore(), await testFolder(), new AbortController()];
    for (let index = 0; index < 20; index += 1) await store.put(`f${index}`, noise(50_000, index));
    const reason = new Error('enough');
    const onItem = (): void => controller.abort(reason);
    await expect(exportChunkstore(store, folder, { signal: controller.signal, onItem })).rejects.toBe(reason);
    expect(await exportChunkstore(store, folder)).toMatchObject({ exported: 20, resumed: true });
  });
});
