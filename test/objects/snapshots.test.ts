/** Snapshots of folders and archives: in, out, compared, forgotten; in plain and in sealed stores. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SnapshotInfo, Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { craftFolder, factsOf, withoutNanoseconds } from '../support/folders.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { folderStore, memoryStore, reopen, testFolder } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await all(pieces));
}

async function fill(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'docs/deep'), { recursive: true });
  await mkdir(path.join(folder, 'empty'));
  await writeFile(path.join(folder, 'a.txt'), 'first');
  await writeFile(path.join(folder, 'docs/deep/noise.bin'), noise(200_000, 3));
  await writeFile(path.join(folder, 'docs/b.txt'), 'second');
  await symlink('docs/b.txt', path.join(folder, 'link'));
  for (const name of ['a.txt', 'docs/b.txt', 'docs/deep/noise.bin']) await utimes(path.join(folder, name), 1e9, 1e9);
}

describe.each(STORES)('snapshots of $name', ({ options }) => {
  let store: Store;
  let folder: string;
  beforeEach(async () => {
    store = await memoryStore(options);
    folder = await testFolder();
    await fill(folder);
  });

  const paths = async (address: string) =>
    (await all(store.snapshots.names(address, { recursive: true }))).map((one) => one.path);

  it('take a folder in, and give it back as it was', async () => {
    const report = await store.snapshots.create({ folder }, { ref: 'home', message: 'the first' });
    expect(report).toMatchObject({ files: 3, folders: 4, links: 1, failed: 0, bytes: 200_011 });
    expect(await paths('home')).toEqual([
      ...['a.txt', 'docs', 'docs/b.txt', 'docs/deep', 'docs/deep/noise.bin', 'empty', 'link'],
    ]);
    const target = path.join(await testFolder(), 'out');
    const restored = await store.snapshots.restore('home', target);
    expect(restored).toMatchObject({ files: 3, links: 1, failed: 0 });
    expect(execFileSync('diff', ['-r', '--no-dereference', folder, target]).toString()).toBe('');
    expect(await store.refs.get('home')).toMatchObject({ id: report.id, type: 'snapshot' });
    expect((await store.maintenance.check()).problems).toEqual([]);
  });

  it('keep what a file system holds, and give it back equal', async () => {
    const crafted = await testFolder();
    craftFolder(crafted);
    const report = await store.snapshots.create({ folder: crafted }, { ref: 'crafted' });
    expect(report).toMatchObject({ failed: 0, skipped: {} });
    const target = path.join(await testFolder(), 'out');
    expect(await store.snapshots.restore('crafted', target, { specialModes: true })).toMatchObject({ failed: 0 });
    expect(withoutNanoseconds(factsOf(target))).toEqual(withoutNanoseconds(factsOf(crafted)));
    const sparse = await stat(path.join(target, 'sparse'));
    expect(sparse.blocks * 512).toBeLessThan(sparse.size);
    expect((await store.snapshots.create({ folder: crafted }, { reread: true })).id).toBe(report.id);
  });

  it('restore a part, a file, and nothing outside of the target', async () => {
    await store.snapshots.create({ folder }, { ref: 'home' });
    const target = await testFolder();
    await store.snapshots.restore('home:docs', path.join(target, 'docs'));
    expect((await readdir(path.join(target, 'docs'))).sort()).toEqual(['b.txt', 'deep']);
    await store.snapshots.restore('home:docs/b.txt', path.join(target, 'one'));
    expect(await readFile(path.join(target, 'one/b.txt'), 'utf8')).toBe('second');
    await expect(store.snapshots.restore('home:nothing', target)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    const refused = await store.snapshots.restore('home:docs', path.join(target, 'docs'));
    expect(refused.failures.map(({ code }) => code)).toContain('TARGET_EXISTS');
    const { reference, child } = await store.objects.find('home:docs/b.txt');
    expect(child).toMatchObject({ type: 'file', size: 6 });
    expect(Buffer.from(await store.objects.getBlob(reference.id)).toString()).toBe('second');
  });

  it('have one id for one content, and read what is unchanged no more', async () => {
    const statCache = await testFolder();
    const first = await store.snapshots.create({ folder }, { ref: 'home', statCache });
    const second = await store.snapshots.create({ folder }, { ref: 'home', statCache });
    expect(second).toMatchObject({ id: first.id, newBytes: 0 });
    await writeFile(path.join(folder, 'a.txt'), 'FIRST');
    await utimes(path.join(folder, 'a.txt'), 1e9, 1e9);
    const third = await store.snapshots.create({ folder }, { ref: 'home', statCache });
    expect(third.id).not.toBe(first.id);
    // The content, and the trees above it.
    expect(third.newBytes).toBeLessThan(2000);
    const series = await all(store.snapshots.list({ ref: 'home' }));
    expect(series.map(({ number, id, current }) => [number, id, current])).toEqual([
      [3, third.id, true],
      [2, first.id, false],
      [1, first.id, false],
    ]);
    expect((await store.objects.find('home~2')).reference.id).toBe(first.id);
    expect((await store.objects.find('home@{1}')).reference.id).toBe(first.id);
    expect((await store.objects.find('latest')).reference.id).toBe(third.id);
    const [change, ...more] = await all(store.snapshots.diff('home~1', 'home'));
    expect(change).toMatchObject({ path: 'a.txt', kind: 'changed', metadataOnly: false });
    expect(more.every(({ metadataOnly }) => metadataOnly)).toBe(true);
  });

  it('take unchanged folders as a whole, and read them again where the store has lost what is remembered', async () => {
    const statCache = await testFolder();
    const { path: place, store: original } = await folderStore(options);
    await original.close();
    const older = path.join(await testFolder(), 'older');
    await cp(place, older, { recursive: true });
    const open = { ...('keys' in options && { keys: options.keys }) };
    // What was touched just now is not remembered.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 3_600_000);
    const now = await reopen(place, open);
    const first = await now.snapshots.create({ folder }, { ref: 'home', statCache });
    expect(first).toMatchObject({ files: 3, unchanged: 0, folders: 4, links: 1 });
    const second = await now.snapshots.create({ folder }, { ref: 'home', statCache });
    expect(second).toMatchObject({ id: first.id, files: 3, unchanged: 3, folders: 4, links: 1, newBytes: 0 });
    const reread = await now.snapshots.create({ folder }, { statCache, reread: true });
    expect(reread).toMatchObject({ id: first.id, files: 3, unchanged: 0 });
    const lost = await reopen(older, open);
    const again = await lost.snapshots.create({ folder }, { ref: 'home', statCache });
    expect(again).toMatchObject({ id: first.id, files: 3, unchanged: 0, folders: 4, links: 1 });
    expect((await lost.maintenance.check()).problems).toEqual([]);
    expect(await lost.snapshots.restore('home', path.join(await testFolder(), 'out'))).toMatchObject({ failed: 0 });
  });

  it('forget what no rule keeps, and never what a ref names', async () => {
    for (let count = 0; count < 5; count += 1) {
      await writeFile(path.join(folder, 'a.txt'), `version ${count}`);
      await store.snapshots.create({ folder }, { ref: 'home' });
    }
    const plan = await store.snapshots.forget('home', { rules: { last: 2 }, dryRun: true });
    expect(plan.forgotten.map(({ number }) => number)).toEqual([3, 2, 1]);
    expect(await all(store.snapshots.list({ ref: 'home' }))).toHaveLength(5);
    await store.snapshots.forget('home', { rules: { last: 2 } });
    const left: readonly SnapshotInfo[] = await all(store.snapshots.list());
    expect(left.map(({ number }) => number)).toEqual([5, 4]);
    await expect(store.snapshots.forget('home', { rules: {} })).rejects.toBeInstanceOf(RangeError);
    await expect(store.snapshots.forget('other', { rules: { last: 1 } })).rejects.toMatchObject({
      code: 'REF_NOT_FOUND',
    });
    const last = (await store.refs.get('home'))?.id;
    await store.refs.delete('home');
    await expect(store.objects.find('home')).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
    expect((await store.objects.find('home@{1}')).reference.id).toBe(last);
    expect((await all(store.snapshots.list({ ref: 'home' }))).map(({ current }) => current)).toEqual([false, false]);
  });

  it('tell what could not be read, and keep the rest', async () => {
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    const report = await store.snapshots.create({ folder });
    expect(report).toMatchObject({ files: 3, skipped: { special: 1 } });
    await expect(store.snapshots.create({ folder: path.join(folder, 'gone') })).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
    await expect(store.snapshots.create({ folder: path.join(folder, 'a.txt') })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
    });
    await expect(store.snapshots.create({ folder }, { ref: '../up' })).rejects.toMatchObject({ code: 'REF_INVALID' });
  });

  it('come as archives and go as archives', async () => {
    await rm(path.join(folder, 'empty'), { recursive: true });
    const { id } = await store.snapshots.create({ folder }, { ref: 'home' });
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const bytes = await joined(store.snapshots.exportTar('home', { compression }));
      const again = await store.snapshots.create({ tar: once(bytes) }, { ref: 'archive' });
      expect(again.id).toBe(id);
    }
    const system = execFileSync('tar', ['-cf', '-', '-C', folder, '.'], { maxBuffer: 1e9 });
    const foreign = await store.snapshots.create({ tar: once(system) });
    expect(foreign).toMatchObject({ files: 3, links: 1, failed: 0 });
    await expect(store.snapshots.create({ tar: once(noise(2048)) })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });
});
