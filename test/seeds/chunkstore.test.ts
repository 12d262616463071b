/** What chunkstore promises (CS-1 to CS-32). Its defects are in `chunkstore-defects`, its workloads in `chunkstore-workloads`. */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WORKLOADS } from '../../bench/savings/workloads.ts';
import { MemoryBackend, openFsBackend } from '../../src/backend/index.ts';
import { CHUNKING_PROFILES, createChunker, type FastCdcSpec, parseChunking } from '../../src/chunking/index.ts';
import { createStore } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { nodeFileSystem } from '../../src/runtime/file-system.ts';
import { FaultyFileSystem } from '../../src/testing/index.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { noise, pieces, sameBytes, sha256Hex, text } from '../support/contents.ts';
import { runProcess } from '../support/run-process.ts';
import { accountForFeatures } from '../support/seed-features.ts';
import {
  closedAfterTest,
  folderStore,
  memoryStore,
  reopen,
  SOUND,
  sharedStore,
  testFolder,
} from '../support/stores.ts';

const shared = sharedStore();

const FIXTURE = path.resolve(ROOT, '../shared/vectors/fastcdc/SekienAkashita.jpg');
if (!existsSync(FIXTURE)) {
  console.warn(
    'skipped: the FastCDC fixture; put test/fixtures/SekienAkashita.jpg of nlfiedler/fastcdc-rs at ' +
      '../shared/vectors/fastcdc/ beside the checkout',
  );
}

function lengthsOf(content: Uint8Array, spec: FastCdcSpec): number[] {
  const chunker = createChunker(spec);
  return [...chunker.push(content), ...chunker.finish()].map(({ length }) => length);
}

describe('chunkstore', () => {
  accountForFeatures(import.meta.filename, {
    prefix: 'CS',
    count: 32,
    elsewhere: {
      'CS-12': 'different: no counts are kept that could drift; liveness comes with collection, later',
      'CS-18..21':
        'different: packs and SQL metadata instead of a file per chunk, count and manifest (decisions 0002, 0003); ' +
        'test/exchange/ imports and exports that layout byte for byte',
      'CS-24': 'later: S3',
      'CS-25..27': 'different: one library for Node; other languages come through the server, later',
      'CS-29..30': 'later: server',
      'CS-31': 'chunkstore-workloads.test.ts, and `npm run bench savings`',
    },
  });

  it('CS-1 opens a store in a folder, which it makes, or in memory', async () => {
    const folder = path.join(await testFolder(), 'new');
    const store = closedAfterTest(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    await store.put('f', 'x');
    await store.close();
    expect(await (await reopen(folder)).stats()).toMatchObject({ entries: 1 });
    expect(await (await memoryStore()).stats()).toMatchObject({ entries: 0 });
  });

  it('CS-2 cuts fixed chunks of 4 MiB and tells their digests in order', async () => {
    const { store } = shared;
    const content = noise(9 * MIB, 2);
    await store.put('cs-2', content, { chunking: 'fixed-4m' });
    const chunks = await Array.fromAsync(store.chunks('cs-2'));
    expect(chunks.map(({ length }) => length)).toEqual([4 * MIB, 4 * MIB, MIB]);
  });

  it('CS-3 cuts fixed chunks of any size', async () => {
    const { store } = shared;
    await store.put('cs-3', 'abcdefghij', { chunking: 'fixed:64' });
    expect(await store.stat('cs-3')).toMatchObject({ chunks: 1 });
    await store.put('cs-3', noise(200, 3), { chunking: 'fixed:64' });
    const chunks = await Array.fromAsync(store.chunks('cs-3'));
    expect(chunks.map(({ length }) => length)).toEqual([64, 64, 64, 8]);
  });

  it('CS-4 cuts exactly like FastCDC v2020: the prefix set, with the digests chunkstore gives', async () => {
    const { store } = shared;
    const [base, edited] = WORKLOADS.find(({ name }) => name === 'prefix insert')?.contents() ?? [];
    expect(sha256Hex(base as Uint8Array)).toBe('d49608f917c2ca64fd05dd6f179d9586a2b60414a31d1caa00e30b1f17af4f53');
    expect(sha256Hex(edited as Uint8Array)).toBe('2e46bac2f10ca499f7e44a2106b38ce362f52d7c6d3d9cb826089ef3fc810962');
    const chunked = async (content: Uint8Array): Promise<[number, string][]> => {
      await store.put('cs-4', content, { chunking: 'chunkstore' });
      const chunks = await Array.fromAsync(store.chunks('cs-4'));
      return chunks.map(({ offset, length }) => [length, sha256Hex(content.subarray(offset, offset + length))]);
    };
    const expected: [number, string][] = [
      [2040354, '17e6a716177fb84bd11d7188aca8098e511dea0c798b16d4f4cfb8578c1b055d'],
      [5795095, '7f8132e5d0b437e4119206bcb464eca30e8c6c7d9c1a9be1b4c41397579ca15b'],
      [5593243, '17a608d0dd02bb56645ba1586dc3113128d7afe95a338ba0d16cdda667191789'],
      [2209259, '3ac6ddbcf31751383fcfec8e67479cdc33bbfa5c8c8b9bc56de4ae112404fc20'],
      [5333569, 'fb3c5aae6ee9d6c13a37dbd99736f8897dcb67e87765ff0c562d7a7a571813f8'],
    ];
    expect(await chunked(base as Uint8Array)).toEqual(expected);
    expect(await chunked(edited as Uint8Array)).toEqual([
      [2040355, '931b2d09833a297a5c7985f801234d8808f2578eb167431355565f052048e5c8'],
      ...expected.slice(1),
    ]);
  });

  it.skipIf(!existsSync(FIXTURE))('CS-4 cuts the fixture of fastcdc-rs where fastcdc-rs cuts it', () => {
    const image = readFileSync(FIXTURE);
    expect(sha256Hex(image)).toBe('d9e749d9367fc908876749d6502eb212fee88c9a94892fb07da5ef3ba8bc39ed');
    const spec = parseChunking('fastcdc:4096:16384:65535:1') as FastCdcSpec;
    expect(lengthsOf(image, spec)).toEqual([21325, 17140, 28084, 18217, 24700]);
    const small = parseChunking('fastcdc:64:256:1024:1') as FastCdcSpec;
    expect(lengthsOf(new Uint8Array(10_240), small)).toEqual(Array.from({ length: 10 }, () => 1024));
    expect(CHUNKING_PROFILES.chunkstore).toMatchObject({ min: 256 * KIB, avg: 4 * MIB, max: 8 * MIB, seed: 0n });
  });

  it('CS-5 takes readers and paths, with the same chunks: 256 KiB + 17 in chunks of 64 KiB', async () => {
    const { store } = shared;
    const content = noise(256 * KIB + 17, 5);
    const file = path.join(await testFolder(), 'file');
    await writeFile(file, content);
    const versions = new Set<string>();
    for (const source of [content, { path: file }, createReadStream(file), pieces(content, 1000)]) {
      const put = await store.put('cs-5', source, { chunking: 'fixed:65536' });
      expect(put.chunks).toBe(5);
      versions.add(put.version);
    }
    expect(versions.size).toBe(1);
  });

  it('CS-6 takes chunks as the caller made them', async () => {
    const { store } = shared;
    const put = await store.put('cs-6', [text('ab'), text('cde'), text('ab')], { chunking: 'given' });
    expect(put).toMatchObject({ chunks: 3, size: 7, newBytes: 5 });
  });

  it('CS-7 replaces an existing id, and nothing of the count leaks', async () => {
    const store = await memoryStore();
    for (let round = 0; round < 5; round += 1) await store.put('f', noise(100_000, round));
    expect(await store.stats()).toMatchObject({ entries: 1, logicalBytes: 100_000 });
    expect(sameBytes(await store.get('f'), noise(100_000, 4))).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('CS-8 checks every chunk against its digest; an unknown id is not found', async () => {
    await expect(shared.store.get('unknown')).rejects.toMatchObject({ kind: 'not-found', details: { key: 'unknown' } });
  });

  it('CS-9 reads as a stream, lists digests and reads one chunk', async () => {
    const { store } = shared;
    const content = noise(MIB, 9);
    await store.put('cs-9', content, { chunking: 'fixed:100000' });
    const streamed = Buffer.concat(await Array.fromAsync(store.read('cs-9')));
    expect(sameBytes(streamed, content)).toBe(true);
    const [, second] = await Array.fromAsync(store.chunks('cs-9'));
    expect(sameBytes(await store.readChunk(second?.digest ?? ''), content.subarray(100_000, 200_000))).toBe(true);
  });

  it('CS-10 deletes one of two and keeps what the other needs; of an unknown id it says false', async () => {
    const { store } = shared;
    const content = noise(200_000, 10);
    await store.put('cs-10/a', content);
    await store.put('cs-10/b', content);
    expect(await store.delete('cs-10/a')).toBe(true);
    expect(sameBytes(await store.get('cs-10/b'), content)).toBe(true);
    expect(await store.delete('cs-10/b')).toBe(true);
    expect(await store.delete('cs-10/b')).toBe(false);
  });

  it('CS-11 tells logical bytes, unique bytes and savings, 0 when empty, the same after reopening', async () => {
    const { path: folder, store } = await folderStore();
    expect(await store.stats()).toMatchObject({ logicalBytes: 0, uniqueBytes: 0, savingsPercent: 0 });
    for (const key of ['doc_v1', 'doc_v2']) await store.put(key, 'hello world');
    await store.put('empty', '');
    await store.put('dir/x', 'abcdefghij', { chunking: 'fixed:64' });
    const expected = { logicalBytes: 32, uniqueBytes: 21, entries: 4, savingsPercent: 100 * (1 - 21 / 32) };
    expect(await store.stats()).toMatchObject(expected);
    await store.close();
    expect(await (await reopen(folder)).stats()).toMatchObject(expected);
  });

  it('CS-13 names chunks by a full digest in lower-case hex, strictly parsed', async () => {
    const { store } = shared;
    expect(sha256Hex(text('hello world'))).toBe('b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9');
    const { digest } = await store.put('cs-13', 'hello world');
    // BLAKE3 of "hello world", as `b3sum` prints it.
    expect(digest).toBe('blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24');
    await expect(store.readChunk(digest.toUpperCase())).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });

  it('CS-14 stores one chunk that comes from many sides at once', async () => {
    const store = await memoryStore();
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.put(key, 'concurrent-same')));
    expect(await store.stats()).toMatchObject({ chunks: 1, entries: 4 });
    await Promise.all(['a', 'b', 'c'].map((key) => store.delete(key)));
    expect(await store.get('d')).toEqual(text('concurrent-same'));
  });

  it('CS-15 keeps an empty file; an empty id is refused', async () => {
    const { store } = shared;
    expect(await store.put('cs-15', '')).toMatchObject({ chunks: 0, size: 0 });
    await expect(store.put('', 'x')).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  it('CS-16 takes ids with slashes, and here any other text', async () => {
    const { store } = shared;
    for (const key of ['a/b/c', '..', '/x', 'a\\b']) {
      await store.put(key, key);
      expect(await store.get(key)).toEqual(text(key));
    }
  });

  it('CS-17 keeps everything for another process, which reads, counts and deletes it', async () => {
    const { path: folder, store } = await folderStore();
    const payload = Uint8Array.from({ length: 8192 }, (_, index) => Math.imul(index, 0x9e3779b9) & 0xff);
    expect(sha256Hex(payload)).toBe('04afec76c2b80bddd263973ccee05afa38966b0d8224c1bafbb7adb0576bcfd8');
    await store.put('payload', payload);
    await store.close();
    const program = `
      import { openStore } from ${JSON.stringify(pathToFileURL(path.join(ROOT, 'src/index.ts')).href)};
      import { createHash } from 'node:crypto';
      await using store = await openStore(${JSON.stringify(folder)}, { reserveBytes: 0 });
      const digest = createHash('sha256').update(await store.get('payload')).digest('hex');
      const { logicalBytes, entries } = await store.stats();
      console.log(JSON.stringify({ digest, logicalBytes, entries, deleted: await store.delete('payload') }));
    `;
    const run = await runProcess(process.execPath, ['--input-type=module', '--eval', program], { cwd: ROOT });
    expect({ status: run.status, ...JSON.parse(run.stdout || '{}') }).toEqual({
      status: 0,
      digest: sha256Hex(payload),
      logicalBytes: 8192,
      entries: 1,
      deleted: true,
    });
    const again = await reopen(folder);
    expect(await again.stats()).toMatchObject({ entries: 0, logicalBytes: 0 });
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('CS-22 writes to a temporary file, flushes it, names it and flushes the name', async () => {
    const folder = await testFolder();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, folder);
    const backend = closedAfterTest(await openFsBackend(folder, { reserveBytes: 0, fileSystem }));
    fileSystem.trace.length = 0;
    await backend.put('a', noise(100));
    const order = fileSystem.trace.map((call) => call.split(' ')[0]).filter((call) => call !== 'handleStat');
    const steps = ['write', 'sync', 'rename', 'syncDirectory'].map((step) => order.indexOf(step));
    expect(steps).not.toContain(-1);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });

  it('CS-23 works on any backend with the few calls of the contract', async () => {
    const location = { backend: new MemoryBackend(), metadata: ':memory:' };
    const store = closedAfterTest(await createStore(location, { keys: 'none' }));
    await store.put('f', noise(100_000));
    expect(sameBytes(await store.get('f'), noise(100_000))).toBe(true);
  });

  it('CS-28 has errors by what the caller can do, with a code for each cause', async () => {
    const { store } = shared;
    const kinds = await Promise.all(
      [
        store.get('unknown'),
        store.put('', 'x'),
        store.put('k', { path: '/nowhere/at/all' }),
        store.put('cs-28', 'x', { chunking: 'nonsense' }),
      ].map((call) => call.catch((error: { kind: string; code: string }) => `${error.kind}/${error.code}`)),
    );
    expect(kinds).toEqual([
      'not-found/ENTRY_NOT_FOUND',
      'invalid/KEY_INVALID',
      'not-found/SOURCE_NOT_FOUND',
      'invalid/CHUNKING_INVALID',
    ]);
  });

  it('CS-32 says that a store is plain: nothing is encrypted without saying so', async () => {
    const create = createStore('memory:', {} as { keys: 'none' });
    await expect(create).rejects.toMatchObject({ parameter: 'options.keys' });
  });
});
