import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import { KIB, MIB } from '../limits.ts';
import type { OpenedBackend } from '../testing/backend-case.ts';
import { describeBackend } from '../testing/describe-backend.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/temporary-folder.ts';
import { openSingleFile } from './open-single-file.ts';

/** The bytes that are on the disk now, as a power cut leaves them. Copied by another process: SQLite's locks live here. */
function copyOfDisk(path: string, to: string): string {
  mkdirSync(to, { recursive: true });
  const files = ['', '-wal'].map((suffix) => path + suffix).filter((file) => existsSync(file));
  execFileSync('cp', [...files, to]);
  return join(to, 'blobs.hold');
}

async function openFile(): Promise<OpenedBackend> {
  const folder = await makeTemporaryFolder();
  const path = join(folder.path, 'blobs.hold');
  const backend = await openSingleFile(path);
  const after = join(folder.path, 'after');
  return {
    backend,
    reopen: () => openSingleFile(path),
    crash: () => openSingleFile(copyOfDisk(path, after), { create: false }),
    fail: async () => {
      const other = new DatabaseSync(path);
      other.exec('DROP TABLE file_rows; DROP TABLE file_blobs; DROP TABLE file_state');
      other.close();
    },
    openReadOnly: () => openSingleFile(path, { readOnly: true }),
    dispose: async () => {
      await backend.close();
      await folder.remove();
    },
  };
}

describeBackend({ describe, it }, 'a single file', { open: openFile });
describe('a single file', () => {
  let folder: TemporaryFolder;
  let path: string;
  beforeEach(async () => {
    folder = await makeTemporaryFolder();
    path = join(folder.path, 'one.hold');
  });
  afterEach(() => folder.remove());

  it('is all that is left after it was closed, and is left as it was by who only reads', async () => {
    const backend = await openSingleFile(path);
    await backend.put('a/b', new Uint8Array(3 * MIB).fill(1));
    await backend.close();
    expect(readdirSync(folder.path)).toEqual(['one.hold']);
    const before = statSync(path, { bigint: true }).mtimeNs;
    const reader = await openSingleFile(path, { readOnly: true });
    expect((await reader.get('a/b', { offset: MIB, length: 2 }))?.[1]).toBe(1);
    await reader.close();
    expect(readdirSync(folder.path)).toEqual(['one.hold']);
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(before);
  });

  it('keeps what it was made with, whatever it is opened with later', async () => {
    await (await openSingleFile(path, { capacityBytes: 8 * MIB, blockBytes: 100_000 })).close();
    const backend = await openSingleFile(path, { capacityBytes: 16 * MIB, blockBytes: 50_000 });
    expect(await backend.use()).toMatchObject({ capacityBytes: 8 * MIB, blockBytes: 100_000, blobs: 0, blobBytes: 0 });
    await backend.close();
  });

  it('gives every range of blobs of awkward sizes, whatever the size of its rows (seed 4)', async () => {
    const random = seededRandom(4);
    for (const blockBytes of [8 * KIB, 256 * KIB, 5 * MIB]) {
      const file = join(folder.path, `${blockBytes}.hold`);
      const backend = await openSingleFile(file, { blockBytes });
      const full = Math.floor(blockBytes / 8192) * 8188 - 256;
      for (const size of [0, 1, full - 1, full, full + 1, 2 * full, 2 * full + 7932]) {
        const value = random.bytes(size);
        await backend.put('k', value);
        expect(Buffer.compare((await backend.get('k')) as Uint8Array, value), `${size}`).toBe(0);
        for (let turn = 0; turn < 6; turn += 1) {
          const offset = random.integer(size + 1);
          const length = random.integer(size - offset + 1);
          const piece = await backend.get('k', { offset, length });
          expect(Buffer.compare(piece as Uint8Array, value.subarray(offset, offset + length))).toBe(0);
        }
      }
      await backend.close();
    }
  });

  it('refuses what passes its capacity, tells the truth about what is left, and can always be emptied', async () => {
    const backend = await openSingleFile(path, { capacityBytes: 16 * MIB });
    let count = 0;
    for (;;) {
      const { freeBytes = 0 } = await backend.space();
      const size = 700_000 + 1000 * count;
      const put = backend.put(`k/${count}`, new Uint8Array(size).fill(count));
      if (size > freeBytes) {
        const failure = await put.then(
          () => 'was put',
          (error: unknown) => error,
        );
        expect(isStoreError(failure, 'QUOTA_EXCEEDED'), String(failure)).toBe(true);
        // What it says is left can be put, whole.
        await backend.put('last', new Uint8Array(freeBytes));
        expect((await backend.space()).freeBytes).toBeLessThan(100_000);
        break;
      }
      await put;
      count += 1;
    }
    expect(count).toBeGreaterThan(15);
    await backend.put('reserved', new Uint8Array(MIB), { spendReserve: true });
    expect(statSync(path).size).toBeLessThanOrEqual(16 * MIB);
    for (let index = 0; index < count; index += 1) await backend.delete(`k/${index}`);
    await backend.put('again', new Uint8Array(8 * MIB));
    expect((await backend.space()).quotaBytes).toBe(16 * MIB);
    await backend.close();
    expect(statSync(path).size).toBeLessThanOrEqual(16 * MIB);
  });

  it('says that it is damaged where a row is gone, and never gives a blob without it', async () => {
    const backend = await openSingleFile(path);
    await backend.put('k', new Uint8Array(600_000));
    const other = new DatabaseSync(path);
    other.exec('DELETE FROM file_rows WHERE id = (SELECT max(id) FROM file_rows)');
    other.close();
    await expect(backend.get('k')).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false });
    expect((await backend.get('k', { length: 10 }))?.length).toBe(10);
    await backend.close();
  });
});
