import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SmallS3, startSmallS3 } from '../../test/support/small-s3.ts';
import { createStore, type PlacementStatus } from '../index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/index.ts';
import { type BenchOptions, runBench } from './index.ts';

const quick: BenchOptions = { seconds: 0.001, bytes: 200_000, say: () => undefined };
let temporary: TemporaryFolder;
beforeEach(async () => {
  temporary = await makeTemporaryFolder();
});
afterEach(() => temporary.remove());

async function everythingIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

describe('runBench in a folder', () => {
  it('measures every step once, and leaves nothing behind', async () => {
    const { figures, limits, notes } = await runBench({ folder: temporary.path }, quick);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    expect(figures.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['kernel.cut', 'kernel.erasure', 'disk.flush', 'backend.folder.put', 'store.put64']),
    );
    for (const { median, min, max } of figures) expect(min <= median && median <= max && min > 0).toBe(true);
    expect(limits.core).toBeGreaterThan(0);
    expect(notes.join('\n')).toContain('the limit here is');
    expect(await readdir(temporary.path)).toEqual([]);
  });

  it('leaves nothing behind wherever it is stopped', async () => {
    for (const stopAt of [/^disk/, /^backend/, /small puts at once/]) {
      const controller = new AbortController();
      const say = (what: string): void => {
        if (stopAt.test(what)) controller.abort(new Error('stopped'));
      };
      const stopped = runBench({ folder: temporary.path }, { ...quick, say, signal: controller.signal });
      await expect(stopped).rejects.toThrow('stopped');
      expect(await readdir(temporary.path)).toEqual([]);
    }
  });
});

describe('runBench beside a store', () => {
  let s3: SmallS3;
  beforeEach(async () => {
    s3 = await startSmallS3();
  });
  afterEach(() => s3.close());

  async function statusOf(location: string, backends: readonly string[]): Promise<PlacementStatus> {
    await using store = await createStore(location, {
      keys: 'none',
      ...(backends.length > 0 && { redundancy: '1+1', backends: backends.map((one) => ({ location: one })) }),
    });
    return await store.backends.status();
  }

  it('measures its backends under their names, with its redundancy, and changes nothing of it', async () => {
    const [home, disk] = [path.join(temporary.path, 'home'), path.join(temporary.path, 'disk')];
    const status = await statusOf(home, [disk, s3.url.replace('?', '/some/prefix?')]);
    const before = [await everythingIn(temporary.path), [...s3.objects.keys()].sort()];
    const { figures, redundancy, sealed } = await runBench({ status, sealed: true }, quick);
    expect(redundancy).toBe('1+1');
    expect(sealed).toBe(true);
    for (const { name } of status.backends.filter(({ weight }) => weight > 0))
      expect(figures.map(({ id }) => id)).toContain(`backend.${name}.put`);
    expect([await everythingIn(temporary.path), [...s3.objects.keys()].sort()]).toEqual(before);
  });

  it('makes a file beside one', async () => {
    const folder = path.join(temporary.path, 'files');
    await mkdir(folder);
    const status = await statusOf(path.join(folder, 'some.hold'), []);
    const before = await everythingIn(folder);
    const { figures, notes } = await runBench({ status, sealed: false }, quick);
    expect(figures.some(({ id }) => id === 'store.write')).toBe(true);
    expect(figures.some(({ id }) => id.startsWith('backend.'))).toBe(false);
    expect(notes.join('\n')).toContain('is one file');
    expect(await everythingIn(folder)).toEqual(before);
  });

  it('refuses a store with a backend beside which nothing can be made', async () => {
    const status = await statusOf(path.join(temporary.path, 'plain'), []);
    const backends = status.backends.map((backend) => ({ ...backend, url: 'module:place' }));
    await expect(runBench({ status: { ...status, backends }, sealed: false }, quick)).rejects.toMatchObject({
      code: 'BACKEND_UNSUPPORTED',
    });
  });
});
