/**
 * What bsfs promises (BS-1 to BS-22), and what it gets wrong; of keys in `bsfs-sealed`. `docs/decisions/0005` tells why
 * things differ.
 */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnoseStore, fileInfo, openStore, rebuildStore, salvageFile } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { accountForFeatures } from '../support/seed-features.ts';
import { destroyPages, fileStore, treePages } from '../support/single-file.ts';
import { flipByte, imageOf, metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, keysOf, memoryStore, reopen, SOUND, sharedStore } from '../support/stores.ts';

const shared = sharedStore();
const ID = '6f1f6a4e-1c1d-4d3e-9f57-0a4f0a3d9b11';

describe('bsfs', () => {
  accountForFeatures(import.meta.filename, {
    prefix: 'BS',
    count: 22,
    elsewhere: {
      'BS-8': 'different: one package for Node, no shared library to look for',
      'BS-10..12': 'different: packs and metadata instead of partitions and a block table (decisions 0002, 0003)',
      'BS-16': 'different: placement in order, never at random (decision 0002)',
      'BS-20': 'test/e2e: the command line',
    },
  });

  it('BS-1 opens or makes a store, closes it, by itself at the end of a block, and refuses use after that', async () => {
    const store = await memoryStore();
    {
      await using scoped = store;
      await scoped.put('k', 'x');
    }
    await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('BS-2 writes and replaces under a UUID, and wants bytes; empty content is allowed here', async () => {
    const { store } = shared;
    await store.put(ID, text('Hello, BSFS! This is a test file with some content.'));
    expect(await store.put(ID, text('Updated content: this one is longer than the first one was. Now!'))).toMatchObject(
      { size: 64 },
    );
    await expect(store.put(ID, 5 as unknown as string)).rejects.toBeInstanceOf(TypeError);
    expect(await store.put(ID, '')).toMatchObject({ size: 0 });
    const { key } = await store.put(null, 'x', { name: 'uuid' });
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('BS-3 reads the exact bytes: 5 MiB of i mod 256; an unknown id is not found', async () => {
    const { store } = shared;
    const content = Uint8Array.from({ length: 5 * MIB }, (_, index) => index & 0xff);
    await store.put(ID, content);
    expect(sameBytes(await store.get(ID), content)).toBe(true);
    await expect(store.get('unknown')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });

  it('BS-4 deletes, and tells whether a file is there without reading it', async () => {
    const { store } = shared;
    await store.put('bs-4', noise(200_000));
    const { bytesOut } = store.metrics();
    expect([await store.has('bs-4'), await store.delete('bs-4'), await store.has('bs-4')]).toEqual([true, true, false]);
    expect(store.metrics().bytesOut).toBe(bytesOut);
  });

  it('BS-5 tells how many files and bytes it holds, and how much the disk has', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(100_000));
    expect(await store.stats()).toMatchObject({ entries: 1, logicalBytes: 100_000, packs: 2 });
    const { findings } = await diagnoseStore(folder);
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['config', 'disk', 'metadata', 'journal']),
    );
  });

  it('BS-5 tells blocks, used and free ones, and the utilisation of one file with a capacity', async () => {
    const { file, store } = await fileStore({ capacityBytes: 16 * MIB });
    await store.put('k', noise(2 * MIB));
    const info = await fileInfo(file);
    expect(info).toMatchObject({ path: file, pages: 2048, capacityBytes: 16 * MIB });
    expect(info.usedPages + info.freePages).toBe(2048);
    expect(info.utilizationPercent).toBeGreaterThan(12.5);
    expect(info.freeBytes).toBeGreaterThan(10 * MIB);
    expect(info.freeBytes).toBeLessThan(12 * MIB);
  });

  it('BS-7 tells apart what is not there, what is full, what is damaged and what is wrong', async () => {
    const { path: folder, store } = await folderStore({ quotaBytes: 2 * MIB });
    await store.put('k', noise(200_000));
    await expect(store.get('unknown')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(store.put('large', noise(3 * MIB))).rejects.toMatchObject({ kind: 'exhausted' });
    await expect(store.put('', 'x')).rejects.toMatchObject({ kind: 'invalid' });
    await store.close();
    await flipByte((await packFiles(folder))[0] as string, 5000);
    await expect((await reopen(folder)).get('k')).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('BS-9 has no bound of 64 files, and a small file takes no block of 2 MiB', async () => {
    const store = await memoryStore();
    for (let index = 0; index < 65; index += 1) await store.put(`file ${index}`, `small ${index}`);
    expect(await keysOf(store)).toHaveLength(65);
    expect(await store.get('file 64')).toEqual(text('small 64'));
    expect((await store.stats()).storedBytes).toBeLessThan(200_000);
  });

  it('BS-9 has no bound of 64 files or 256 blocks in one file, lists them, and streams them', async () => {
    const { file, store } = await fileStore({ blockBytes: 8 * KIB });
    await store.batch(async (batch) => {
      for (let index = 0; index < 300; index += 1) await batch.put(`file ${index}`, `small ${index}`);
    });
    // In rows of a block each: more than 256 of them.
    const large = noise(4 * MIB);
    const pieces = Array.from({ length: 64 }, (_, index) => large.subarray(index * 65_536, (index + 1) * 65_536));
    await store.put('large', pieces);
    expect(await keysOf(store)).toHaveLength(301);
    expect(await keysOf(store, { prefix: 'file 29' })).toHaveLength(11);
    const read: Uint8Array[] = [];
    for await (const piece of store.read('large')) read.push(piece);
    expect(sameBytes(Buffer.concat(read), large)).toBe(true);
    expect((await fileInfo(file)).usedPages).toBeGreaterThan(512);
  });

  it('BS-17 updates beside the old content and frees nothing before the new one is committed', async () => {
    const { store } = await folderStore();
    const [old, next] = [noise(300_000, 1), noise(300_000, 2)];
    await store.put('k', old);
    const reading = store.read('k')[Symbol.asyncIterator]();
    const first = await reading.next();
    await store.put('k', next);
    const pieces: Uint8Array[] = first.done ? [] : [first.value];
    for (let step = await reading.next(); !step.done; step = await reading.next()) pieces.push(step.value);
    expect(sameBytes(Buffer.concat(pieces), old)).toBe(true);
    expect(sameBytes(await store.get('k'), next)).toBe(true);
  });

  it('BS-18 writes magic and version, and checks both', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    const [pack = ''] = await packFiles(folder);
    for (const position of [0, 4, 5]) {
      await flipByte(pack, position, 0x01);
      const { outcome, problems } = await checked(folder);
      expect([outcome, problems.length > 0]).toEqual(['damaged', true]);
      await flipByte(pack, position, 0x01);
    }
    expect(await checked(folder)).toMatchObject(SOUND);
  });

  it('BS-22 serves as a document store with attributes, a configuration under a fixed id, and in batches', async () => {
    const { store } = shared;
    const config = '00000000-0000-0000-0000-000000000001';
    await store.batch(async (batch) => {
      await batch.put('doc/1', 'first', { attributes: { author: 'a' } });
      await batch.put('doc/2', 'second', { attributes: { author: 'b' } });
      await batch.put(config, JSON.stringify({ theme: 'dark' }), { contentType: 'application/json' });
    });
    expect(await keysOf(store, { prefix: 'doc/', where: { attributes: { author: 'b' } } })).toEqual(['doc/2']);
    expect(JSON.parse(Buffer.from(await store.get(config)).toString())).toEqual({ theme: 'dark' });
  });
});

async function checked(folder: string) {
  const store = await reopen(folder);
  try {
    return await store.maintenance.check();
  } finally {
    await store.close();
  }
}

describe('what bsfs gets wrong', () => {
  it('wipes a store whose table it cannot read: here opening fails and every byte stays', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    const table = await readFile(metadataFile(folder));
    const damages: (() => Promise<void>)[] = [
      () => writeFile(metadataFile(folder), noise(table.length)),
      () => truncate(metadataFile(folder), table.length >> 1),
      () => writeFile(path.join(folder, 'holdfast.json'), '{}'),
    ];
    for (const damage of damages) {
      await damage();
      const before = await imageOf(folder);
      await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ kind: 'corrupt' });
      expect(await imageOf(folder)).toEqual(before);
    }
  });

  it('loses everything when it is opened again after a write: here nothing', async () => {
    const { path: folder, store } = await folderStore();
    await store.close();
    for (let round = 0; round < 3; round += 1) {
      const again = await reopen(folder);
      await again.put(`k${round}`, noise(150_000, round));
      for (let earlier = 0; earlier <= round; earlier += 1)
        expect(sameBytes(await again.get(`k${earlier}`), noise(150_000, earlier))).toBe(true);
      await again.close();
    }
    expect(await checked(folder)).toMatchObject({ ...SOUND, entries: 3 });
  });

  it('wipes a file whose table it cannot read: here opening fails, every byte stays, and salvage finds the content', async () => {
    const { file, store } = await fileStore();
    await store.put('k', noise(200_000));
    await store.close();
    destroyPages(file, [1, ...treePages(file)]);
    const before = await readFile(file);
    await expect(openStore(file)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
    expect((await readFile(file)).equals(before)).toBe(true);
    const rescued = path.join(path.dirname(file), 'rescued.hold');
    await salvageFile(file, rescued);
    await rebuildStore(rescued);
    expect(sameBytes(await (await reopen(rescued)).get('k'), noise(200_000))).toBe(true);
  });

  it('cannot notice a changed byte of a block: here any one is found', async () => {
    const { path: folder, store } = await folderStore();
    const content = noise(100_000);
    await store.put('k', content);
    await store.close();
    const [pack = ''] = await packFiles(folder);
    const again = await reopen(folder, { readOnly: true });
    let found = 0;
    let tried = 0;
    // Anywhere in the one record; what lies around it is compared by check.
    for (let position = 500; position < content.length; position += 2503, tried += 1) {
      await flipByte(pack, position, 0x80);
      if ((await again.get('k').catch(() => 'found')) === 'found') found += 1;
      await flipByte(pack, position, 0x80);
    }
    expect(tried).toBeGreaterThan(30);
    expect(found).toBe(tried);
    expect(sameBytes(await again.get('k'), content)).toBe(true);
  });

  it('overwrites its table in place, so that a torn write loses all: here a torn metadata file is rebuilt', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    await truncate(metadataFile(folder), 5000);
    await expect(reopen(folder)).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    await rebuildStore(folder, { reserveBytes: 0 });
    expect(sameBytes(await (await reopen(folder)).get('k'), noise(200_000))).toBe(true);
  });

  it('lets handles overwrite each other: here ten writers in two handles lose nothing', async () => {
    const { path: folder, store } = await folderStore();
    const second = await reopen(folder);
    const writers = [store, second].flatMap((handle, which) =>
      Array.from({ length: 5 }, async (_, writer) => {
        for (let file = 0; file < 4; file += 1) {
          const key = `Thread ${which}-${writer} - File ${file}`;
          await handle.put(key, `${key} - `.repeat(100));
        }
      }),
    );
    await Promise.all(writers);
    for (const handle of [store, second]) {
      expect(await keysOf(handle)).toHaveLength(40);
      for (const key of await keysOf(handle)) expect(await handle.get(key)).toEqual(text(`${key} - `.repeat(100)));
    }
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('reads back its own integrity cases', async () => {
    const { store } = shared;
    const cases = [
      noise(10_000),
      new Uint8Array(10_000).fill(0x41),
      text('{"key": "value", "number": 42}'.repeat(200)),
      Uint8Array.from({ length: 10_000 }, (_, index) => index % 4),
    ];
    for (const content of cases) {
      await store.put('case', content);
      expect(sameBytes(await store.get('case'), content)).toBe(true);
    }
  });
});
