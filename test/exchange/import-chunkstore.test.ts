import { execFileSync } from 'node:child_process';
import { rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { type ChunkstoreImportItem, createStore, importChunkstore, type Progress } from '../../src/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { closedAfterTest, keysOf, memoryStore, SOUND, testFolder } from '../support/stores.ts';
import {
  filesBelow,
  GOLDEN_CHUNKS,
  GOLDEN_FILES,
  HELLO,
  sha256,
  writeBelow,
  writeChunkstore,
} from './chunkstore-folder.ts';

async function goldenFolder(): Promise<string> {
  const folder = await testFolder();
  for (const [name, content] of Object.entries(GOLDEN_FILES)) await writeBelow(folder, name, content);
  return folder;
}

const CLEAN = { failed: 0, failures: [], differences: [], differenceCount: 0 };

describe('importing a folder of chunkstore', () => {
  it('has fixtures of the bytes that chunkstore wrote', async () => {
    const folder = await testFolder();
    await writeChunkstore(folder, GOLDEN_CHUNKS);
    expect(await filesBelow(folder)).toEqual(GOLDEN_FILES);
  });

  it('makes every file an entry, and changes nothing in the folder', async () => {
    const [folder, store] = [await goldenFolder(), await memoryStore()];
    const items: ChunkstoreImportItem[] = [];
    const progress: Progress[] = [];
    const report = await importChunkstore(store, folder, {
      onItem: (item) => void items.push(item),
      onProgress: (one) => void progress.push(one),
    });
    expect(report).toEqual({
      ...CLEAN,
      files: 4,
      imported: 4,
      same: 0,
      bytes: 32,
      newBytes: expect.any(Number),
      storedBytes: expect.any(Number),
    });
    expect(await store.stats()).toMatchObject({ entries: 4, logicalBytes: 32, uniqueBytes: 21 });
    expect(await keysOf(store)).toEqual(['dir/x', 'doc_v1', 'doc_v2', 'empty']);
    expect(await store.get('dir/x')).toEqual(text('abcdefghij'));
    expect(await store.get('doc_v2')).toEqual(text('hello world'));
    expect((await store.get('empty')).length).toBe(0);
    expect(items.map(({ id }) => id)).toEqual(['doc_v1', 'doc_v2', 'empty', 'dir/x']);
    expect(items[0]).toEqual({
      id: 'doc_v1',
      key: 'doc_v1',
      status: 'imported',
      size: 11,
      digest: (await store.stat('doc_v1')).digest,
    });
    expect(progress.at(-1)).toEqual({ phase: 'import', done: 4, total: 4, bytes: 32 });
    expect(await filesBelow(folder)).toEqual(GOLDEN_FILES);
  });

  it('goes on where it was: what is there is passed by; what differs stays, unless it is to be replaced', async () => {
    const [folder, store] = [await goldenFolder(), await memoryStore()];
    await store.put('old/doc_v1', 'hello world');
    await store.put('old/doc_v2', 'HELLO WORLD');
    await store.put('old/empty', 'not empty');
    const first = await importChunkstore(store, folder, { prefix: 'old/' });
    expect(first).toMatchObject({ files: 4, imported: 1, same: 1, failed: 2 });
    expect(first.failures.map(({ key, error }) => [key, (error as { code: string }).code])).toEqual([
      ['old/doc_v2', 'ENTRY_EXISTS'],
      ['old/empty', 'ENTRY_EXISTS'],
    ]);
    expect(await store.get('old/doc_v2')).toEqual(text('HELLO WORLD'));
    expect(await importChunkstore(store, folder, { prefix: 'old/', replace: true })).toMatchObject({
      imported: 2,
      same: 2,
      failed: 0,
    });
    expect(await store.get('old/doc_v2')).toEqual(text('hello world'));
    expect(await importChunkstore(store, folder, { prefix: 'old/' })).toMatchObject({ imported: 0, same: 4 });
  });

  it('reads and verifies everything in a dry run, and stores nothing', async () => {
    const [folder, store] = [await goldenFolder(), await memoryStore()];
    await writeBelow(folder, HELLO, 'hello worle');
    const report = await importChunkstore(store, folder, { dryRun: true });
    expect(report).toMatchObject({ imported: 2, failed: 2, bytes: 10, newBytes: 0 });
    expect(report.failures[0]?.error).toMatchObject({ code: 'IMPORT_CORRUPT' });
    expect(await store.stats()).toMatchObject({ entries: 0, chunks: 0 });
  });

  it('keeps the chunks of chunkstore where asked to, and else cuts as for every put', async () => {
    const [folder, store] = [await testFolder(), await memoryStore()];
    const chunks = [noise(300_000, 1), noise(200_000, 2), noise(300_000, 1)];
    await writeChunkstore(folder, { f: chunks });
    const whole = Buffer.concat(chunks);
    await importChunkstore(store, folder, { prefix: 'given/', chunking: 'given' });
    const lengths = await Array.fromAsync(store.chunks('given/f'), ({ length }) => length);
    expect(lengths).toEqual([300_000, 200_000, 300_000]);
    await importChunkstore(store, folder, { prefix: 'cut/' });
    expect((await store.put('own', whole)).newBytes).toBe(0);
    expect(sameBytes(await store.get('cut/f'), whole)).toBe(true);
    expect(await importChunkstore(store, folder, { prefix: 'cut/', chunking: 'given' })).toMatchObject({ same: 1 });
  });

  it('reports what is wrong with one file, leaves nothing of it, and imports the others', async () => {
    const [folder, store] = [await testFolder(), await memoryStore()];
    const [good, flipped, lost] = [noise(3_000_000, 1), noise(3_000_000, 2), noise(2_000_000, 3)];
    await writeChunkstore(folder, {
      good: [good],
      flipped: [good, flipped],
      lost: [good, lost],
      long: [good, text('x')],
      short: [good],
      'no json': [],
      'no list': [],
      'no count': [],
      'bad digest': [],
      pipe: [text('pipe')],
      linked: [text('linked')],
    });
    const broken = Buffer.from(flipped);
    broken[2_999_999] = (broken[2_999_999] as number) ^ 1;
    await writeBelow(folder, sha256(flipped), broken);
    await rm(path.join(folder, sha256(lost)));
    const list = (bytes: number): string => `{"digests":["${sha256(good)}"],"file_bytes":${bytes}}`;
    await writeBelow(folder, '_manifest/long', list(2_999_999));
    await writeBelow(folder, '_manifest/short', list(3_000_001));
    await writeBelow(folder, '_manifest/no json', '{"digests":[');
    await writeBelow(folder, '_manifest/no list', '{"digests":"","file_bytes":0}');
    await writeBelow(folder, '_manifest/no count', '{"digests":[],"file_bytes":-1}');
    await writeBelow(folder, '_manifest/bad digest', '{"digests":["../../../etc/passwd"],"file_bytes":1}');
    const outside = await testFolder();
    await writeBelow(outside, 'target', 'linked');
    await rm(path.join(folder, sha256(text('linked'))));
    await symlink(path.join(outside, 'target'), path.join(folder, sha256(text('linked'))));
    await rm(path.join(folder, sha256(text('pipe'))));
    execFileSync('mkfifo', [path.join(folder, sha256(text('pipe')))]);
    const report = await importChunkstore(store, folder);
    const codes = Object.fromEntries(report.failures.map(({ id, error }) => [id, (error as { code: string }).code]));
    expect(codes).toEqual({
      'bad digest': 'IMPORT_CORRUPT',
      flipped: 'IMPORT_CORRUPT',
      linked: 'SOURCE_INVALID',
      long: 'IMPORT_CORRUPT',
      lost: 'IMPORT_CORRUPT',
      'no count': 'IMPORT_CORRUPT',
      'no json': 'IMPORT_CORRUPT',
      'no list': 'IMPORT_CORRUPT',
      pipe: 'SOURCE_INVALID',
      short: 'IMPORT_CORRUPT',
    });
    const details = new Map(report.failures.map(({ id, error }) => [id, (error as { details: object }).details]));
    expect(details.get('flipped')).toEqual({
      key: 'flipped',
      path: path.join(folder, sha256(flipped)),
      digest: sha256(flipped),
      expected: sha256(flipped),
      actual: sha256(broken),
    });
    expect(details.get('lost')).toEqual({ key: 'lost', path: path.join(folder, sha256(lost)), digest: sha256(lost) });
    expect(details.get('short')).toEqual({ key: 'short', expected: 3_000_001, actual: 3_000_000 });
    expect(await keysOf(store)).toEqual(['good']);
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 1 });
  });

  it('refuses names that are no keys, and links in the place of manifests and folders', async () => {
    const [folder, store, outside] = [await testFolder(), await memoryStore(), await testFolder()];
    await writeChunkstore(folder, { fine: [text('x')] });
    await writeBelow(outside, 'secret', '{"digests":[],"file_bytes":0}');
    await symlink(path.join(outside, 'secret'), path.join(folder, '_manifest/file'));
    await symlink(outside, path.join(folder, '_manifest/folder'));
    const deep = `_manifest/${Array.from({ length: 6 }, () => 'd'.repeat(200)).join('/')}`;
    await writeBelow(folder, deep, '{"digests":[],"file_bytes":0}');
    execFileSync('bash', ['-c', `printf '{"digests":[],"file_bytes":0}' > "${folder}/_manifest/n"$'\\xff'`]);
    const report = await importChunkstore(store, folder);
    expect(report.failures.map(({ id, error }) => [id.slice(0, 6), (error as { code: string }).code])).toEqual([
      ['file', 'SOURCE_INVALID'],
      ['folder', 'SOURCE_INVALID'],
      ['n�', 'KEY_INVALID'],
      ['dddddd', 'KEY_INVALID'],
    ]);
    expect(await keysOf(store)).toEqual(['fine']);
  });

  it('believes the manifests, and tells where indexes and counts say something else', async () => {
    const folder = await goldenFolder();
    await writeBelow(folder, '_manifest/__index__', '["doc_v1","./empty","gone"]');
    await writeBelow(folder, `_refcount/${HELLO}`, '7');
    const ij = sha256(text('ij'));
    await writeBelow(folder, `_refcount/${ij}`, 'many');
    await rm(path.join(folder, `_refcount/${sha256(text('abcd'))}`));
    const alone = sha256(text('alone'));
    await writeBelow(folder, alone, 'alone');
    await writeBelow(folder, `_refcount/${alone}`, '1');
    await writeBelow(folder, '_refcount/__index__', '{}');
    await writeBelow(folder, '_manifest/doc_v1.17.tmp', '{"digests":[],"file_bytes":0}');
    await writeBelow(folder, 'notes.txt', 'mine');
    const store = await memoryStore();
    const report = await importChunkstore(store, folder);
    expect(report).toMatchObject({ imported: 4, failed: 0, differenceCount: 12 });
    expect([...report.differences].sort((a, b) => (a.kind < b.kind ? -1 : 1))).toEqual([
      { kind: 'chunk-unlisted', path: alone },
      { kind: 'count-corrupt', path: `_refcount/${ij}`, expected: 1 },
      { kind: 'count-extra', path: `_refcount/${alone}` },
      { kind: 'count-missing', path: `_refcount/${sha256(text('abcd'))}`, expected: 1 },
      { kind: 'count-wrong', path: `_refcount/${HELLO}`, expected: 2, actual: 7 },
      { kind: 'file-unknown', path: '_manifest/doc_v1.17.tmp' },
      { kind: 'file-unknown', path: 'notes.txt' },
      { kind: 'index-corrupt', path: '_refcount/__index__' },
      { kind: 'index-extra', path: '_manifest/gone', actual: 'gone' },
      { kind: 'index-lacks', path: '_manifest/doc_v2' },
      { kind: 'index-lacks', path: '_manifest/dir/x' },
      { kind: 'index-spelling', path: '_manifest/empty', expected: 'empty', actual: './empty' },
    ]);
  });

  it('needs no index: a file that ends in .tmp is one then', async () => {
    const folder = await goldenFolder();
    await rm(path.join(folder, '_manifest/__index__'));
    await writeBelow(folder, '_manifest/notes.tmp', '{"digests":[],"file_bytes":0}');
    const store = await memoryStore();
    const report = await importChunkstore(store, folder);
    expect(report).toMatchObject({
      imported: 5,
      differences: [{ kind: 'index-missing', path: '_manifest/__index__' }],
    });
    expect(await store.has('notes.tmp')).toBe(true);
  });

  it('refuses what is no folder of chunkstore', async () => {
    const [folder, store] = [await testFolder(), await memoryStore()];
    await writeBelow(folder, 'file', 'x');
    await expect(importChunkstore(store, folder)).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(importChunkstore(store, path.join(folder, 'file'))).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(importChunkstore(store, path.join(folder, 'no'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(importChunkstore(store, 7 as never)).rejects.toThrow(TypeError);
  });

  it('ends where the store fails or somebody aborts, with whole entries and none that is half done', async () => {
    const folder = await goldenFolder();
    await writeChunkstore(folder, { large: [noise(2_000_000)] });
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: 'none' }));
    backend.fail({ call: 'put', prefix: 'packs/', how: 'before', error: storeError('DISK_FULL', 'full') });
    await expect(importChunkstore(store, folder)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await store.has('large')).toBe(false);
    const [sound, controller] = [await memoryStore(), new AbortController()];
    const reason = new Error('enough');
    const onItem = (): void => controller.abort(reason);
    await expect(importChunkstore(sound, folder, { onItem, signal: controller.signal })).rejects.toBe(reason);
    expect(await sound.maintenance.check()).toMatchObject(SOUND);
    expect(await importChunkstore(sound, folder)).toMatchObject({ failed: 0, files: 5 });
  });
});
