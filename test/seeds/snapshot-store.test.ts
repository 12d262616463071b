/** What snapshot-store promises (SS-1 to SS-29), and what it gets wrong. `docs/decisions/0005` tells why things differ. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFsBackend } from '../../src/backend/index.ts';
import { digestOf } from '../../src/hash/index.ts';
import { createStore, openStore, StoreError } from '../../src/index.ts';
import { nodeFileSystem } from '../../src/runtime/file-system.ts';
import { FaultyFileSystem } from '../../src/testing/index.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { blake3Text, noise, sameBytes, text } from '../support/contents.ts';
import { accountForFeatures } from '../support/seed-features.ts';
import { flipByte, imageOf, packFiles } from '../support/store-files.ts';
import {
  closedAfterTest,
  folderStore,
  keysOf,
  memoryStore,
  reopen,
  SOUND,
  sharedStore,
  testFolder,
} from '../support/stores.ts';

const shared = sharedStore();

describe('snapshot-store', () => {
  accountForFeatures(import.meta.filename, {
    prefix: 'SS',
    count: 29,
    elsewhere: {
      'SS-23..25': 'later: collection by reachability',
      'SS-27':
        'different: invariants are checked where they hold (`invariant`), and proven by tests, not kept in a list',
    },
  });

  it('SS-4 hashes with BLAKE3: the ids of its vectors', () => {
    const vectors: [string, string, string][] = [
      [
        '{"a":1,"b":2,"c":3}',
        '8805acafa18d80480603aebd695075f5fdecb7d9cb381523db2e2e30a1ecc128',
        'e6a3385fb77c287a712e7f406a451727f0625041823ecf23bea7ef39b2e39805',
      ],
      [
        '{"content":"SGVsbG8sIFdvcmxkIQ==","type":"blob"}',
        '38f2771fd843344ed2697729ac210ca2d101a66efd56aa9b304f54fc8afcec35',
        '34dff8e323624d992a20f91754fe45aa6fc46d145d9ac33157ec733be3dbf203',
      ],
      [
        '{"content":{"operations":[],"sequence":1},"type":"bundle"}',
        'b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21',
        'd9732c01037c54d066310390e56e989631848d2d68fe6b78b9c54c3a82cde0be',
      ],
    ];
    for (const [json, blake3, sha256] of vectors) {
      expect(blake3Text(text(json))).toBe(`blake3:${blake3}`);
      expect(Buffer.from(digestOf('sha256', text(json))).toString('hex')).toBe(sha256);
    }
  });

  it('SS-5 gives the same content the same identity, whenever, wherever and in whatever order it is described', async () => {
    const [one, two] = [await memoryStore(), await memoryStore()];
    const first = await one.put('a', 'x', { attributes: { k: '1', j: '2' } });
    const second = await two.put('b', 'x', { attributes: { j: '2', k: '1' } });
    expect(second).toMatchObject({ version: first.version, digest: first.digest });
    const other = await two.put('b', 'x', { attributes: { j: '2' } });
    expect(other.version).not.toBe(first.version);
  });

  it('SS-7 puts the same content twice for nothing, and heals what is known to be corrupt', async () => {
    const { path: folder, store } = await folderStore();
    const content = noise(200_000);
    const first = await store.put(null, content);
    expect(await store.put(null, content)).toMatchObject({ key: first.key, newBytes: 0 });
    await store.close();
    await flipByte((await packFiles(folder))[0] as string, 7000);
    const again = await reopen(folder);
    await expect(again.get(first.key)).rejects.toMatchObject({ kind: 'corrupt' });
    expect((await again.put(null, content)).newBytes).toBeGreaterThan(0);
    expect(sameBytes(await again.get(first.key), content)).toBe(true);
  });

  it('SS-8 verifies every read; no option switches that off', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    await flipByte((await packFiles(folder))[0] as string, 7000);
    const again = await reopen(folder);
    const options = { verify: false, unverified: true, skipVerification: true } as object;
    await expect(again.get('k', options)).rejects.toMatchObject({ kind: 'corrupt' });
    await expect(Array.fromAsync(again.read('k', options))).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('SS-10 keeps what it stores under folders of two digits, many objects to a file', async () => {
    const { path: folder, store } = await folderStore();
    await store.putMany(Array.from({ length: 100 }, (_, index) => ({ key: `k${index}`, source: noise(2000, index) })));
    const files = await packFiles(folder);
    expect(files).toHaveLength(1);
    expect(path.relative(folder, files[0] as string)).toMatch(/^packs\/[0-9a-f]{2}\/[0-9a-f]{32}\.0$/);
  });

  it('SS-11 opens what is there again and again; here creating twice is a conflict and changes nothing', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', 'x');
    await store.close();
    const before = await imageOf(folder);
    await expect(createStore(folder, { keys: 'none' })).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    expect(await imageOf(folder)).toEqual(before);
    expect(await keysOf(await reopen(folder))).toEqual(['k']);
  });

  it('SS-12 writes an object to a temporary file and renames it', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    const backend = closedAfterTest(await openFsBackend(folder, { reserveBytes: 0, fileSystem }));
    fileSystem.fail({ call: 'rename', code: 'EIO', path: '.tmp' });
    await expect(backend.put('a', text('x'))).rejects.toMatchObject({ code: 'BACKEND_IO' });
    expect(await backend.get('a')).toBeUndefined();
    await backend.put('a', text('y'));
    expect(await backend.get('a')).toEqual(text('y'));
  });

  it('SS-22 finds references to what is not there, and names who refers to it', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('broken', noise(200_000));
    await store.put('sound', 'x');
    await store.close();
    const again = await reopen(folder);
    const [pack = ''] = await packFiles(folder);
    await nodeFileSystem.unlink(pack);
    const { outcome, problems } = await again.maintenance.check();
    expect(outcome).toBe('damaged');
    const named = new Set(problems.flatMap(({ key }) => key ?? []));
    expect([...named]).toEqual(['broken']);
  });

  it('SS-26 counts what it holds', async () => {
    const store = await memoryStore();
    for (const key of ['a', 'b', 'c']) await store.put(key, key.repeat(10));
    expect(await store.stats()).toMatchObject({ entries: 3, chunks: 3, logicalBytes: 30, uniqueBytes: 30 });
    expect(await keysOf(store)).toEqual(['a', 'b', 'c']);
  });

  it('SS-28 throws errors of one base with expected and actual, the path and the cause', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', noise(200_000));
    await store.close();
    await flipByte((await packFiles(folder))[0] as string, 7000);
    const corrupt = await (await reopen(folder)).get('k').catch((error: unknown) => error);
    expect(corrupt).toBeInstanceOf(StoreError);
    expect(corrupt).toMatchObject({ details: { key: 'k', digest: expect.any(String) }, cause: expect.any(StoreError) });
    const absent = await openStore('/nowhere/at/all').catch((error: unknown) => error);
    expect(absent).toMatchObject({ code: 'STORE_NOT_FOUND', details: { path: '/nowhere/at/all' } });
  });

  it('SS-29 needs no network and no service, and few packages', async () => {
    const { dependencies } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
    // Loaded by who has such a service, and by who serves.
    const server = ['hono', '@hono/node-server', '@hono/zod-openapi', '@tus/server', '@fastify/busboy', 'client-zip'];
    const others = ['@aws-sdk/client-s3', 'pg', ...server];
    const own = Object.keys(dependencies).filter((name) => !others.includes(name));
    expect(own.length).toBeLessThan(10);
  });
});

describe('what snapshot-store gets wrong', () => {
  it('takes another hash when a package is missing: here the store says which, and refuses what it does not know', async () => {
    const { path: folder, store } = await folderStore();
    await store.close();
    expect(JSON.parse(await readFile(path.join(folder, 'holdfast.json'), 'utf8'))).toMatchObject({ digest: 'blake3' });
  });

  it('lists its temporary files as objects: here they are neither entries nor garbage nor damage', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    const backend = await openFsBackend(folder, { reserveBytes: 0, fileSystem });
    const metadata = path.join(folder, '.metadata.sqlite');
    const store = closedAfterTest(await createStore({ backend, metadata }, { keys: 'none' }));
    fileSystem.fail({ call: 'write', code: 'ENOSPC', path: '.tmp' });
    fileSystem.fail({ call: 'unlink', code: 'EIO', path: '.tmp' });
    await expect(store.put('k', noise(200_000))).rejects.toMatchObject({ kind: 'exhausted' });
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, entries: 0, garbage: { blobs: 0 } });
  });

  it('takes a/b and a_b for one name: here they are two', async () => {
    const { store } = shared;
    await store.put('a/b', 'slash');
    await store.put('a_b', 'underscore');
    await store.put('.a_b', 'dot');
    expect(await store.get('a/b')).toEqual(text('slash'));
    expect(await store.get('a_b')).toEqual(text('underscore'));
  });

  it('reads outside of the store for ../../..: here such a key is an entry that nobody stored', async () => {
    const { store } = shared;
    await expect(store.get('../../..')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    await expect(store.readChunk('../../..')).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });

  it('changes an object through a copy of it: here what is handed out is frozen or the caller’s own', async () => {
    const { store } = shared;
    await store.put('frozen', 'x', { attributes: { a: 'b' } });
    const info = await store.stat('frozen');
    expect(() => Object.assign(info.attributes, { a: 'c' })).toThrow(TypeError);
    (await store.get('frozen')).fill(0);
    expect(await store.get('frozen')).toEqual(text('x'));
    expect((await store.stat('frozen')).attributes).toEqual({ a: 'b' });
  });

  it('does not notice added white space, since it hashes what it parsed: here every byte counts', async () => {
    const { path: folder, store } = await folderStore();
    await store.close();
    const config = path.join(folder, 'holdfast.json');
    const bytes = await readFile(config, 'utf8');
    await writeFile(config, bytes.replace('"format": 1', '"format":  1'));
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'CONFIG_CORRUPT' });
  });

  it('writes large data with one call that may be short: here short writes are gone on with', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    fileSystem.transferBytesMax = 10_000;
    const backend = closedAfterTest(await openFsBackend(folder, { reserveBytes: 0, fileSystem }));
    await backend.put('a', noise(123_456));
    expect(sameBytes((await backend.get('a')) as Uint8Array, noise(123_456))).toBe(true);
  });

  it('stores a blob as base64, a third larger: here as it is', async () => {
    const store = await memoryStore();
    expect((await store.put('k', noise(300_000))).storedBytes).toBe(300_000);
    expect((await store.stats()).storedBytes).toBeLessThan(303_000);
  });

  it('stores a blob whole for one changed byte: here a chunk', async () => {
    const store = await memoryStore();
    const content = noise(4_000_000);
    await store.put('k', content);
    content[2_000_000] = (content[2_000_000] as number) ^ 1;
    expect((await store.put('k', content)).newBytes).toBeLessThan(600_000);
  });
});
