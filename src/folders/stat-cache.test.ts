import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scanned, setTime } from '../../test/support/folders.ts';
import type { Clock } from '../runtime/clock.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { FaultyFileSystem, makeTemporaryFolder, seededRandom, type TemporaryFolder } from '../testing/index.ts';
import { openStatCache, type ScannedNode, type StatCache } from './index.ts';

const random = seededRandom(7);
let folder: TemporaryFolder;
let root: string;
let caches: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  root = path.join(folder.path, 'root');
  caches = path.join(folder.path, 'caches/below');
  fs.mkdirSync(root);
});
afterEach(() => folder.remove());

/** The system's clock sets `ctime`, so the tests look on from later. */
function clockAhead(ms: number): Clock {
  const now = Date.now() + ms;
  return { now: () => now, monotonicMs: () => now };
}

async function open(options: { storeId?: string; aheadMs?: number; at?: string } = {}): Promise<StatCache> {
  const clock = clockAhead(options.aheadMs ?? 10_000);
  const { cache } = await openStatCache({
    folder: caches,
    storeId: options.storeId ?? 'store',
    root: options.at ?? root,
    clock,
  });
  return cache;
}

async function nodes(): Promise<ScannedNode[]> {
  return (await scanned(root)).flatMap((item) => (item.kind === 'file' ? [item.node] : []));
}

function write(name: string, content = 'content'): string {
  const file = path.join(root, name);
  fs.writeFileSync(file, content);
  return file;
}

async function only(): Promise<ScannedNode> {
  return (await nodes())[0] as ScannedNode;
}

function cacheFile(): string {
  return path.join(caches, fs.readdirSync(caches)[0] as string);
}

describe('a stat cache', () => {
  it('gives back what was recorded of files that are the same, over runs', async () => {
    write('a');
    write('odd\nname');
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), '');
    const values = new Map((await nodes()).map((node) => [node.path.toString('latin1'), random.bytes(32)]));
    const first = await open();
    for (const node of await nodes()) {
      expect(first.lookup(node)).toBeUndefined();
      expect(first.record(node, values.get(node.path.toString('latin1')) as Uint8Array)).toBe(true);
    }
    await first.save();
    expect(fs.readdirSync(caches)).toHaveLength(1);
    for (let run = 0; run < 2; run += 1) {
      const cache = await open();
      expect(cache.size).toBe(3);
      for (const node of await nodes()) {
        expect(Buffer.from(cache.lookup(node) ?? [])).toEqual(
          Buffer.from(values.get(node.path.toString('latin1')) as Uint8Array),
        );
      }
      await cache.save();
    }
  });

  it('does not trust a file that was changed with size and time kept', async () => {
    const file = write('a', 'before');
    setTime(file, 1_000_000);
    const cache = await open();
    cache.record(await only(), random.bytes(32));
    await cache.save();
    const { ino, size, mtimeNs } = await only();
    fs.writeFileSync(file, 'after!');
    setTime(file, 1_000_000);
    expect(await only()).toMatchObject({ ino, size, mtimeNs });
    expect((await open()).lookup(await only())).toBeUndefined();
  });

  it('does not trust another file that was put in its place', async () => {
    write('a');
    const cache = await open();
    const node = await only();
    cache.record(node, random.bytes(32));
    await cache.save();
    const again = await open();
    expect(again.lookup(node)).toBeDefined();
    for (const change of [{ ino: node.ino + 1n }, { size: 1 }, { mtimeNs: 1n }, { ctimeNs: 1n }]) {
      expect(again.lookup({ ...node, ...change })).toBeUndefined();
    }
  });

  it.each([
    ['just before the scan', 1_000, false],
    ['after it began', -1_000, false],
    ['well before it', 5_000, true],
  ])('remembers a file that was touched %s: %d ms, %s', async (_, aheadMs, remembered) => {
    write('a');
    const cache = await open({ aheadMs });
    expect(cache.record(await only(), random.bytes(32))).toBe(remembered);
  });

  it('forgets files that a complete run did not meet, and only those', async () => {
    write('a');
    write('b');
    const cache = await open();
    const [a, b] = (await nodes()) as [ScannedNode, ScannedNode];
    cache.record(a, random.bytes(32));
    cache.record(b, random.bytes(32));
    await cache.save();
    const partial = await open();
    partial.lookup(a);
    await partial.save({ complete: false });
    expect((await open()).size).toBe(2);
    const complete = await open();
    complete.lookup(a);
    await complete.save();
    const last = await open();
    expect(last.size).toBe(1);
    expect(last.lookup(b)).toBeUndefined();
  });

  it('is of one store and one folder', async () => {
    write('a');
    const cache = await open();
    cache.record(await only(), random.bytes(32));
    await cache.save();
    expect((await open({ storeId: 'another' })).size).toBe(0);
    expect((await open({ at: `${root}2` })).size).toBe(0);
    fs.renameSync(cacheFile(), path.join(caches, 'taken'));
    const other = await open({ storeId: 'another' });
    await other.save();
    fs.renameSync(path.join(caches, 'taken'), path.join(caches, fs.readdirSync(caches).sort()[0] as string));
    expect((await open({ storeId: 'another' })).size).toBe(0);
  });

  it('is empty when any byte of it is wrong, or some are missing', async () => {
    write('a');
    const cache = await open();
    cache.record(await only(), random.bytes(32));
    await cache.save();
    const file = cacheFile();
    const bytes = fs.readFileSync(file);
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = Buffer.from(bytes);
      damaged[index] = (damaged[index] as number) ^ (1 << random.integer(8));
      fs.writeFileSync(file, damaged);
      expect((await open()).size, `byte ${index}`).toBe(0);
    }
    for (const length of [0, 1, 43, 44, 75, bytes.length - 1]) {
      fs.writeFileSync(file, bytes.subarray(0, length));
      expect((await open()).size, `${length} bytes`).toBe(0);
    }
    fs.writeFileSync(file, bytes);
    expect((await open()).size).toBe(1);
  });

  it('tells when it cannot be read, and is empty', async () => {
    await (await open()).save();
    const fileSystem = new FaultyFileSystem(nodeFileSystem, caches);
    fileSystem.fail({ call: 'open', code: 'EACCES' });
    const opened = await openStatCache({ folder: caches, storeId: 'store', root, fileSystem });
    expect(opened.cache.size).toBe(0);
    expect(opened.unreadable).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('stays as it was when it cannot be written, and leaves nothing behind', async () => {
    write('a');
    const cache = await open();
    cache.record(await only(), random.bytes(32));
    await cache.save();
    for (const call of ['write', 'sync', 'rename'] as const) {
      const fileSystem = new FaultyFileSystem(nodeFileSystem, caches);
      fileSystem.fail({ call, code: 'ENOSPC' });
      const { cache: failing } = await openStatCache({ folder: caches, storeId: 'store', root, fileSystem });
      await expect(failing.save()).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(fs.readdirSync(caches)).toHaveLength(1);
      expect((await open()).size).toBe(1);
    }
  });
});
