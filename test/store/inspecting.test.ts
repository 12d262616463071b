import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createStore, type EntryReport, type Store } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, pieces } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { packFiles } from '../support/store-files.ts';
import { all, closedAfterTest, folderStore, memoryStore, testFolder } from '../support/stores.ts';

const FIXED = { chunking: 'fixed:65536' };
/** What follows each record of a pack, in plain and in sealed stores. */
const TRAILER = 16;

async function bytesOfFiles(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((a, b) => a + b, 0);
}

describe('what an entry takes', () => {
  it('is its bytes and a trailer for each record, for content that nothing makes smaller', async () => {
    const { store, path: folder } = await folderStore();
    await store.put('noise', noise(4 * MIB), FIXED);
    const report = await store.inspect('noise', { packs: true });
    expect(report).toMatchObject({
      ...{ key: 'noise', size: 4 * MIB, chunks: 64, distinctChunks: 64, uniqueBytes: 4 * MIB, savingsPercent: 0 },
      // Records of a MiB.
      recordBytes: 4 * MIB + 4 * TRAILER,
      ...{ manifestNodes: 0, manifestBytes: 0, pendingChunks: 0, missingItems: 0, suspectItems: 0, packCount: 1 },
    });
    expect(report.compressionRatio).toBeCloseTo(1, 4);
    const [file] = await packFiles(folder);
    const onDisk = (await stat(file as string)).size;
    // All of the file but the frame, the header and the directory of its pack.
    expect(report.storedBytes).toBeLessThan(onDisk);
    expect(report.storedBytes).toBeGreaterThan(onDisk - 8 * KIB);
    const [pack] = report.packs ?? [];
    expect(pack).toMatchObject({
      packId: path.basename(file as string, '.0'),
      ...{ class: 'data', redundancy: '1+0', storedBytes: onDisk, entryItems: 64 },
      entryRecordBytes: report.recordBytes,
      shards: [{ index: 0, kind: 'data', bytes: onDisk, backend: 'main' }],
    });
    for (const part of [report, report.packs, pack, pack?.shards, pack?.shards[0]])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('counts what repeats once, and zeros hardly at all', async () => {
    const store = await memoryStore();
    const once = noise(MIB, 2);
    await store.put('twice', Buffer.concat([once, once, once, once]), FIXED);
    await store.put('zeros', new Uint8Array(8 * MIB), FIXED);
    await store.put('empty', '');
    expect(await store.inspect('twice')).toMatchObject({
      ...{ chunks: 64, distinctChunks: 16, uniqueBytes: MIB, savingsPercent: 75, recordBytes: MIB + TRAILER },
    });
    const zeros = await store.inspect('zeros');
    expect(zeros).toMatchObject({ chunks: 128, distinctChunks: 1, uniqueBytes: 64 * KIB });
    expect(zeros.recordBytes).toBeLessThan(200);
    expect(zeros.compressionRatio).toBeCloseTo((64 * KIB) / zeros.recordBytes, 0);
    expect(await store.inspect('empty')).toMatchObject({
      ...{ chunks: 0, distinctChunks: 0, savingsPercent: 0, compressionRatio: 0, storedBytes: 0, packCount: 0 },
    });
  });

  it('is, of a record that others are in as well, the share that it has of its plain bytes', async () => {
    const { store, path: folder } = await folderStore();
    const items = Array.from({ length: 10 }, (_, at) => ({ key: `k${at}`, source: noise(10_000 * (at + 1), at + 1) }));
    await store.putMany(items);
    const reports: EntryReport[] = [];
    for (const { key } of items) reports.push(await store.inspect(key));
    const records = reports.reduce((sum, { recordBytes }) => sum + recordBytes, 0);
    const plain = items.reduce((sum, { source }) => sum + source.length, 0);
    expect(records).toBe(plain + TRAILER);
    const stored = reports.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const onDisk = await bytesOfFiles(await packFiles(folder));
    expect(stored).toBeLessThan(onDisk);
    expect(stored).toBeGreaterThan(onDisk * 0.99);
  });

  it('has the ratio that zstd reached', async () => {
    const { store, path: folder } = await folderStore();
    const text = Buffer.from(Array.from({ length: 60_000 }, (_, at) => `line ${at * 7919} of a log\n`).join(''));
    await store.put('log', text.subarray(0, MIB), { chunking: 'fixed:1048576' });
    const report = await store.inspect('log');
    const [file] = await packFiles(folder);
    const bytes = await readFile(file as string);
    const frame = bytes.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    const record = bytes.subarray(frame, frame + report.recordBytes - TRAILER);
    expect(zstdDecompressSync(record).equals(text.subarray(0, MIB))).toBe(true);
    expect(report.compressionRatio).toBe(MIB / report.recordBytes);
    expect(report.compressionRatio).toBeGreaterThan(3);
  });

  it('is known before anything is in a pack, too', async () => {
    const store = await memoryStore();
    await store.put('small', noise(5000));
    expect(await store.inspect('small', { packs: true })).toMatchObject({
      ...{ recordBytes: 5000, storedBytes: 5000, pendingChunks: 1, packCount: 0, packs: [] },
    });
    expect(await all(store.chunks('small', { placement: true }))).toMatchObject([
      { index: 0, length: 5000, placement: { state: 'pending', compressed: false, recordBytes: 5000 } },
    ]);
  });

  it('has manifest nodes of large entries beside their chunks', async () => {
    const store = await memoryStore();
    await store.put('many', pieces(noise(200_000), 40), { chunking: 'given' });
    const report = await store.inspect('many', { packs: true });
    // A leaf of 4,096 chunks and one of the others; the node above rides in the row.
    expect(report).toMatchObject({ chunks: 5000, distinctChunks: 5000, manifestNodes: 2 });
    expect(report.manifestBytes).toBeGreaterThan(5000 * 32);
    expect(report.packs?.map((pack) => pack.class).sort()).toEqual(['data', 'meta']);
    const inPacks = report.packs?.reduce((sum, { entryStoredBytes }) => sum + entryStoredBytes, 0) ?? 0;
    expect(Math.abs(inPacks - report.storedBytes)).toBeLessThan(3);
  });

  it('has the redundancy in what is stored', async () => {
    const root = await testFolder();
    const backends = [1, 2, 3, 4, 5].map((at) => ({ location: path.join(root, `disk${at}`) }));
    const options = { keys: 'none', reserveBytes: 0, redundancy: '3+2', backends } as const;
    const store = closedAfterTest(await createStore(path.join(root, 'home'), options));
    await store.put('spread', noise(3 * MIB), FIXED);
    const report = await store.inspect('spread', { packs: true });
    expect(report.recordBytes).toBe(3 * MIB + 3 * TRAILER);
    expect(report.storedBytes / report.recordBytes).toBeGreaterThan(5 / 3);
    expect(report.storedBytes / report.recordBytes).toBeLessThan((5 / 3) * 1.01);
    const [pack] = report.packs ?? [];
    expect(pack?.redundancy).toBe('3+2');
    expect(pack?.shards.map(({ kind }) => kind)).toEqual(['data', 'data', 'data', 'parity', 'parity']);
    expect(pack?.shards.map(({ backend }) => backend).sort()).toEqual(['disk1', 'disk2', 'disk3', 'disk4', 'disk5']);
    for (const { index, backend, bytes } of pack?.shards ?? []) {
      const id = pack?.packId ?? '';
      const file = path.join(root, backend ?? '', 'packs', id.slice(-2), `${id}.${index}`);
      expect((await stat(file)).size).toBe(bytes);
    }
    const chunks = await all(store.chunks('spread', { placement: true }));
    expect(chunks.map(({ placement }) => placement?.pack?.packId)).toEqual(chunks.map(() => pack?.packId));
    const sum = chunks.reduce((bytes, { placement }) => bytes + (placement?.storedBytes ?? 0), 0);
    expect(Math.abs(sum - report.storedBytes)).toBeLessThan(chunks.length);
  });

  it('is told of a sealed store and of isolated entries alike', async () => {
    const store = await memoryStore({ keys: { key: STORE_KEY }, ...FIXED });
    await store.namespaces.create('tenant');
    const content = noise(2 * MIB, 8);
    const puts: readonly (readonly [Pick<Store, 'put' | 'inspect'>, object])[] = [
      [store, {}],
      [store.namespace('tenant'), {}],
      [store, { isolation: 'entry' }],
    ];
    for (const [at, [entries, options]] of puts.entries()) {
      await entries.put(`k${at}`, content, options);
      expect(await entries.inspect(`k${at}`, { packs: true, sharing: true })).toMatchObject({
        ...{ distinctChunks: 32, recordBytes: 2 * MIB + 2 * TRAILER, packCount: 1, sharedBytes: 0 },
      });
    }
  });
});

describe('what an entry shares', () => {
  it('is what other entries use as well, each byte once', async () => {
    const store = await memoryStore();
    const [a, b, c] = [noise(MIB, 1), noise(MIB, 2), noise(MIB, 3)];
    await store.put('ab', Buffer.concat([a, b]), FIXED);
    await store.put('bc', Buffer.concat([b, c, b]), FIXED);
    await store.put('alone', noise(MIB, 4), FIXED);
    expect(await store.inspect('ab', { sharing: true })).toMatchObject({ sharedBytes: MIB, ownBytes: MIB });
    expect(await store.inspect('bc', { sharing: true })).toMatchObject({ sharedBytes: MIB, ownBytes: MIB });
    expect(await store.inspect('alone', { sharing: true })).toMatchObject({ sharedBytes: 0, ownBytes: MIB });
    await store.copy('alone', 'copy');
    expect(await store.inspect('alone', { sharing: true })).toMatchObject({ sharedBytes: MIB, ownBytes: 0 });
    expect('sharedBytes' in (await store.inspect('ab'))).toBe(false);
  });
});

describe('chunks with their placement', () => {
  it('are those without it, and frozen', async () => {
    const store = await memoryStore();
    await store.put('k', noise(300_000), FIXED);
    const plain = await all(store.chunks('k'));
    const placed = await all(store.chunks('k', { placement: true }));
    expect(placed.map(({ placement: _, ...chunk }) => chunk)).toEqual(plain);
    for (const { placement } of placed) {
      expect(placement).toMatchObject({ state: 'stored', compressed: false });
      expect(Object.isFrozen(placement)).toBe(true);
    }
  });
});
